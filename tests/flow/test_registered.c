/* test_registered.c - EKs that the operator has listed, and names that are registered for one of them. */
#include "db/allowed.h"
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char policy[] = "rules:\n"
			     "  - name: listed\n"
			     "    hosts: [{suffix: reg.example.test}]\n"
			     "    templates: [ak]\n"
			     "    trust: [operator-import, allow-list]\n"
			     "    names_per_device: 2\n"
			     "  - name: holding\n"
			     "    hosts: [{suffix: hold.example.test}]\n"
			     "    templates: [ak]\n"
			     "    trust: [approved]\n"
			     "    unknown_ek: hold\n"
			     "  - name: strict\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ak]\n";

static struct world world;
static struct maker nobody; /* whom the service does not know */

static int make(void **state)
{
	(void)state;
	strangers_begin(policy, &world, &nobody);
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

static const struct act act = {
	"admin-token", "127.0.0.1", "the factory's manifest", "r", 1800000000};

/* Lists a device's EK; with a name, it is registered for that. */
static void allow(const struct soft_device *device, const char *host, const char *labels)
{
	AUTO(db_close) struct db *db = NULL;
	struct allowed entry = {.host = host, .labels = labels};
	enum allowed_fate fate;

	ek_digest_of(device, entry.ek_digest);
	must(db_open(world.conninfo, 1, 5000, &db) == OK, "%s", why()->sentence);
	must(allowed_add(db, &entry, 1, "factory.csv", false, false, &act, &fate) == OK &&
			fate == ALLOWED_ADDED,
		"%s", why()->sentence);
}

static void disallow(const struct soft_device *device)
{
	AUTO(db_close) struct db *db = NULL;
	uint8_t digest[DIGEST_SIZE];

	ek_digest_of(device, digest);
	must(db_open(world.conninfo, 1, 5000, &db) == OK, "%s", why()->sentence);
	must(allowed_remove(db, digest, &act) == OK, "%s", why()->sentence);
}

static void a_listed_ek_enrolls_and_what_vouches_for_it_is_told(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock knock;
	AUTO(mem_free) char *row = NULL;

	(void)state;
	stranger_of(&world, &nobody, "a.reg.example.test", &device);
	assert_knock(&world, &device, 422, "ek-untrusted");
	assert_nothing_bound(&world);
	allow(&device, NULL, "{\"rack\": \"7\"}");
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	assert_answer(&knock, 200, "");
	assert_string_equal(knock.x.answer->trust_class, "allow-list");
	assert_string_equal(knock.x.answer->trust_source, "factory.csv");
	assert_string_equal(knock.x.answer->trust_chain, "");
	assert_string_equal(knock.x.answer->tpm_manufacturer, "");
	row = sql_text(world.conninfo,
		"SELECT concat_ws(' ', trust_class, trust_source, labels->>'rack') FROM device");
	assert_string_equal(row, "allow-list factory.csv 7");
}

static void a_listed_tpm_without_a_certificate_enrolls(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};

	(void)state;
	stranger_make(&world,
		&(struct stranger_plan){.maker = &nobody,
			.host = "a.reg.example.test",
			.ek = SOFT_L2,
			.without_certificate = true},
		&device);
	assert_knock(&world, &device, 422, "ek-certificate-missing");
	assert_nothing_bound(&world);
	allow(&device, NULL, NULL);
	assert_knock(&world, &device, 200, "");
}

static void taken_from_the_list_it_is_refused_anew_and_its_ticket_too(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock knock;

	(void)state;
	stranger_of(&world, &nobody, "a.reg.example.test", &device);
	allow(&device, NULL, NULL);
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	assert_answer(&knock, 200, "");
	disallow(&device);
	/* Not even the answer that it had: nobody vouches for it any more. */
	knock_enroll(&knock);
	assert_answer(&knock, 422, "ek-untrusted");
	assert_knock(&world, &device, 422, "ek-untrusted");
	assert_int_equal(1, world_rows(&world, "certificate"));
}

static void a_registered_ek_gets_no_other_name(void **state)
{
	struct maker *const makers[] = {&world.maker, &nobody};

	(void)state;
	for (size_t i = 0; i < COUNT(makers); i++) {
		AUTO(soft_device_free) struct soft_device device = {0};
		AUTO(knock_free) struct knock knock;

		stranger_of(&world, makers[i], "b.reg.example.test", &device);
		allow(&device, i == 0 ? "a1.reg.example.test" : "a2.reg.example.test", NULL);
		knock_init(&knock, &world, &device);
		knock_at(&knock);
		assert_answer(&knock, 403, "ek-registered-for-another-host");
		assert_null(strstr(knock.problem.detail, "a1.reg"));
		assert_nothing_bound(&world);
	}
}

static void a_registered_name_goes_to_no_other_ek(void **state)
{
	struct maker *const makers[] = {&world.maker, &nobody};
	AUTO(soft_device_free) struct soft_device owner = {0};

	(void)state;
	stranger_of(&world, &world.maker, "a.reg.example.test", &owner);
	allow(&owner, "a.reg.example.test", NULL);
	for (size_t i = 0; i < COUNT(makers); i++) {
		AUTO(soft_device_free) struct soft_device device = {0};

		stranger_of(&world, makers[i], "a.reg.example.test", &device);
		if (i == 1)
			allow(&device, NULL, NULL);
		assert_knock(&world, &device, 403, "host-registered-for-another-ek");
		assert_nothing_bound(&world);
	}
	assert_knock(&world, &owner, 200, "");
}

static void a_device_may_learn_its_name(void **state)
{
	struct maker *const makers[] = {&world.maker, &nobody};

	(void)state;
	for (size_t i = 0; i < COUNT(makers); i++) {
		AUTO(mem_free) char *host = text("learned-%zu.reg.example.test", i), *log = NULL;
		AUTO(soft_device_free) struct soft_device device = {0};
		AUTO(knock_free) struct knock knock, check;

		stranger_of(&world, makers[i], NULL, &device);
		allow(&device, host, NULL);
		knock_init(&check, &world, &device);
		check.x.is_check = true;
		knock_at(&check);
		assert_answer(&check, 200, "");
		assert_string_equal(check.x.answer->host, host);
		knock_init(&knock, &world, &device);
		knock_at(&knock);
		assert_answer(&knock, 200, "");
		assert_string_equal(knock.x.answer->host, host);
		assert_int_equal(1, sql_number(world.conninfo,
					    "SELECT count(*) FROM host WHERE name = '%s'", host));
		/* The same bytes again. */
		knock_enroll(&knock);
		assert_answer(&knock, 200, "");
		assert_string_equal(knock.x.answer->host, host);
		log = world_log(&world, 0);
		assert_non_null(strstr(log, host));
	}
	assert_int_equal(2, world_rows(&world, "certificate"));
}

static void without_a_name_and_without_a_registration_there_is_nothing(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0}, listed = {0};

	(void)state;
	stranger_of(&world, &world.maker, NULL, &device);
	assert_knock(&world, &device, 403, "host-not-registered");
	stranger_of(&world, &nobody, NULL, &listed);
	allow(&listed, NULL, NULL);
	assert_knock(&world, &listed, 403, "host-not-registered");
	assert_nothing_bound(&world);
	assert_int_equal(0, world_rows(&world, "pending"));
}

/* The name that is learned is judged like one that was sent. */
static void the_rule_of_the_learned_name_decides(void **state)
{
	static const struct {
		bool is_known;
		const char *host;
		int status;
		const char *code;
	} rows[] = {
		{true, "a.elsewhere.test", 403, "name-not-allowed"},
		{false, "a.example.test", 422, "ek-untrusted"},
		{false, "a.elsewhere.test", 422, "ek-untrusted"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(soft_device_free) struct soft_device device = {0};

		world_forget(&world);
		stranger_of(&world, rows[i].is_known ? &world.maker : &nobody, NULL, &device);
		allow(&device, rows[i].host, NULL);
		assert_knock(&world, &device, rows[i].status, rows[i].code);
		assert_nothing_bound(&world);
	}
}

/* The list vouches only where a rule takes its word. */
static void where_a_rule_holds_and_takes_no_list_a_listed_ek_is_held(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock knock, next;

	(void)state;
	stranger_of(&world, &nobody, "a.hold.example.test", &device);
	allow(&device, NULL, NULL);
	knock_init(&knock, &world, &device);
	knock_init(&next, &world, &device);
	knock_at(&knock);
	assert_answer(&knock, 202, "pending-approval");
	assert_nothing_bound(&world);
	knock_decide(&world, knock.problem.attempt, PENDING_ACCEPTED);
	knock_at(&next);
	assert_answer(&next, 200, "");
	assert_string_equal(next.x.answer->trust_class, "approved");
}

/*
 * An AK's public area is no secret, and software that plays TPM needs no more of it: only a chain says that an
 * EK is in a TPM, which activates nothing for an AK that it does not have.
 */
static void no_word_of_ours_lets_an_ek_into_a_device_by_the_ak_that_it_names(void **state)
{
	AUTO(soft_device_free) struct soft_device owner = {0}, thief = {0}, second = {0};
	struct soft_key own;

	(void)state;
	stranger_of(&world, &world.maker, "a.reg.example.test", &owner);
	assert_knock(&world, &owner, 200, "");
	stranger_of(&world, &nobody, "a.reg.example.test", &thief);
	allow(&thief, NULL, NULL);
	own = thief.ak;
	thief.ak = owner.ak;
	assert_knock(&world, &thief, 409, "ak-of-another-device");
	snprintf(thief.host, sizeof(thief.host), "b.reg.example.test");
	assert_knock(&world, &thief, 409, "ak-of-another-device");
	/* Nor is it held. */
	snprintf(thief.host, sizeof(thief.host), "a.hold.example.test");
	assert_knock(&world, &thief, 409, "ak-of-another-device");
	thief.ak = own;
	assert_int_equal(1, world_rows(&world, "ek"));
	assert_int_equal(0, world_rows(&world, "pending"));
	/* A chain lets in. */
	stranger_of(&world, &world.maker, "b.reg.example.test", &second);
	own = second.ak;
	second.ak = owner.ak;
	assert_knock(&world, &second, 200, "");
	second.ak = own;
	assert_int_equal(1, world_rows(&world, "device"));
}

static int tests(void)
{
	struct CMUnitTest all[] = {
		cmocka_unit_test(a_listed_ek_enrolls_and_what_vouches_for_it_is_told),
		cmocka_unit_test(a_listed_tpm_without_a_certificate_enrolls),
		cmocka_unit_test(taken_from_the_list_it_is_refused_anew_and_its_ticket_too),
		cmocka_unit_test(a_registered_ek_gets_no_other_name),
		cmocka_unit_test(a_registered_name_goes_to_no_other_ek),
		cmocka_unit_test(a_device_may_learn_its_name),
		cmocka_unit_test(without_a_name_and_without_a_registration_there_is_nothing),
		cmocka_unit_test(the_rule_of_the_learned_name_decides),
		cmocka_unit_test(where_a_rule_holds_and_takes_no_list_a_listed_ek_is_held),
		cmocka_unit_test(no_word_of_ours_lets_an_ek_into_a_device_by_the_ak_that_it_names),
	};

	for (size_t i = 0; i < COUNT(all); i++)
		all[i].setup_func = forget;
	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
