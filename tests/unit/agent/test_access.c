#include "enroll/agent/access.h"

#include "ca/base/file.h"
#include "maker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CREDENTIAL "endorse.owner-auth"

static char *dir;

static int setup(void **state)
{
	(void)state;
	access_credentials_in(NULL);
	dir = made_directory();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	access_credentials_in(NULL);
	directory_remove(dir);
	free(dir);
	return 0;
}

/* What is read from a file with this text. */
static enum err read_text(const char *text, struct tpm_auth *auth)
{
	AUTO(mem_free) char *path = path_join(dir, "auth");

	file_put(dir, "auth", text);
	return auth_read(path, CREDENTIAL, auth);
}

static void assert_value(const struct tpm_auth *auth, const char *wanted)
{
	assert_int_equal(strlen(wanted), auth->value.size);
	assert_memory_equal(wanted, auth->value.buffer, auth->value.size);
}

static void a_value_is_read_in_its_three_forms(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{"secret", "secret"},
		{"secret\n", "secret"},
		{"secret\n\n", "secret\n"},
		{"hex:736563\n", "sec"},
		{"hex:4A4b", "JK"},
		{"str:hex:73\n", "hex:73"},
		{"Hex:73", "Hex:73"},
		{"1234567890123456789012345678901234567890123456789012345678901234",
			"1234567890123456789012345678901234567890123456789012345678901234"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(auth_wipe) struct tpm_auth auth;

		assert_int_equal(OK, read_text(rows[i].text, &auth));
		assert_value(&auth, rows[i].value);
		assert_non_null(strstr(auth.source, "/auth"));
	}
}

/* The sentence must not tell what is in the file. */
static void what_is_no_value_is_refused_and_not_told(void **state)
{
	static const char *const texts[] = {"", "\n", "hex:7", "hex:zz", "hex:73 ",
		"12345678901234567890123456789012345678901234567890123456789012345",
		"12345678901234567890123456789012345678901234567890123456789012345"
		"12345678901234567890123456789012345678901234567890123456789012345"
		"12345678901234567890123456789012345678901234567890123456789012345"
		"12345678901234567890123456789012345678901234567890123456789012345"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(auth_wipe) struct tpm_auth auth;

		assert_int_equal(ERR_INTERNAL, read_text(texts[i], &auth));
		assert_string_equal("auth-file", why()->code);
		assert_int_equal(0, auth.source[0]);
		if (strlen(texts[i]) > 5)
			assert_null(strstr(why()->sentence, texts[i] + 4));
	}
}

static void a_file_that_others_can_read_is_refused(void **state)
{
	AUTO(mem_free) char *path = path_join(dir, "auth");
	AUTO(auth_wipe) struct tpm_auth auth;

	(void)state;
	file_put(dir, "auth", "secret");
	assert_int_equal(0, chmod(path, 0640));
	assert_int_equal(ERR_INTERNAL, auth_read(path, CREDENTIAL, &auth));
	assert_string_equal("file-permissions", why()->code);
}

static void a_file_that_is_named_and_missing_is_refused(void **state)
{
	AUTO(mem_free) char *path = path_join(dir, "nowhere");
	AUTO(auth_wipe) struct tpm_auth auth;

	(void)state;
	assert_int_equal(ERR_NOT_FOUND, auth_read(path, CREDENTIAL, &auth));
	assert_string_equal("file-missing", why()->code);
}

static void systemds_credential_stands_in_for_an_option(void **state)
{
	AUTO(mem_free) char *path = path_join(dir, "auth");
	AUTO(auth_wipe) struct tpm_auth auth;

	(void)state;
	assert_int_equal(OK, auth_read(NULL, CREDENTIAL, &auth));
	assert_int_equal(0, auth.value.size);
	access_credentials_in(dir);
	assert_int_equal(OK, auth_read(NULL, CREDENTIAL, &auth));
	assert_int_equal(0, auth.value.size);
	assert_string_equal("", auth.source);
	file_put(dir, CREDENTIAL, "of systemd\n");
	assert_int_equal(OK, auth_read(NULL, CREDENTIAL, &auth));
	assert_value(&auth, "of systemd");
	file_put(dir, "auth", "named");
	assert_int_equal(OK, auth_read(path, CREDENTIAL, &auth));
	assert_value(&auth, "named");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_value_is_read_in_its_three_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_no_value_is_refused_and_not_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_others_can_read_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_named_and_missing_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			systemds_credential_stands_in_for_an_option, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
