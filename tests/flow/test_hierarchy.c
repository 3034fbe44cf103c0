/* test_hierarchy.c - AKs below each parent, as key files and at handles, in the hands of the tools that others use. */
#include "ca/base/file.h"
#include "enroll/agent/tss2key.h"
#include "tests/flow/cluster.h"
#include "tests/flow/device.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world world;
static const char *tcti;

static int make(void **state)
{
	struct device device;

	(void)state;
	world_make(
		&(struct world_plan){
			.chips = 1, .services = 1, .edge = true, .policy = world_any_name},
		&world);
	tcti = world.chips[0].tcti;
	device_open(&device, tcti);
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

static char *in(const char *dir, const char *name)
{
	return text("%s/%s", dir, name);
}

/* A state directory that has the name of the host. */
static char *new_dir(const char *host)
{
	char *dir = text("%s/%s", world.dir, host);

	must(mkdir(dir, 0700) == 0, "%s", dir);
	return dir;
}

/* `endorse enroll` with options up to NULL; the host is the directory's name. */
#define ENROLL(output, dir, ...)                                                                   \
	world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca",             \
		world.roots, "--tcti", tcti, "--host", strrchr(dir, '/') + 1, "--state", dir,      \
		"--timeout", "20", __VA_ARGS__, NULL)
#define ENROLLED(dir, ...)                                                                         \
	do {                                                                                       \
		AUTO(output_free) struct output enrolled_;                                         \
                                                                                                   \
		ENROLL(&enrolled_, dir, __VA_ARGS__);                                              \
		if (enrolled_.code != 0)                                                           \
			fail_msg("%s: %s", dir, buf_text(&enrolled_.err));                         \
	} while (0)

static char *certified_key(const char *dir)
{
	return tpmtool_must(
		tcti, dir, "openssl", "x509", "-in", "ak.pem", "-noout", "-pubkey", NULL);
}

/* openssl, with the key in the TPM through tpm2-openssl. */
static void openssl_key(struct output *output, const char *dir, const char *key)
{
	tpmtool(output, tcti, dir, "openssl", "pkey", "-provider", "tpm2", "-provider", "default",
		"-in", key, "-pubout", NULL);
}

/* tpm2-openssl loads the key into the TPM as it reads the file: that it does is the proof. */
static void assert_openssl_loads(const char *dir, const char *key)
{
	AUTO(mem_free) char *certified = certified_key(dir);
	AUTO(output_free) struct output output;

	openssl_key(&output, dir, key);
	if (output.code != 0)
		fail_msg("%s in %s: %s", key, dir, buf_text(&output.err));
	assert_string_equal(certified, buf_text(&output.out));
}

/* A quote by the AK in `ak` (a context or a handle), verified with the certificate's key. */
static void assert_quotes_by(const char *dir, const char *ak, const char *hash)
{
	AUTO(mem_free) char *certified = certified_key(dir);
	AUTO(mem_free) char *pem = in(dir, "certified.pub");

	write_file(pem, 0644, view_str(certified));
	tpmtool_flush(tcti, dir);
	free(tpmtool_must(tcti, dir, "tpm2_quote", "-c", ak, "-l", "sha256:0,1", "-q", "abcd", "-m",
		"quote.msg", "-s", "quote.sig", "-g", hash, NULL));
	free(tpmtool_must(tcti, dir, "tpm2_checkquote", "-u", "certified.pub", "-m", "quote.msg",
		"-s", "quote.sig", "-q", "abcd", "-g", hash, NULL));
	tpmtool_flush(tcti, dir);
}

static void assert_quotes(const char *dir, const char *ak)
{
	assert_quotes_by(dir, ak, "sha256");
}

/* Does the quote's clock say what the TPM's own does? */
static bool has_clear_clock(const char *dir)
{
	AUTO(mem_free)
	char *quote = tpmtool_must(tcti, dir, "tpm2_print", "-t", "TPMS_ATTEST", "quote.msg", NULL);
	AUTO(mem_free) char *clock = tpmtool_must(tcti, dir, "tpm2_readclock", NULL);
	AUTO(mem_free) char *told = line_value(quote, "resetCount:");
	AUTO(mem_free) char *own = line_value(clock, "reset_count:");

	return strcmp(told, own) == 0;
}

/* As tpm2-tools take it whole: below the owner's primary, or a persistent key without policy. */
static void load_file(const char *dir)
{
	tpmtool_flush(tcti, dir);
	free(tpmtool_must(tcti, dir, "tpm2_load", "-r", "ak.tss2.pem", "-c", "ak.ctx", NULL));
}

/* The two parts of a key file, as all of tpm2-tools take them: ak.pub and ak.priv. */
static void take_apart(const char *dir)
{
	AUTO(mem_free) char *file = in(dir, "ak.tss2.pem"), *pub = in(dir, "ak.pub");
	AUTO(mem_free) char *priv = in(dir, "ak.priv");
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX), public = BUF(2048), private = BUF(2048);
	struct tss2key key = {.public = &public, .private = &private};

	assert_int_equal(file_read(file, &pem), OK);
	assert_int_equal(tss2key_parse(buf_view(&pem), &key), OK);
	write_file(pub, 0644, buf_view(&public));
	write_file(priv, 0600, buf_view(&private));
}

static void load_below_endorsement(const char *dir)
{
	take_apart(dir);
	tpmtool_flush(tcti, dir);
	free(tpmtool_must(tcti, dir, "tpm2_createprimary", "-C", "e", "-G", "ecc256:null:aes128cfb",
		"-g", "sha256", "-a",
		"fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt",
		"-c", "parent.ctx", NULL));
	tpmtool_flush(tcti, dir);
	free(tpmtool_must(tcti, dir, "tpm2_load", "-C", "parent.ctx", "-u", "ak.pub", "-r",
		"ak.priv", "-c", "ak.ctx", NULL));
}

static void load_below_ek(const char *dir)
{
	take_apart(dir);
	tpmtool_flush(tcti, dir);
	free(tpmtool_must(
		tcti, dir, "tpm2_startauthsession", "--policy-session", "-S", "s.ctx", NULL));
	free(tpmtool_must(tcti, dir, "tpm2_policysecret", "-S", "s.ctx", "-c", "e", NULL));
	free(tpmtool_must(tcti, dir, "tpm2_load", "-C", "0x81010001", "-P", "session:s.ctx", "-u",
		"ak.pub", "-r", "ak.priv", "-c", "ak.ctx", NULL));
	free(tpmtool_must(tcti, dir, "tpm2_flushcontext", "s.ctx", NULL));
}

static void below_the_owners_primary_other_tools_load_it_and_the_clock_is_blurred(void **state)
{
	AUTO(mem_free) char *dir = new_dir("owner.example.test");

	(void)state;
	ENROLLED(dir, "--hierarchy", "owner");
	assert_openssl_loads(dir, "ak.tss2.pem");
	load_file(dir);
	assert_quotes(dir, "ak.ctx");
	assert_false(has_clear_clock(dir));
}

/* What is not the TPM's own is hashed in the TPM, which then lets a restricted key sign it. */
static void openssl_signs_with_it(void **state)
{
	AUTO(mem_free) char *dir = text("%s/owner.example.test", world.dir);

	(void)state;
	AUTO(mem_free) char *file = in(dir, "file");
	write_file(file, 0644, view_str("signed by a machine"));
	free(tpmtool_must(tcti, dir, "openssl", "dgst", "-provider", "tpm2", "-provider", "default",
		"-propquery", "?provider=tpm2", "-sha256", "-sign", "ak.tss2.pem", "-out",
		"file.sig", "file", NULL));
	free(tpmtool_must(tcti, dir, "openssl", "dgst", "-sha256", "-verify", "certified.pub",
		"-signature", "file.sig", "file", NULL));
}

static void below_the_endorsement_primary_the_clock_is_clear(void **state)
{
	AUTO(mem_free) char *dir = new_dir("endorsement.example.test");
	AUTO(output_free) struct output output;

	(void)state;
	ENROLLED(dir, "--hierarchy", "endorsement", "--ak-handle", "0x81010a01");
	/* tpm2-openssl of Debian 12 takes TPM_RH_OWNER or a persistent key as the parent. */
	openssl_key(&output, dir, "ak.tss2.pem");
	assert_int_not_equal(output.code, 0);
	assert_openssl_loads(dir, "handle:0x81010a01");
	load_below_endorsement(dir);
	assert_quotes(dir, "ak.ctx");
	assert_true(has_clear_clock(dir));
}

static void below_the_ek_the_clock_is_clear_and_a_policy_session_loads_it(void **state)
{
	AUTO(mem_free) char *dir = new_dir("ek.example.test");
	AUTO(output_free) struct output output;

	(void)state;
	ENROLLED(dir, "--hierarchy", "ek", "--ek", "rsa2048");
	/* tpm2-openssl has no policy session for a parent. */
	openssl_key(&output, dir, "ak.tss2.pem");
	assert_int_not_equal(output.code, 0);
	load_below_ek(dir);
	assert_quotes(dir, "ak.ctx");
	assert_true(has_clear_clock(dir));
}

/* H-3 wants no policy session, so tpm2-openssl gets along with it; L-2 is persistent nowhere here. */
static void every_ek_can_be_the_parent(void **state)
{
	AUTO(mem_free) char *p384 = new_dir("ek-p384.example.test");
	AUTO(mem_free) char *p256 = new_dir("ek-p256.example.test");

	(void)state;
	ENROLLED(p384, "--hierarchy", "ek", "--ek", "p384", "--ak", "p384");
	assert_openssl_loads(p384, "ak.tss2.pem");
	load_file(p384);
	assert_quotes_by(p384, "ak.ctx", "sha384");
	ENROLLED(p256, "--hierarchy", "ek", "--ek", "p256", "--ak", "rsa2048-pss");
	ENROLLED(p256, "--hierarchy", "ek", "--ek", "p256", "--force");
}

static void status_tells_kind_and_place(void **state)
{
	static const char *const wanted[] = {"\"ak_kind\": \"rsa2048-pss\"",
		"\"ak_hierarchy\": \"ek\"", "\"ak_handle\": null", "\"state\": \"good\""};
	AUTO(mem_free) char *dir = text("%s/ek-p256.example.test", world.dir);
	AUTO(output_free) struct output json, words;

	(void)state;
	world_run(&world, &json, "endorse", "status", "--json", "--state", dir, NULL);
	for (size_t i = 0; i < COUNT(wanted); i++)
		if (strstr(buf_text(&json.out), wanted[i]) == NULL)
			fail_msg("no %s in %s", wanted[i], buf_text(&json.out));
	world_run(&world, &words, "endorse", "status", "--state", dir, NULL);
	assert_non_null(strstr(buf_text(&words.out), "rsa2048-pss, hierarchy ek"));
}

static void a_handle_holds_the_new_ak_and_the_key_file_holds_it_too(void **state)
{
	AUTO(mem_free) char *dir = new_dir("handle.example.test");
	AUTO(output_free) struct output again, words;
	long rows;

	(void)state;
	ENROLLED(dir, "--ak-handle", "0x81010a02");
	assert_quotes(dir, "0x81010a02");
	assert_openssl_loads(dir, "handle:0x81010a02");
	assert_openssl_loads(dir, "ak.tss2.pem");
	rows = world_rows(&world, "ticket");
	ENROLL(&again, dir, "--ak-handle", "0x81010a02");
	assert_int_equal(again.code, 0);
	assert_non_null(strstr(buf_text(&again.out), "nothing to do"));
	assert_int_equal(world_rows(&world, "ticket"), rows);
	world_run(&world, &words, "endorse", "status", "--state", dir, NULL);
	assert_non_null(strstr(buf_text(&words.out), "hierarchy owner, persistent at 0x81010a02"));
}

/* The state directory is lost: the AK at the handle still has this service's tag. */
static void an_ak_of_ours_is_found_at_its_handle_without_any_file(void **state)
{
	AUTO(mem_free) char *before = text("%s/handle.example.test", world.dir);
	AUTO(mem_free) char *dir = new_dir("found.example.test");
	AUTO(mem_free) char *old = certified_key(before);
	AUTO(mem_free) char *key = in(dir, "ak.tss2.pem");

	(void)state;
	ENROLLED(dir, "--ak-handle", "0x81010a02");
	AUTO(mem_free) char *new = certified_key(dir);
	assert_string_equal(old, new);
	assert_int_equal(access(key, F_OK), -1);
	/* Without the option the handle is remembered. */
	ENROLLED(dir, "--force");
	AUTO(mem_free) char *third = certified_key(dir);
	assert_string_equal(old, third);
}

/* Whose key it is and what for: nothing at a handle is evicted or replaced. */
static void a_handle_with_another_key_is_left_alone(void **state)
{
	AUTO(mem_free) char *dir = new_dir("taken.example.test");
	AUTO(mem_free)
	char *before = tpmtool_must(tcti, dir, "tpm2_readpublic", "-c", "0x81010001", NULL);
	AUTO(output_free) struct output output;

	(void)state;
	ENROLL(&output, dir, "--ak-handle", "0x81010001");
	assert_int_equal(output.code, 3);
	assert_non_null(strstr(buf_text(&output.err), "0x81010001"));
	assert_non_null(strstr(buf_text(&output.err), "endorse evicts no key"));
	assert_non_null(strstr(buf_text(&output.err), tcti));
	AUTO(mem_free)
	char *after = tpmtool_must(tcti, dir, "tpm2_readpublic", "-c", "0x81010001", NULL);
	assert_string_equal(before, after);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM host WHERE name = 'taken.example.test'"),
		0);
}

static void an_ak_at_a_handle_that_is_not_of_the_kind_asked_for_is_left_alone(void **state)
{
	AUTO(mem_free) char *dir = new_dir("kind.example.test");
	AUTO(output_free) struct output kind, place;

	(void)state;
	ENROLL(&kind, dir, "--ak-handle", "0x81010a02", "--ak", "rsa2048");
	assert_int_equal(kind.code, 3);
	assert_non_null(strstr(buf_text(&kind.err), "another kind"));
	ENROLL(&place, dir, "--ak-handle", "0x81010a02", "--hierarchy", "ek");
	assert_int_equal(place.code, 3);
	assert_non_null(strstr(buf_text(&place.err), "hierarchy that was asked for"));
}

static void another_hierarchy_makes_another_ak(void **state)
{
	AUTO(mem_free) char *dir = new_dir("moved.example.test");
	AUTO(output_free) struct output output;

	(void)state;
	ENROLLED(dir, "--ak", "p256");
	AUTO(mem_free) char *old = certified_key(dir);
	ENROLL(&output, dir, "--hierarchy", "endorsement");
	assert_int_equal(output.code, 0);
	assert_non_null(strstr(buf_text(&output.err), "another hierarchy was asked for"));
	AUTO(mem_free) char *new = certified_key(dir);
	assert_string_not_equal(old, new);
}

/* Last, for no key of the TPM survives it, in whatever hierarchy. */
static void after_a_clear_the_tpm_is_asked_before_nothing_is_to_do(void **state)
{
	static const char *const hosts[] = {"owner", "moved", "ek-p256", "handle"};

	(void)state;
	free(tpmtool_must(tcti, world.dir, "tpm2_clear", "-c", "p", NULL));
	for (size_t i = 0; i < COUNT(hosts); i++) {
		AUTO(mem_free) char *dir = text("%s/%s.example.test", world.dir, hosts[i]);
		AUTO(mem_free) char *old = certified_key(dir);
		AUTO(output_free) struct output first, second;

		ENROLL(&first, dir, "--ek", "auto");
		assert_int_equal(first.code, 0);
		assert_non_null(strstr(buf_text(&first.err), "does not have the AK any more"));
		assert_non_null(strstr(buf_text(&first.out), "Enrolled"));
		AUTO(mem_free) char *new = certified_key(dir);
		assert_string_not_equal(old, new);
		ENROLL(&second, dir, "--ek", "auto");
		assert_non_null(strstr(buf_text(&second.out), "nothing to do"));
	}
	/* What was persistent is so again, and each key is where it was. */
	AUTO(mem_free) char *handle = text("%s/handle.example.test", world.dir);
	AUTO(mem_free) char *moved = text("%s/moved.example.test", world.dir);
	AUTO(output_free) struct output status;
	assert_quotes(handle, "0x81010a02");
	world_run(&world, &status, "endorse", "status", "--state", moved, NULL);
	assert_non_null(strstr(buf_text(&status.out), "hierarchy endorsement"));
	status_tells_kind_and_place(state);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(
			below_the_owners_primary_other_tools_load_it_and_the_clock_is_blurred),
		cmocka_unit_test(openssl_signs_with_it),
		cmocka_unit_test(below_the_endorsement_primary_the_clock_is_clear),
		cmocka_unit_test(below_the_ek_the_clock_is_clear_and_a_policy_session_loads_it),
		cmocka_unit_test(every_ek_can_be_the_parent),
		cmocka_unit_test(status_tells_kind_and_place),
		cmocka_unit_test(a_handle_holds_the_new_ak_and_the_key_file_holds_it_too),
		cmocka_unit_test(an_ak_of_ours_is_found_at_its_handle_without_any_file),
		cmocka_unit_test(a_handle_with_another_key_is_left_alone),
		cmocka_unit_test(an_ak_at_a_handle_that_is_not_of_the_kind_asked_for_is_left_alone),
		cmocka_unit_test(another_hierarchy_makes_another_ak),
		cmocka_unit_test(after_a_clear_the_tpm_is_asked_before_nothing_is_to_do),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
