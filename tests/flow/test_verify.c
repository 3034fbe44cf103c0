/* test_verify.c - `endorsectl vendors verify` at every EK certificate that the project has. */
#include "tests/flow/process.h"
#include "tests/flow/supervise.h"

#include "ca/base/file.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIXTURES ENDORSE_SOURCE_DIR "/tests/fixtures/ek"
#define DAY "2026-09-21"

/* Runs it with arguments up to NULL. */
static void verify(struct output *output, const char *const *arguments)
{
	const char *argv[32] = {ENDORSE_BIN_DIR "/endorsectl", "vendors", "verify"};
	size_t n = 3;

	while (*arguments != NULL && n + 1 < COUNT(argv))
		argv[n++] = *arguments++;
	process_run(&(struct program){.argv = argv}, output);
}
#define VERIFY(output, ...) verify(output, (const char *const[]){__VA_ARGS__, NULL})
#define ENDORSECTL(output, ...)                                                                    \
	process_run(&(struct program){.argv = (const char *const[]){ENDORSE_BIN_DIR "/endorsectl", \
					      __VA_ARGS__, NULL}},                                 \
		output)
#define TRUST "--trust", FIXTURES, "--at", DAY
#define GOOD FIXTURES "/leaves/good-rsa.der"

static void wants(const struct output *output, int code, const char *what)
{
	if (output->code != code || strstr(buf_text(&output->out), what) == NULL)
		fail_msg("exit %d, wanted %d and \"%s\":\n%s%s", output->code, code, what,
			buf_text(&output->out), buf_text(&output->err));
}

/* A row of EXPECTED that speaks of a leaf; borrows. */
struct expected {
	const char *name, *verdict;
};

static bool read_expected(char *line, struct expected *out)
{
	const char *path = strsep(&line, "\t"), *quirk = strsep(&line, "\t");

	out->verdict = strsep(&line, "\t");
	if (quirk == NULL || out->verdict == NULL || strncmp(path, "leaves/", 7) != 0)
		return false;
	out->name = path + 7;
	return true;
}

/* What the device sends beside it is in a folder of its own. */
static void judge(const struct expected *expected)
{
	AUTO(mem_free) char *leaf = text("%s/leaves/%s", FIXTURES, expected->name);
	AUTO(mem_free) char *sent = text("%s/sent/%s", FIXTURES, expected->name);
	AUTO(output_free) struct output output;
	bool is_accepted = strcmp(expected->verdict, "accepted") == 0;
	AUTO(mem_free)
	char *wanted = is_accepted ? text("\"verdict\":\"accepted\"")
				   : text("\"code\":\"%s\"", expected->verdict);

	if (access(sent, R_OK) == 0)
		VERIFY(&output, leaf, TRUST, "--json", "--chain", sent);
	else
		VERIFY(&output, leaf, TRUST, "--json");
	if (output.code != (is_accepted ? 0 : 1) || strstr(buf_text(&output.out), wanted) == NULL)
		fail_msg("%s: exit %d, wanted %s:\n%s%s", expected->name, output.code, wanted,
			buf_text(&output.out), buf_text(&output.err));
}

static void every_fixture_is_judged_as_it_is_expected(void **state)
{
	AUTO(buf_free) struct buf table = BUF(1 << 20);
	struct expected expected;
	size_t n = 0;
	char *rest, *line;

	(void)state;
	assert_int_equal(OK, file_read(FIXTURES "/EXPECTED", &table));
	for (rest = (char *)table.p; (line = strsep(&rest, "\n")) != NULL;)
		if (read_expected(line, &expected)) {
			judge(&expected);
			n++;
		}
	assert_true(n > 50);
}

static void one_file_is_told_in_full(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	VERIFY(&output, GOOD, TRUST);
	wants(&output, 0, "\nACCEPTED  operator-import, by \"");
	wants(&output, 0, "\n  what            certificate\n");
	wants(&output, 0, "\n  key             rsa2048\n");
	wants(&output, 0, "\npath, from the EK's issuer up\n  1  ");
	wants(&output, 0, "\n     trusted root of \"");
	assert_true(strncmp(buf_text(&output.out), GOOD "\n", strlen(GOOD) + 1) == 0);
}

static void a_refusal_says_why_by_which_clause_and_whose_certificate_is_missing(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	VERIFY(&output, FIXTURES "/leaves/unknown-root.der", TRUST);
	wants(&output, 1, "\nREFUSED  ek-untrusted\n");
	wants(&output, 1, "\nwhose certificate is missing\n  name            ");
	wants(&output, 1, "\n  -> ");
	wants(&output, 1, "\n  (RFC 5280 6.1)\n");
}

static void an_expired_one_is_a_remark_where_that_is_asked_for(void **state)
{
	AUTO(output_free) struct output strict, warn, json;

	(void)state;
	VERIFY(&strict, FIXTURES "/leaves/expired.der", TRUST, "--expired", "strict");
	wants(&strict, 1, "REFUSED  ek-expired");
	VERIFY(&warn, FIXTURES "/leaves/expired.der", TRUST, "--expired", "warn");
	wants(&warn, 0, "\nremarks\n  ! ");
	wants(&warn, 0, "(EXPIRED)");
	VERIFY(&json, FIXTURES "/leaves/expired.der", TRUST, "--expired", "warn", "--json");
	wants(&json, 0, "\"remarks\":[\"expired\"]");
}

static void the_day_is_what_is_asked_for(void **state)
{
	AUTO(output_free) struct output early, moment;

	(void)state;
	VERIFY(&early, GOOD, "--trust", FIXTURES, "--at", "1999-01-01");
	wants(&early, 1, "REFUSED  ek-not-yet-valid");
	VERIFY(&moment, GOOD, "--trust", FIXTURES, "--at", DAY "T10:00:00Z");
	wants(&moment, 0, "ACCEPTED");
}

static void several_are_a_line_each_and_a_count(void **state)
{
	AUTO(output_free) struct output files, folder;

	(void)state;
	VERIFY(&files, GOOD, FIXTURES "/leaves/ak.der", TRUST);
	assert_int_equal(lines_of(&files, "ACCEPTED "), 1);
	assert_int_equal(lines_of(&files, "REFUSED "), 1);
	wants(&files, 1, "\n1 accepted, 1 refused, 0 not judged\n");
	VERIFY(&folder, FIXTURES "/leaves", TRUST);
	assert_true(lines_of(&folder, "ACCEPTED ") > 20);
	assert_true(lines_of(&folder, "REFUSED ") > 20);
	wants(&folder, 1, " accepted, ");
}

/* A file of this kind is told by name, and refused as the service would. */
static void try_other(const char *command, const char *kind)
{
	AUTO(mem_free) char *path = text("%s/other", supervise_dir());
	AUTO(mem_free) char *made = text("exec >'%s'; %s", path, command);
	AUTO(output_free) struct output output;

	MUST_RUN("sh", "-c", made);
	VERIFY(&output, path, TRUST);
	wants(&output, 1, "REFUSED  ek-certificate");
	wants(&output, 1, kind);
}

static void another_kind_of_file_is_told_by_its_name(void **state)
{
	(void)state;
	try_other("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null",
		"  what            private key\n");
	try_other("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER "
		  "2>/dev/null",
		"  what            private key\n");
	try_other("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
		  "/dev/null -subj /CN=x 2>/dev/null",
		"  what            certificate request\n");
	try_other("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null | "
		  "openssl pkey -pubout",
		"  what            public key\n");
	try_other("cat '" FIXTURES "'/crls/direct.der",
		"  what            certificate revocation list\n");
	try_other("printf '\\377%.0s' $(seq 100)", "  what            empty NV area\n");
	try_other(":", "  what            empty file\n");
	try_other("echo hello", "  what            unknown\n");
}

static void what_cannot_be_judged_is_2(void **state)
{
	AUTO(output_free) struct output missing, nobody, nothing, date, word, empty, some;
	AUTO(mem_free) char *folder = text("%s/nobody", supervise_dir());

	(void)state;
	MUST_RUN("mkdir", folder);
	VERIFY(&missing, "/nonexistent.der", TRUST);
	wants(&missing, 2, "NOT JUDGED  file-missing");
	VERIFY(&nobody, GOOD, "--trust", "/nonexistent");
	assert_int_equal(nobody.code, 2);
	VERIFY(&empty, GOOD, "--trust", folder);
	assert_int_equal(empty.code, 2);
	assert_non_null(strstr(buf_text(&empty.err), "trust-empty"));
	VERIFY(&nothing, "--json");
	assert_int_equal(nothing.code, 2);
	VERIFY(&date, GOOD, TRUST, "--at", "yesterday");
	assert_int_equal(date.code, 2);
	VERIFY(&word, GOOD, TRUST, "--expired", "perhaps");
	assert_int_equal(word.code, 2);
	VERIFY(&some, GOOD, "/nonexistent.der", FIXTURES "/leaves/ak.der", TRUST);
	wants(&some, 2, "1 accepted, 1 refused, 1 not judged");
}

static void a_directory_without_a_file_accepts_nothing(void **state)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *folder = text("%s/nothing", supervise_dir());

	(void)state;
	MUST_RUN("mkdir", folder);
	VERIFY(&output, folder, TRUST);
	wants(&output, 2, "0 accepted");
	assert_non_null(strstr(buf_text(&output.err), "there is no file to judge"));
}

/* A root alone says nothing of whose TPMs it may vouch for. */
static void a_root_that_is_named_is_believed_for_those_it_is_named_for(void **state)
{
	static const char *const chain = FIXTURES "/intermediates/rsa-ca.der";
	static const char *const file = FIXTURES "/roots/rsa-root.der";
	AUTO(output_free) struct output unsaid, said, other, wrong;

	(void)state;
	VERIFY(&unsaid, GOOD, "--trust", file, "--chain", chain);
	assert_int_equal(unsaid.code, 2);
	assert_non_null(strstr(buf_text(&unsaid.err), "say --manufacturer"));
	VERIFY(&said, GOOD, "--trust", file, "--chain", chain, "--manufacturer", "id:FFFFF1D0");
	wants(&said, 0, "ACCEPTED  operator-import");
	VERIFY(&other, GOOD, "--trust", file, "--chain", chain, "--manufacturer", "id:49465800");
	wants(&other, 1, "REFUSED  ek-manufacturer");
	VERIFY(&wrong, GOOD, "--trust", file, "--manufacturer", "IFX");
	assert_int_equal(wrong.code, 2);
	assert_non_null(strstr(buf_text(&wrong.err), "--manufacturer: \"IFX\" is no list"));
}

static void a_group_of_commands_tells_its_own(void **state)
{
	AUTO(output_free) struct output help, bare, mistaken, unknown, option;

	(void)state;
	ENDORSECTL(&help, "vendors", "--help");
	wants(&help, 0, "\n  vendors verify ");
	assert_null(strstr(buf_text(&help.out), "pending"));
	ENDORSECTL(&bare, "ek", "allow");
	assert_int_equal(bare.code, 2);
	assert_non_null(strstr(buf_text(&bare.err), "\n  ek allow add "));
	ENDORSECTL(&mistaken, "vendors", "verifi");
	assert_int_equal(mistaken.code, 2);
	assert_non_null(strstr(buf_text(&mistaken.err), "there is no command \"vendors verifi\""));
	assert_null(strstr(buf_text(&mistaken.err), "pending"));
	ENDORSECTL(&unknown, "vend");
	assert_int_equal(unknown.code, 2);
	assert_non_null(strstr(buf_text(&unknown.err), "usage: endorsectl COMMAND"));
	VERIFY(&option, "--frobnicate");
	assert_int_equal(option.code, 2);
	assert_non_null(strstr(buf_text(&option.err), "endorsectl vendors verify: unrecognized"));
}

static void pem_and_standard_input_are_taken_and_a_pem_file_may_have_its_chain(void **state)
{
	AUTO(mem_free) char *path = text("%s/ek.pem", supervise_dir());
	AUTO(mem_free)
	char *made =
		text("for f in leaves/good-rsa intermediates/rsa-ca; do openssl x509 -inform DER "
		     "-in '" FIXTURES "'/$f.der; done >'%s'",
			path);
	AUTO(mem_free)
	char *piped = text("'%s'/endorsectl vendors verify - --trust '%s' --at %s <'%s'",
		ENDORSE_BIN_DIR, FIXTURES, DAY, GOOD);
	AUTO(mem_free) char *root = text("%s/root.pem", supervise_dir());
	AUTO(mem_free)
	char *bundled =
		text("(echo '# Role: root'; echo '# Manufacturers: any'; openssl x509 -inform "
		     "DER -in '" FIXTURES "'/roots/rsa-root.der) >'%s'",
			root);
	AUTO(output_free) struct output pem, alone, root_only, input;

	(void)state;
	MUST_RUN("sh", "-c", made);
	MUST_RUN("sh", "-c", bundled);
	VERIFY(&alone, GOOD, "--trust", root, "--at", DAY);
	wants(&alone, 1, "ek-untrusted");
	VERIFY(&pem, path, "--trust", root, "--at", DAY);
	wants(&pem, 0, "ACCEPTED");
	wants(&pem, 0, "sent with the EK certificate");
	process_run(
		&(struct program){.argv = (const char *const[]){"sh", "-c", piped, NULL}}, &input);
	wants(&input, 0, "standard input\n");
	VERIFY(&root_only, path, "--trust", FIXTURES "/roots/rsa-root.der", "--at", DAY);
	/* As an import: nothing says whom that root may vouch for. */
	assert_int_equal(root_only.code, 2);
}

/* Every CA of the fixtures, with these lines before each. */
static char *bundle_with(const char *name, const char *lines)
{
	char *path = text("%s/%s", supervise_dir(), name);

	MUST_RUN("sh", "-c",
		"for role in root intermediate; do for f in \"$1/${role}s\"/*.der; do "
		"printf \"# Role: $role\\n# Manufacturers: any\\n$2\"; "
		/* One of them is for OpenSSL not to read. */
		"openssl x509 -inform DER -in \"$f\" || :; done; done >\"$3\"",
		"sh", FIXTURES, lines, path);
	return path;
}

/* A service has from its files what an import leaves out; a bundle of what it trusts has it too. */
static void an_export_is_judged_as_the_service_that_wrote_it(void **state)
{
	AUTO(output_free) struct output exported, other;
	AUTO(mem_free) char *bundle = bundle_with("export.pem", "# Class: operator-import\\n");
	AUTO(mem_free) char *without = bundle_with("bundle.pem", "");

	(void)state;
	VERIFY(&exported, FIXTURES "/leaves/sha1-above.der", "--trust", bundle, "--at", DAY);
	wants(&exported, 1, "REFUSED  ek-weak");
	VERIFY(&other, FIXTURES "/leaves/sha1-above.der", "--trust", without, "--at", DAY);
	wants(&other, 1, "REFUSED  ek-untrusted");
}

static void terminals_get_nothing_that_a_certificate_says_as_it_is(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	VERIFY(&output, FIXTURES "/leaves", TRUST);
	for (size_t i = 0; i < output.out.n; i++)
		assert_true(output.out.p[i] == '\n' ||
			    (output.out.p[i] >= ' ' && output.out.p[i] <= '~'));
}

static void terminals_get_no_file_name_as_it_is(void **state)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *dir = text("%s/names", supervise_dir());
	AUTO(mem_free) char *file = text("%s/red\033[31m.pem", dir);

	(void)state;
	MUST_RUN("mkdir", dir);
	write_file(file, 0644, view_str("-----BEGIN CERTIFICATE-----\n!\n"));
	VERIFY(&output, FIXTURES "/leaves", "--trust", dir, TRUST);
	assert_non_null(strstr(buf_text(&output.err), "red?[31m.pem"));
	assert_null(strchr(buf_text(&output.err), '\033'));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(every_fixture_is_judged_as_it_is_expected),
		cmocka_unit_test(one_file_is_told_in_full),
		cmocka_unit_test(
			a_refusal_says_why_by_which_clause_and_whose_certificate_is_missing),
		cmocka_unit_test(an_expired_one_is_a_remark_where_that_is_asked_for),
		cmocka_unit_test(the_day_is_what_is_asked_for),
		cmocka_unit_test(several_are_a_line_each_and_a_count),
		cmocka_unit_test(another_kind_of_file_is_told_by_its_name),
		cmocka_unit_test(what_cannot_be_judged_is_2),
		cmocka_unit_test(a_directory_without_a_file_accepts_nothing),
		cmocka_unit_test(a_root_that_is_named_is_believed_for_those_it_is_named_for),
		cmocka_unit_test(a_group_of_commands_tells_its_own),
		cmocka_unit_test(
			pem_and_standard_input_are_taken_and_a_pem_file_may_have_its_chain),
		cmocka_unit_test(an_export_is_judged_as_the_service_that_wrote_it),
		cmocka_unit_test(terminals_get_nothing_that_a_certificate_says_as_it_is),
		cmocka_unit_test(terminals_get_no_file_name_as_it_is),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

int main(void)
{
	return supervise(tests);
}
