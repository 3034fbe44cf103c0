/* test_untagged.c - AKs that were made for no service, such as a cloud's own: taken where a rule says so. */
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/dialogue.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RULES(untagged)                                                                            \
	"rules:\n"                                                                                 \
	"  - name: strict\n"                                                                       \
	"    hosts: [{exact: strict.cloud.example.test}]\n"                                        \
	"    templates: [ak]\n"                                                                    \
	"    names_per_device: 100\n"                                                              \
	"  - name: cloud\n"                                                                        \
	"    hosts: [{suffix: cloud.example.test}]\n"                                              \
	"    templates: [ak]\n"                                                                    \
	"    names_per_device: 100\n"                                                              \
	"    untagged_aks: " untagged "\n"                                                         \
	"  - name: rest\n"                                                                         \
	"    hosts: [{suffix: example.test}]\n"                                                    \
	"    templates: [ak]\n"                                                                    \
	"    names_per_device: 100\n"

#define CLOUD_AK "0x81000003"

static struct world world;
static struct device device;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 1, .edge = true, .policy = RULES("true")}, &world);
	device_open(&device, world.chips[0].tcti);
	device_certify(&device, KEY_P256, &world.maker, NULL);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	device_close(&device);
	world_free(&world);
	return 0;
}

static int tidy(void **state)
{
	(void)state;
	device_flush(&device);
	return 0;
}

static void no_tag(TPMT_PUBLIC *area)
{
	area->authPolicy.size = 0;
}

static void tag_of_another(TPMT_PUBLIC *area)
{
	area->authPolicy.buffer[0] ^= 1;
}

static void tag_cut(TPMT_PUBLIC *area)
{
	area->authPolicy.size--;
}

static void no_tag_and_not_restricted(TPMT_PUBLIC *area)
{
	area->authPolicy.size = 0;
	area->objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
}

/* A dialogue whose AK differs from a right one in `alter`; `real`: the TPM has made it so. */
static void start(struct dialogue *x, const char *host, void (*alter)(TPMT_PUBLIC *), bool real)
{
	TPM2B_PUBLIC area;

	dialogue_init(x, &device, &world.services[0].peer, world.name, host);
	dialogue_keys(x, KEY_P256, AK_P256);
	public_area(buf_view(&x->ak_public), &area);
	alter(&area.publicArea);
	if (real) {
		device_key_free(&device, &x->ak);
		device_primary(&device, ESYS_TR_RH_ENDORSEMENT, &area, &x->ak);
		public_area(buf_view(&x->ak.public), &area);
	}
	buf_free(&x->ak_public);
	public_bytes(&area, &x->ak_public);
}

static void assert_refused(const struct dialogue *x, int status, const char *code)
{
	if (x->last.status != status || strcmp(x->problem.code, code) != 0)
		fail_msg("wanted %d %s, got %d %s: %s", status, code, x->last.status,
			x->problem.code, x->problem.detail);
}

static void without_a_rule_that_says_so_it_is_refused(void **state)
{
	static const char *const hosts[] = {"strict.cloud.example.test", "web.example.test",
		"cloud.example.test", "web.elsewhere.test"};

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		AUTO(dialogue_free) struct dialogue x;

		start(&x, hosts[i], no_tag, true);
		dialogue_claim(&x);
		dialogue_ticket(&x);
		assert_refused(&x, 422, "ak-not-for-this-service");
		assert_non_null(strstr(x.problem.detail, "untagged_aks"));
	}
	assert_int_equal(world_rows(&world, "host"), 0);
}

/* The rule lets the tag be missing, not be wrong, and nothing else of an AK. */
static void where_a_rule_says_so_all_else_has_still_to_be_right(void **state)
{
	static const struct {
		void (*alter)(TPMT_PUBLIC *area);
		const char *code;
	} rows[] = {
		{tag_of_another, "ak-not-for-this-service"},
		{tag_cut, "ak-not-for-this-service"},
		{no_tag_and_not_restricted, "ak-attributes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(dialogue_free) struct dialogue x;

		start(&x, "a.cloud.example.test", rows[i].alter, false);
		dialogue_claim(&x);
		dialogue_ticket(&x);
		assert_refused(&x, 422, rows[i].code);
	}
	assert_int_equal(world_rows(&world, "host"), 0);
}

/* The ticket was made while the rule said so; what counts is the policy of the enrollment. */
static void a_rule_that_has_changed_since_the_ticket_refuses_it(void **state)
{
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);
	AUTO(dialogue_free) struct dialogue x;

	(void)state;
	start(&x, "a.cloud.example.test", no_tag, true);
	dialogue_claim(&x);
	assert_int_equal(dialogue_ticket(&x), 200);
	assert_true(dialogue_activate(&x));
	dialogue_prove(&x);
	assert_int_equal(world_service_stop(&world, 0, SIGTERM), 0);
	write_file(path, 0644, view_str(RULES("false")));
	world_service_start(&world, 0);
	dialogue_enroll(&x);
	assert_refused(&x, 422, "ak-not-for-this-service");
	assert_int_equal(world_rows(&world, "host"), 0);
	assert_int_equal(world_service_stop(&world, 0, SIGTERM), 0);
	write_file(path, 0644, view_str(RULES("true")));
	world_service_start(&world, 0);
}

static void where_a_rule_says_so_it_is_taken_and_the_log_says_it(void **state)
{
	AUTO(dialogue_free) struct dialogue x;
	AUTO(mem_free) char *log = NULL;

	(void)state;
	start(&x, "a.cloud.example.test", no_tag, true);
	assert_int_equal(dialogue_run(&x), 200);
	log = world_log(&world, 0);
	const char *line = strstr(log, "enroll.issued");
	assert_non_null(line);
	AUTO(mem_free) char *issued = strndup(line, strcspn(line, "\n"));
	if (strstr(issued, "tag=none") == NULL)
		fail_msg("%s", issued);
	assert_non_null(strstr(issued, "rule=cloud"));
}

/* As a cloud's firmware leaves it: an AK that is persistent, and nothing else of it. */
static void make_cloud_ak(void)
{
	const char *tcti = world.chips[0].tcti;

	free(tpmtool_must(tcti, world.dir, "tpm2_createprimary", "-C", "e", "-G",
		"rsa2048:rsassa-sha256:null", "-g", "sha256", "-a",
		"fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign", "-c",
		"cloud.ctx", NULL));
	tpmtool_flush(tcti, world.dir);
	free(tpmtool_must(tcti, world.dir, "tpm2_evictcontrol", "-C", "o", "-c", "cloud.ctx",
		CLOUD_AK, NULL));
	tpmtool_flush(tcti, world.dir);
}

static void enroll(struct output *output, const char *host, const char *dir, const char *more)
{
	world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", world.chips[0].tcti, "--host", host, "--state", dir, "--timeout", "20",
		"--ek", "p256", more, more == NULL ? NULL : CLOUD_AK, NULL);
}

static void the_tool_enrolls_the_ak_at_a_handle_as_it_is(void **state)
{
	static const char *const told[] = {
		("rsa2048, persistent at " CLOUD_AK), "no service's tag", "ak.public"};
	AUTO(mem_free) char *dir = text("%s/cloud", world.dir);
	AUTO(mem_free) char *key = text("%s/ak.tss2.pem", dir);
	AUTO(output_free) struct output first, second, status;

	(void)state;
	make_cloud_ak();
	enroll(&first, "b.cloud.example.test", dir, "--ak-handle");
	if (first.code != 0)
		fail_msg("%s", buf_text(&first.err));
	for (size_t i = 0; i < COUNT(told); i++)
		assert_non_null(strstr(buf_text(&first.out), told[i]));
	assert_int_equal(access(key, F_OK), -1);
	/* From then on the handle is remembered. */
	enroll(&second, "b.cloud.example.test", dir, NULL);
	assert_non_null(strstr(buf_text(&second.out), "nothing to do"));
	world_run(&world, &status, "endorse", "status", "--state", dir, NULL);
	assert_int_equal(status.code, 0);
	assert_non_null(strstr(buf_text(&status.out), "rsa2048, persistent at " CLOUD_AK));
	free(tpmtool_must(world.chips[0].tcti, dir, "tpm2_quote", "-c", CLOUD_AK, "-l", "sha256:0",
		"-q", "ab", "-m", "m", "-s", "s", "-g", "sha256", NULL));
	free(tpmtool_must("none", dir, "openssl", "x509", "-in", "ak.pem", "-noout", "-pubkey",
		"-out", "ak.pub", NULL));
	free(tpmtool_must("none", dir, "tpm2_checkquote", "-u", "ak.pub", "-m", "m", "-s", "s",
		"-q", "ab", "-g", "sha256", NULL));
}

/* Its auth value is its owner's business: it is not asked for, and not tried twice. */
static void an_ak_with_a_password_is_not_used(void **state)
{
	const char *tcti = world.chips[0].tcti;
	AUTO(mem_free) char *dir = text("%s/password", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	free(tpmtool_must(tcti, world.dir, "tpm2_createprimary", "-C", "e", "-G",
		"ecc256:ecdsa-sha256:null", "-g", "sha256", "-p", "secret", "-a",
		"fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign", "-c",
		"password.ctx", NULL));
	tpmtool_flush(tcti, world.dir);
	free(tpmtool_must(tcti, world.dir, "tpm2_evictcontrol", "-C", "o", "-c", "password.ctx",
		"0x81000004", NULL));
	tpmtool_flush(tcti, world.dir);
	world_run(&world, &output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", tcti, "--host", "c.cloud.example.test", "--state", dir, "--ek", "p256",
		"--ak-handle", "0x81000004", NULL);
	assert_int_equal(output.code, 3);
	assert_non_null(strstr(buf_text(&output.err), "a password protects this key"));
}

static void the_tool_says_what_to_do_where_no_rule_takes_it(void **state)
{
	AUTO(mem_free) char *dir = text("%s/refused", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	enroll(&output, "web.example.test", dir, "--ak-handle");
	assert_int_equal(output.code, 5);
	assert_non_null(strstr(buf_text(&output.err), "ak-not-for-this-service"));
	assert_non_null(strstr(buf_text(&output.err), "rule with untagged_aks"));
	assert_non_null(strstr(buf_text(&output.err), "without --ak-handle"));
}

static int tests(void)
{
	struct CMUnitTest all[] = {
		cmocka_unit_test(without_a_rule_that_says_so_it_is_refused),
		cmocka_unit_test(where_a_rule_says_so_all_else_has_still_to_be_right),
		cmocka_unit_test(a_rule_that_has_changed_since_the_ticket_refuses_it),
		cmocka_unit_test(where_a_rule_says_so_it_is_taken_and_the_log_says_it),
		cmocka_unit_test(the_tool_enrolls_the_ak_at_a_handle_as_it_is),
		cmocka_unit_test(an_ak_with_a_password_is_not_used),
		cmocka_unit_test(the_tool_says_what_to_do_where_no_rule_takes_it),
	};

	for (size_t i = 0; i < COUNT(all); i++)
		all[i].setup_func = tidy;
	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
