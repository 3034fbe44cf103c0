#include "enroll/tpm/identity.h"

#include "ca/base/file.h"
#include "enroll/tpm/nvcert.h"
#include "tests/unit/check.h"
#include "tests/unit/trust/pki.h"

#include <unistd.h>

#define FIXTURES ENDORSE_SOURCE_DIR "/tests/fixtures/ek"
#define COLUMNS 5
#define ROWS 200

/* A row of EXPECTED. */
struct row {
	char *path, *verdict;
	bool was_skipped;
};

static struct row rows[ROWS];
static size_t rows_n;
static char *table; /* the rows borrow from it */
static struct trust *trust;

static void read_table(void)
{
	struct buf text = BUF(1 << 20);
	char *rest;

	assert_ok(file_read(FIXTURES "/EXPECTED", &text));
	rest = table = buf_take(&text);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char *column[COLUMNS];

		if (line[0] == '#' || line[0] == '\0')
			continue;
		for (size_t i = 0; i < COLUMNS; i++)
			assert_non_null(column[i] = strsep(&line, "\t"));
		assert_true(rows_n < ROWS);
		rows[rows_n++] = (struct row){column[0], column[2], false};
	}
}

static bool is_in(const struct row *row, const char *folder)
{
	return strncmp(row->path, folder, strlen(folder)) == 0;
}

static void was_skipped(void *ctx, const char *path, const char *reason)
{
	(void)ctx;
	assert_true(strlen(reason) > 0);
	for (size_t i = 0; i < rows_n; i++)
		if (strcmp(path + strlen(FIXTURES "/"), rows[i].path) == 0) {
			rows[i].was_skipped = true;
			return;
		}
	fail_msg("%s: %s", path, reason);
}

static int open_folder(void **state)
{
	static const struct trust_source source = {.name = "quirks",
		.class = TRUST_OPERATOR_IMPORT,
		.roots = FIXTURES "/roots",
		.intermediates = FIXTURES "/intermediates",
		.crls = FIXTURES "/crls"};

	(void)state;
	read_table();
	assert_ok(trust_load(&source, 1, was_skipped, NULL, &trust));
	return 0;
}

static int close_folder(void **state)
{
	(void)state;
	trust_free(&trust);
	free(table);
	return 0;
}

/* leaves/NAME with what of sent/NAME there is. */
struct sent {
	struct buf leaf, joined;
	struct view chain[8];
	struct ek_evidence evidence;
};

static void sent_free(struct sent *sent)
{
	buf_free(&sent->leaf);
	buf_free(&sent->joined);
}

static void read_file(const char *folder, const char *name, struct buf *out)
{
	AUTO(mem_free) char *path = NULL;

	assert_true(asprintf(&path, FIXTURES "/%s/%s", folder, name) > 0);
	if (strcmp(folder, "sent") != 0 || access(path, R_OK) == 0)
		assert_ok(file_read(path, out));
}

static void read_sent(const char *name, struct sent *sent)
{
	struct view rest;
	size_t n = 0;

	*sent = (struct sent){.leaf = BUF(8192), .joined = BUF(8192)};
	read_file("leaves", name, &sent->leaf);
	read_file("sent", name, &sent->joined);
	rest = buf_view(&sent->joined);
	while (n < COUNT(sent->chain) && nv_chain_next(&rest, &sent->chain[n]))
		n++;
	sent->evidence = (struct ek_evidence){buf_view(&sent->leaf), {NULL, 0}, sent->chain, n};
}

static enum err judge(const char *name, bool takes_unproven, struct identity **out)
{
	AUTO(sent_free) struct sent sent;
	const struct identity_rules rules = {
		.trust = trust, .now = NOW, .takes_unproven = takes_unproven};

	read_sent(name, &sent);
	return identity_judge(&rules, &sent.evidence, out);
}

static void what_cannot_be_parsed_is_skipped_and_all_else_loads(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < rows_n; i++) {
		if (is_in(&rows[i], "leaves/") || is_in(&rows[i], "sent/"))
			continue;
		n++;
		if (rows[i].was_skipped != (strcmp(rows[i].verdict, "skipped") == 0))
			fail_msg("%s: wanted %s", rows[i].path, rows[i].verdict);
	}
	assert_true(n > 15);
}

static void each_quirk_has_the_verdict_that_is_written_down(void **state)
{
	size_t n = 0, wrong = 0;

	(void)state;
	for (size_t i = 0; i < rows_n; i++) {
		AUTO(identity_free) struct identity *identity = NULL;
		const char *verdict;

		if (!is_in(&rows[i], "leaves/"))
			continue;
		n++;
		verdict = judge(strchr(rows[i].path, '/') + 1, false, &identity) == OK
				  ? "accepted"
				  : why()->code;
		if (strcmp(verdict, rows[i].verdict) == 0)
			continue;
		wrong++;
		print_error("%s: wanted %s, got %s: %s\n", rows[i].path, rows[i].verdict, verdict,
			identity == NULL ? why()->sentence : "");
	}
	assert_int_equal(0, wrong);
	assert_true(n > 50);
}

/* Where unproven ones are taken, only those are that nobody vouches for, and no refusal becomes another. */
static void only_an_unknown_root_is_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < rows_n; i++) {
		AUTO(identity_free) struct identity *identity = NULL;
		const struct row *row = &rows[i];
		const char *verdict = "accepted";

		if (!is_in(row, "leaves/"))
			continue;
		if (judge(strchr(row->path, '/') + 1, true, &identity) != OK)
			verdict = why()->code;
		else if (identity_trust(identity)->class == TRUST_UNPROVEN)
			verdict = identity_doubt(identity)->code;
		if (strcmp(verdict, row->verdict) != 0)
			fail_msg("%s: wanted %s, got %s", row->path, row->verdict, verdict);
		assert_true(
			(identity != NULL) == (strcmp(row->verdict, "accepted") == 0 ||
						      strcmp(row->verdict, "ek-untrusted") == 0));
	}
}

/* Whatever is around it, it is the same certificate, byte for byte. */
static void what_nv_leaves_around_a_certificate_is_not_kept(void **state)
{
	static const char *const names[] = {
		"nv-ff.der", "nv-00.der", "nv-11.der", "nv-tpm12-header.der"};
	AUTO(buf_free) struct buf good = BUF(8192);

	(void)state;
	read_file("leaves", "good-rsa.der", &good);
	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(identity_free) struct identity *identity = NULL;

		assert_ok(judge(names[i], false, &identity));
		assert_view_equal(buf_view(&good), identity_certificate(identity));
	}
}

static void a_certificate_in_another_encoding_than_ders_is_kept_as_it_came(void **state)
{
	static const char *const names[] = {
		"set-of.der", "defaults-spelled-out.der", "ku-not-minimal.der", "private-data.der"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(identity_free) struct identity *identity = NULL;
		AUTO(buf_free) struct buf file = BUF(8192);

		read_file("leaves", names[i], &file);
		assert_ok(judge(names[i], false, &identity));
		assert_view_equal(buf_view(&file), identity_certificate(identity));
		assert_string_equal("id:FFFFF1D0", identity_manufacturer(identity));
		assert_string_equal("Quirk 1000", identity_model(identity));
		assert_string_equal("id:00010002", identity_version(identity));
	}
}

/* Google's name project, zone and host of a customer: nothing that is written down repeats them. */
static void private_data_of_a_certificate_is_in_no_text(void **state)
{
	AUTO(identity_free) struct identity *identity = NULL;

	(void)state;
	assert_ok(judge("private-data.der", false, &identity));
	assert_null(strstr(identity_trust(identity)->chain, "private"));
	assert_null(strstr(identity_trust(identity)->remark, "private"));
}

static void refusals_say_what_to_do(void **state)
{
	static const struct {
		const char *name, *code, *says;
	} cases[] = {{"oaep.der", "ek-tpm12", "TPM 1.2"}, {"family-12.der", "ek-tpm12", "firmware"},
		{"ak.der", "ek-eku", "attestation key"}, {"no-eku.der", "ek-eku", "2.23.133.8.1"},
		{"signing-ek.der", "ek-usage", "signing EK"},
		{"unknown-critical.der", "ek-extension", "1.3.6.1.4.1.99999.1"},
		{"san-missing.der", "ek-san", "manufacturer"},
		{"san-in-subject.der", "ek-san", "no subject alternative name"},
		{"san-not-critical-alone.der", "ek-san", "not critical"},
		{"san-in-words.der", "ek-san", "1414747215"},
		{"rsa-1024.der", "ek-key", "RSA, 1024 bits"}, {"roca.der", "ek-roca", "updated"},
		{"ca.der", "ek-is-ca", "ek.chain"}, {"sha1.der", "ek-weak", "SHA-1"},
		{"sha1-above.der", "ek-weak", "SHA-1"},
		{"signature-false.der", "ek-signature", "altered"},
		{"revoked.der", "ek-revoked", "key compromise"},
		{"revoked-indirectly.der", "ek-revoked", "revoked"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(identity_free) struct identity *identity = NULL;

		assert_int_not_equal(OK, judge(cases[i].name, false, &identity));
		assert_string_equal(cases[i].code, why()->code);
		if (strstr(why()->sentence, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].name, why()->sentence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_parsed_is_skipped_and_all_else_loads),
		cmocka_unit_test(each_quirk_has_the_verdict_that_is_written_down),
		cmocka_unit_test(only_an_unknown_root_is_held),
		cmocka_unit_test(what_nv_leaves_around_a_certificate_is_not_kept),
		cmocka_unit_test(a_certificate_in_another_encoding_than_ders_is_kept_as_it_came),
		cmocka_unit_test(private_data_of_a_certificate_is_in_no_text),
		cmocka_unit_test(refusals_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, open_folder, close_folder);
}
