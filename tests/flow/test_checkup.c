/* test_checkup.c - `endorse doctor`: all is well, and what is wrong with a TPM or its EK is named. */
#include "ca/base/clock.h"
#include "enroll/proto/limits.h"
#include "tests/flow/checkup.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct checkup checkup;

static int make(void **unused)
{
	(void)unused;
	checkup_make(&checkup);
	return 0;
}

static int unmake(void **unused)
{
	(void)unused;
	checkup_free(&checkup);
	return 0;
}

static void all_is_well_and_each_look_says_so(void **unused)
{
	static const char *const looks[] = {
		"tpm", "ek", "ak", "clock", "name", "state", "network", "tls", "service", "policy"};
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL}, &output);
	for (size_t i = 0; i < COUNT(looks); i++) {
		AUTO(mem_free) char *start = text("ok   %s ", looks[i]);

		assert_says(&output, start, "");
	}
	assert_says(&output, "ok   tpm", "it is software");
	assert_says(&output, "ok   ek", "0x01c00016");
	assert_says(&output, "ok   ek", "0x01c0000a");
	assert_says(&output, "ok   tls", "an Endorse service answers");
	assert_says(&output, "ok   clock", "as the service's");
	assert_says(&output, "ok   policy", "operator-import (roots: demo), and new");
	assert_says(&output, "Nothing is wrong", "");
	assert_string_equal("", buf_text(&output.err));
	assert_int_equal(output.code, 0);
	assert_nothing_left(checkup.world.chips[WELL].tcti);
	assert_int_equal(access(checkup.state, F_OK), -1);
}

static void findings_are_one_json_array(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL, .more = {"--json"}}, &output);
	assert_int_equal(output.code, 0);
	assert_int_equal(0, strncmp(buf_text(&output.out), "[{", 2));
	assert_string_equal("}\n]\n", buf_text(&output.out) + output.out.n - 4);
	assert_non_null(strstr(buf_text(&output.out),
		"\"area\": \"policy\",\n  \"level\": \"ok\",\n  \"text\": "));
}

static void without_a_service_only_the_machine_is_looked_at(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	world_run(&checkup.world, &output, "endorse", "doctor", "--state", checkup.state, "--tcti",
		checkup.world.chips[WELL].tcti, "--host", CHECKUP_HOST, NULL);
	assert_int_equal(output.code, 0);
	assert_says(&output, "ok   ek", "the TPM has the certificate's key");
	assert_says(&output, "-    network", "Give --server");
	assert_says(&output, "-    policy", "not looked at");
}

static void a_wrong_option_is_a_matter_of_usage(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL, .more = {"--ca-sha256", "00"}}, &output);
	assert_int_equal(output.code, 2);
}

/* --- the TPM --- */

static void a_tpm_that_is_not_there_is_named_and_the_rest_is_looked_at(void **unused)
{
	AUTO(mem_free) char *tcti = text("swtpm:path=%s/no-tpm", checkup.world.dir);
	AUTO(output_free) struct output output;

	(void)unused;
	assert_wrong(&checkup, &(struct run){.tcti = tcti}, "FAIL tpm", "be reached");
	checkup_run(&checkup, &(struct run){.tcti = tcti}, &output);
	assert_says(&output, "-    ek", "there is no TPM");
	assert_says(&output, "ok   tls", "Endorse");
	assert_says(&output, "-    service", "no EK");
}

static void a_full_tpm_has_no_room(void **unused)
{
	struct device_key keys[3];
	AUTO(output_free) struct output output;
	struct device device;

	(void)unused;
	device_open(&device, checkup.world.chips[ILL].tcti);
	for (size_t i = 0; i < COUNT(keys); i++) {
		device_ek(&device, KEY_P256, &keys[i]);
		buf_free(&keys[i].public);
	}
	device_close(&device);
	checkup_run(&checkup, &(struct run){.chip = ILL}, &output);
	device_open(&device, checkup.world.chips[ILL].tcti);
	device_flush(&device);
	device_close(&device);
	assert_int_equal(output.code, 1);
	assert_says(&output, "FAIL tpm", "room for 0 more keys");
	assert_says(&output, "FAIL ek", "fill the TPM");
	assert_says(&output, "FAIL ak", "no AK for an enrollment");
}

static void a_tpm_full_of_sessions_has_no_room(void **unused)
{
	static const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
	const char *tcti = checkup.world.chips[ILL].tcti;
	AUTO(output_free) struct output output;
	struct device device;
	ESYS_TR session;

	(void)unused;
	device_open(&device, tcti);
	for (int i = 0; i < 3; i++)
		must(Esys_StartAuthSession(device.esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			     ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_HMAC, &none, TPM2_ALG_SHA256,
			     &session) == TSS2_RC_SUCCESS,
			"TPM2_StartAuthSession");
	device_close(&device);
	checkup_run(&checkup, &(struct run){.chip = ILL}, &output);
	MUST_RUN("tpm2_flushcontext", "-T", tcti, "-l");
	assert_int_equal(output.code, 1);
	assert_says(&output, "FAIL tpm", "room for 0 more sessions");
}

static void a_disabled_hierarchy_is_named(void **unused)
{
	struct chip *chip = &checkup.world.chips[ILL];
	AUTO(output_free) struct output owner, endorsement;

	(void)unused;
	MUST_RUN("tpm2_hierarchycontrol", "-T", chip->tcti, "-C", "p", "shEnable", "clear");
	checkup_run(&checkup, &(struct run){.chip = ILL}, &owner);
	chip_stop(chip);
	chip_start(chip);
	MUST_RUN("tpm2_hierarchycontrol", "-T", chip->tcti, "-C", "p", "ehEnable", "clear");
	checkup_run(&checkup, &(struct run){.chip = ILL, .more = {"--ek", "p384"}}, &endorsement);
	chip_stop(chip);
	chip_start(chip);
	assert_says(&owner, "FAIL tpm", "the owner hierarchy is disabled");
	assert_says(&owner, "FAIL ak", "no AK for an enrollment");
	assert_says(&endorsement, "FAIL tpm", "the endorsement hierarchy is disabled");
	assert_says(&endorsement, "FAIL ek", "");
}

/* One wrong password for a key that minds it is enough; every TPM tool flushes what it loads. */
static void lock_out(const char *tcti)
{
	AUTO(mem_free) char *key = text("%s/key.ctx", checkup.world.dir);
	AUTO(output_free) struct output output;

	MUST_RUN("tpm2_dictionarylockout", "-T", tcti, "-s", "-n", "1", "-t", "1000", "-l", "1000");
	MUST_RUN("tpm2_createprimary", "-T", tcti, "-C", "o", "-p", "secret", "-c", key);
	process_run(&(struct program){.argv = (const char *const[]){"tpm2_create", "-T", tcti, "-C",
					      key, "-P", "wrong", "-u", "/dev/null", "-r",
					      "/dev/null", NULL}},
		&output);
	assert_int_not_equal(output.code, 0);
	MUST_RUN("tpm2_flushcontext", "-T", tcti, "-t");
}

static void a_tpm_in_lockout_is_named_with_what_comes_of_it(void **unused)
{
	const char *tcti = checkup.world.chips[ILL].tcti;
	AUTO(output_free) struct output output;

	(void)unused;
	lock_out(tcti);
	checkup_run(&checkup, &(struct run){.chip = ILL, .more = {"--ek", "p384"}}, &output);
	MUST_RUN("tpm2_dictionarylockout", "-T", tcti, "-c");
	assert_says(&output, "warn tpm", "in lockout");
	assert_says(&output, "FAIL service", "locked out");
	assert_nothing_left(tcti);
}

static void passwords_of_hierarchies_are_seen(void **unused)
{
	const char *tcti = checkup.world.chips[ILL].tcti;
	AUTO(mem_free) char *file = text("%s/owner.auth", checkup.world.dir);
	AUTO(output_free) struct output owner, given, endorsement;

	(void)unused;
	write_file(file, 0600, view_str("secret\n"));
	MUST_RUN("tpm2_changeauth", "-T", tcti, "-c", "owner", "secret");
	checkup_run(&checkup, &(struct run){.chip = ILL}, &owner);
	checkup_run(&checkup, &(struct run){.chip = ILL, .more = {"--owner-auth", file}}, &given);
	MUST_RUN("tpm2_changeauth", "-T", tcti, "-c", "owner", "-p", "secret");
	MUST_RUN("tpm2_changeauth", "-T", tcti, "-c", "endorsement", "secret");
	checkup_run(&checkup, &(struct run){.chip = ILL}, &endorsement);
	MUST_RUN("tpm2_changeauth", "-T", tcti, "-c", "endorsement", "-p", "secret");
	assert_says(&owner, "warn tpm", "the owner hierarchy has a password");
	assert_says(&owner, "FAIL ak", "password");
	assert_says(&given, "ok   tpm", "is given for it");
	assert_int_equal(given.code, 0);
	assert_says(&endorsement, "warn tpm", "the endorsement hierarchy has a password");
	assert_says(&endorsement, "FAIL service", "password");
}

/* --- its EK --- */

static void an_ek_certificate_that_ended_is_named(void **unused)
{
	(void)unused;
	certify_ill(
		&checkup, &checkup.world.maker, &(struct ek_wish){.not_after = clock_now() - 60});
	assert_wrong(&checkup, &(struct run){.chip = ILL, .more = {"--ek", "p256"}}, "FAIL ek",
		"ek-expired");
}

static void an_ek_certificate_of_an_unknown_manufacturer_is_refused_by_the_service(void **unused)
{
	AUTO(mem_free) char *dir = text("%s/stranger", checkup.world.dir);
	struct maker stranger;

	(void)unused;
	maker_init(&stranger, dir, "Stranger");
	certify_ill(&checkup, &stranger, NULL);
	maker_free(&stranger);
	assert_wrong(&checkup, &(struct run){.chip = ILL, .more = {"--ek", "p256"}}, "FAIL service",
		"refused (ek-untrusted)");
}

static void a_certificate_for_another_tpms_ek_is_seen(void **unused)
{
	const uint32_t index = ek_template_of(KEY_P256)->nv_certificate;
	AUTO(buf_free) struct buf other = BUF(LIMIT_EK_CERTIFICATE);
	struct device device;

	(void)unused;
	device_open(&device, checkup.world.chips[WELL].tcti);
	assert_true(device_nv_read(&device, index, &other));
	device_close(&device);
	device_open(&device, checkup.world.chips[ILL].tcti);
	device_nv_write(&device, index, buf_view(&other));
	device_close(&device);
	assert_wrong(&checkup, &(struct run){.chip = ILL, .more = {"--ek", "p256"}}, "FAIL ek",
		"is not the one in its certificate");
}

static void a_certificate_that_cannot_be_read_is_told_and_passed_over(void **unused)
{
	AUTO(output_free) struct output output;
	struct device device;

	(void)unused;
	device_open(&device, checkup.world.chips[ILL].tcti);
	device_nv_write(&device, ek_template_of(KEY_P256)->nv_certificate, view_str("nothing"));
	device_close(&device);
	checkup_run(&checkup, &(struct run){.chip = ILL}, &output);
	assert_says(&output, "warn ek", "the p256 EK's certificate is of no use");
	assert_int_equal(output.code, 0);
}

static void a_tpm_without_an_ek_certificate_has_nothing_to_go_by(void **unused)
{
	static const char *const made[] = {"0x01c00002", "0x01c0000a", "0x01c00016"};
	const char *tcti = checkup.world.chips[ILL].tcti;
	AUTO(output_free) struct output output;

	(void)unused;
	for (size_t i = 0; i < COUNT(made); i++)
		MUST_RUN("tpm2_nvundefine", "-T", tcti, "-C", "p", made[i]);
	checkup_run(&checkup, &(struct run){.chip = ILL}, &output);
	assert_says(&output, "warn ek", "there is no EK certificate in NV");
	assert_wrong(
		&checkup, &(struct run){.chip = ILL}, "FAIL service", "ek-certificate-missing");
	assert_nothing_left(tcti);
}

/* Also where nothing was ever enrolled, so that there is no state directory yet. */
static void a_handle_with_a_key_that_is_no_ak_is_named(void **unused)
{
	(void)unused;
	assert_wrong(&checkup, &(struct run){.chip = WELL, .more = {"--ak-handle", "0x81010001"}},
		"FAIL ak", "the key at 0x81010001 cannot be used");
}

/* Of all the runs before. */
static void nothing_was_left_anywhere(void **unused)
{
	static const char *const tables[] = {"device", "host", "ek", "ak", "certificate", "ticket"};

	(void)unused;
	for (size_t i = 0; i < COUNT(tables); i++)
		if (world_rows(&checkup.world, tables[i]) != 0)
			fail_msg("a row in \"%s\"", tables[i]);
	for (size_t i = 0; i < checkup.world.chips_n; i++)
		assert_nothing_left(checkup.world.chips[i].tcti);
	assert_int_equal(access(checkup.state, F_OK), -1);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(all_is_well_and_each_look_says_so),
		cmocka_unit_test(findings_are_one_json_array),
		cmocka_unit_test(without_a_service_only_the_machine_is_looked_at),
		cmocka_unit_test(a_wrong_option_is_a_matter_of_usage),
		cmocka_unit_test(a_tpm_that_is_not_there_is_named_and_the_rest_is_looked_at),
		cmocka_unit_test(a_full_tpm_has_no_room),
		cmocka_unit_test(a_tpm_full_of_sessions_has_no_room),
		cmocka_unit_test(a_disabled_hierarchy_is_named),
		cmocka_unit_test(a_tpm_in_lockout_is_named_with_what_comes_of_it),
		cmocka_unit_test(passwords_of_hierarchies_are_seen),
		cmocka_unit_test(an_ek_certificate_that_ended_is_named),
		cmocka_unit_test(
			an_ek_certificate_of_an_unknown_manufacturer_is_refused_by_the_service),
		cmocka_unit_test(a_certificate_for_another_tpms_ek_is_seen),
		cmocka_unit_test(a_certificate_that_cannot_be_read_is_told_and_passed_over),
		cmocka_unit_test(a_tpm_without_an_ek_certificate_has_nothing_to_go_by),
		cmocka_unit_test(a_handle_with_a_key_that_is_no_ak_is_named),
		cmocka_unit_test(nothing_was_left_anywhere),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
