/* test_labels.c - rules that want a label, which nobody knows before the TPM has proven itself. */
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/supervise.h"

#include "ca/base/encode.h"

#include <cmocka.h>
#include <stdlib.h>

/* The first rule takes strangers of the laboratory; the last one takes everybody, and no stranger. */
#define POLICY                                                                                     \
	"rules:\n"                                                                                 \
	"  - name: lab\n"                                                                          \
	"    hosts: [{suffix: example.test}]\n"                                                    \
	"    labels: [{name: site, value: lab}]\n"                                                 \
	"    trust: [operator-import, allow-list]\n"                                               \
	"    templates: [ak]\n"                                                                    \
	"    new_ak: supersede\n"                                                                  \
	"  - name: office\n"                                                                       \
	"    hosts: [{suffix: office.example.test}]\n"                                             \
	"    labels: [{name: site, value: office}]\n"                                              \
	"    templates: [ak]\n"                                                                    \
	"  - name: web\n"                                                                          \
	"    hosts: [{suffix: web.example.test}]\n"                                                \
	"    templates: [ak]\n"

static struct world world;
static struct maker nobody;

static int make(void **state)
{
	(void)state;
	strangers_begin(POLICY, &world, &nobody);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	strangers_end(&world, &nobody);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	world_forget(&world);
	return 0;
}

static void allow(const struct soft_device *device, const char *site)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];

	ek_digest_of(device, digest);
	hex_write(VIEW(digest), hex);
	free(sql_text(world.conninfo,
		"INSERT INTO ek_allowed (ek_digest, labels, source, added_at, added_by, why)"
		" VALUES ('\\x%s', '{\"site\": \"%s\"}', 'factory.csv', now(), 'w', 'y')",
		hex, site));
}

static void a_stranger_with_the_label_is_taken(void **state)
{
	AUTO(soft_device_free) struct soft_device device;

	(void)state;
	stranger_of(&world, &nobody, "a.web.example.test", &device);
	allow(&device, "lab");
	assert_knock(&world, &device, 200, "");
}

/* Both get a ticket, for the rule of the laboratory might be theirs; then it is not. */
static void without_the_label_the_next_rule_decides_and_takes_no_stranger(void **state)
{
	AUTO(soft_device_free) struct soft_device labelled, bare;

	(void)state;
	stranger_of(&world, &nobody, "b.web.example.test", &labelled);
	allow(&labelled, "other");
	assert_knock(&world, &labelled, 422, "ek-untrusted");
	stranger_of(&world, &nobody, "c.web.example.test", &bare);
	assert_knock(&world, &bare, 422, "ek-untrusted");
	assert_nothing_bound(&world);
}

static void a_name_that_only_rules_with_labels_have_is_for_devices_with_labels(void **state)
{
	AUTO(soft_device_free) struct soft_device device;

	(void)state;
	stranger_of(&world, &world.maker, "a.office.example.test", &device);
	assert_knock(&world, &device, 403, "label-not-allowed");
	assert_nothing_bound(&world);
	allow(&device, "office");
	assert_knock(&world, &device, 200, "");
}

/* The label is the device's from its first enrollment on; what the allow-list says later is for others. */
static void a_known_device_keeps_the_labels_it_came_with(void **state)
{
	AUTO(soft_device_free) struct soft_device device;

	(void)state;
	stranger_of(&world, &world.maker, "b.office.example.test", &device);
	allow(&device, "office");
	assert_knock(&world, &device, 200, "");
	free(sql_text(world.conninfo, "DELETE FROM ek_allowed"));
	assert_knock(&world, &device, 200, "");
}

static void where_the_rule_says_so_a_new_ak_ends_the_others(void **state)
{
	AUTO(soft_device_free) struct soft_device device;

	(void)state;
	stranger_of(&world, &world.maker, "d.web.example.test", &device);
	allow(&device, "lab");
	assert_knock(&world, &device, 200, "");
	soft_key_free(&device.ak);
	assert_true(soft_ak_make(SOFT_P256, world.name, NULL, &device.ak));
	assert_knock(&world, &device, 200, "");
	assert_int_equal(
		sql_number(world.conninfo, "SELECT count(*) FROM ak WHERE state = 'live'"), 1);
	assert_int_equal(world_rows(&world, "ak"), 2);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup(a_stranger_with_the_label_is_taken, forget),
		cmocka_unit_test_setup(
			without_the_label_the_next_rule_decides_and_takes_no_stranger, forget),
		cmocka_unit_test_setup(
			a_name_that_only_rules_with_labels_have_is_for_devices_with_labels, forget),
		cmocka_unit_test_setup(a_known_device_keeps_the_labels_it_came_with, forget),
		cmocka_unit_test_setup(where_the_rule_says_so_a_new_ak_ends_the_others, forget),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
