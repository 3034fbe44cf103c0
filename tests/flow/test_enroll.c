/* test_enroll.c - the device tool, as somebody types it: through the edge, to a certificate on
 * disk. */
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/device.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/verified.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;

static int make(void **state)
{
	struct device device;

	(void)state;
	world_make(
		&(struct world_plan){
			.chips = 2, .services = 1, .edge = true, .policy = world_any_name},
		&world);
	device_open(&device, world.chips[0].tcti);
	device_certify(&device, KEY_P256, &world.maker, NULL);
	device_close(&device);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* One run of `endorse enroll`; `ek`, `ak` and `more` may be NULL. */
static void enroll(struct output *output, const char *tcti, const char *host, const char *dir,
	const char *ek, const char *ak, const char *more)
{
	world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", tcti, "--host", host, "--state", dir, "--timeout", "20", "--ek",
		ek == NULL ? "auto" : ek, "--ak", ak == NULL ? "p256" : ak, more, NULL);
}

static char *in(const char *dir, const char *name)
{
	return text("%s/%s", dir, name);
}

static void assert_verified(const char *dir)
{
	AUTO(mem_free) char *ak = in(dir, "ak.pem"), *chain = in(dir, "chain.pem");

	assert_true(is_verified(&world, ak, chain));
}

static void every_ek_with_every_ak_gets_a_certificate_that_openssl_and_gnutls_accept(void **state)
{
	static const char *const eks[] = {"rsa2048", "p256", "p384"};
	static const char *const aks[] = {"rsa2048", "rsa2048-pss", "p256", "p384"};

	(void)state;
	for (size_t i = 0; i < COUNT(eks); i++)
		for (size_t k = 0; k < COUNT(aks); k++) {
			AUTO(mem_free) char *host = text("%s-%s.example.test", eks[i], aks[k]);
			AUTO(mem_free) char *dir = text("%s/%s-%s", world.dir, eks[i], aks[k]);
			AUTO(output_free) struct output output;

			enroll(&output, world.chips[0].tcti, host, dir, eks[i], aks[k], NULL);
			if (output.code != 0)
				fail_msg("%s: %s", host, buf_text(&output.err));
			assert_verified(dir);
			assert_nothing_left(world.chips[0].tcti);
		}
}

static void assert_private(const char *dir, const char *name, mode_t mode)
{
	AUTO(mem_free) char *path = in(dir, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void a_person_is_told_what_was_proven_and_where_everything_is(void **state)
{
	AUTO(mem_free) char *dir = text("%s/told", world.dir);
	AUTO(output_free) struct output output;
	static const char *const told[] = {"told.example.test", "IBM", "operator-import", "demo",
		"MakeCredential", "ActivateCredential", "template ak", "/told/ak.pem"};

	(void)state;
	enroll(&output, world.chips[1].tcti, "told.example.test", dir, NULL, NULL, NULL);
	assert_int_equal(output.code, 0);
	for (size_t i = 0; i < COUNT(told); i++)
		if (strstr(buf_text(&output.out), told[i]) == NULL)
			fail_msg("no \"%s\" in:\n%s", told[i], buf_text(&output.out));
	assert_private(dir, "ak.tss2.pem", 0600);
	assert_private(dir, "ak.pem", 0644);
	assert_private(dir, ".", 0700);
}

static char *serial_of(const char *dir)
{
	AUTO(mem_free) char *ak = in(dir, "ak.pem");
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = (const char *const[]){"openssl", "x509", "-noout",
					      "-serial", "-in", ak, NULL}},
		&output);
	assert_int_equal(output.code, 0);
	return strdup(buf_text(&output.out));
}

static void a_good_certificate_is_left_alone_and_force_brings_the_recorded_one(void **state)
{
	AUTO(mem_free) char *dir = text("%s/again", world.dir);
	AUTO(output_free) struct output first, second, third;
	long rows;

	(void)state;
	enroll(&first, world.chips[1].tcti, "again.example.test", dir, NULL, NULL, NULL);
	assert_int_equal(first.code, 0);
	AUTO(mem_free) char *serial = serial_of(dir);
	rows = world_rows(&world, "ticket");
	enroll(&second, world.chips[1].tcti, "again.example.test", dir, NULL, NULL, NULL);
	assert_int_equal(second.code, 0);
	assert_int_equal(world_rows(&world, "ticket"), rows);
	/* Asked all the same, the service returns what it recorded for this very grant. */
	enroll(&third, world.chips[1].tcti, "again.example.test", dir, NULL, NULL, "--force");
	assert_int_equal(third.code, 0);
	assert_int_equal(world_rows(&world, "ticket"), rows + 1);
	AUTO(mem_free) char *serial_again = serial_of(dir);
	assert_string_equal(serial, serial_again);
}

static void status_says_what_is_held_and_fails_where_there_is_nothing(void **state)
{
	AUTO(mem_free) char *dir = text("%s/again", world.dir);
	AUTO(mem_free) char *nowhere = text("%s/nowhere", world.dir);
	AUTO(output_free) struct output json, nothing;

	(void)state;
	world_run(&world, &json, "endorse", "status", "--json", "--state", dir, NULL);
	assert_int_equal(json.code, 0);
	assert_non_null(strstr(buf_text(&json.out), "\"host\": \"again.example.test\""));
	assert_non_null(strstr(buf_text(&json.out), "\"state\": \"good\""));
	world_run(&world, &nothing, "endorse", "status", "--state", nowhere, NULL);
	assert_int_equal(nothing.code, 7);
}

static void a_refusal_names_the_reason_and_what_to_do(void **state)
{
	AUTO(mem_free) char *dir = text("%s/refused", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	enroll(&output, world.chips[1].tcti, "host.elsewhere.org", dir, NULL, NULL, NULL);
	assert_int_equal(output.code, 5);
	assert_non_null(strstr(buf_text(&output.err), "name-not-allowed"));
	assert_non_null(strstr(buf_text(&output.err), "host.elsewhere.org"));
	assert_non_null(strstr(buf_text(&output.err), "policy.yaml"));
}

static void enroll_pinned(struct output *output, const char *digest, const char *dir)
{
	world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca-sha256",
		digest, "--tcti", world.chips[1].tcti, "--host", "pinned.example.test", "--state",
		dir, "--timeout", "0", NULL);
}

static void the_digest_of_the_root_is_as_good_as_its_file(void **state)
{
	AUTO(mem_free) char *dir = text("%s/pinned", world.dir);
	AUTO(output_free) struct output digest, output;

	(void)state;
	process_run(&(struct program){.argv = (const char *const[]){"sh", "-c",
					      "openssl x509 -in \"$0\" -outform der | sha256sum | "
					      "cut -c1-64 | tr -d '\\n'",
					      world.roots, NULL}},
		&digest);
	enroll_pinned(&output, buf_text(&digest.out), dir);
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
	assert_verified(dir);
}

static void a_digest_that_no_sent_certificate_has_is_not_trusted_and_nothing_is_kept(void **state)
{
	AUTO(mem_free) char *dir = text("%s/mispinned", world.dir), *ak = in(dir, "ak.pem");
	AUTO(output_free) struct output output;

	(void)state;
	enroll_pinned(
		&output, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", dir);
	assert_int_equal(output.code, 6);
	assert_int_equal(access(ak, F_OK), -1);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(
			every_ek_with_every_ak_gets_a_certificate_that_openssl_and_gnutls_accept),
		cmocka_unit_test(a_person_is_told_what_was_proven_and_where_everything_is),
		cmocka_unit_test(
			a_good_certificate_is_left_alone_and_force_brings_the_recorded_one),
		cmocka_unit_test(status_says_what_is_held_and_fails_where_there_is_nothing),
		cmocka_unit_test(a_refusal_names_the_reason_and_what_to_do),
		cmocka_unit_test(the_digest_of_the_root_is_as_good_as_its_file),
		cmocka_unit_test(
			a_digest_that_no_sent_certificate_has_is_not_trusted_and_nothing_is_kept),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
