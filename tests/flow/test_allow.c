/* test_allow.c - the allow-list as an admin works with it: by hand, and by a factory's list. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include "ca/base/encode.h"
#include "tests/softtpm/key.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 10000

static struct world world;
static char *admin, *token_file, *manifest;
static char digest[65]; /* of `ek`, whose public area is known */
static struct soft_key ek;
static struct buf ek_public = BUF(1024);

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 0}, &world);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	token_file = text("%s/admin.token", world.dir);
	manifest = text("%s/manifest.csv", world.dir);
	must(soft_ek_make(SOFT_L2, NULL, &ek) && soft_key_public(&ek, &ek_public), "an EK");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(admin);
	free(token_file);
	free(manifest);
	soft_key_free(&ek);
	buf_free(&ek_public);
	world_free(&world);
	return 0;
}

#define EK_ALLOW(output, ...)                                                                      \
	world_run(&world, output, "endorsectl", "ek", "allow", ##__VA_ARGS__, "--admin", admin,    \
		"--token-file", token_file, NULL)

static void wants(const struct output *output, int code, const char *what)
{
	if (output->code != code || (strstr(buf_text(&output->out), what) == NULL &&
					    strstr(buf_text(&output->err), what) == NULL))
		fail_msg("exit %d, wanted %d and \"%s\":\n%s%s", output->code, code, what,
			buf_text(&output->out), buf_text(&output->err));
}

static void digest_of(unsigned i, char out[static 65])
{
	snprintf(out, 65, "%064x", i);
}

static long allowed_rows(void)
{
	return world_rows(&world, "ek_allowed");
}

static void one_is_added_listed_and_removed(void **state)
{
	AUTO(output_free) struct output added, again, list, json, removed, gone;
	char one[65];

	(void)state;
	digest_of(1, one);
	EK_ALLOW(&added, "add", "--ek-digest", one, "--host", "web-1.example.test", "--serial",
		"SN-1", "--label", "rack=7", "--label", "site=fra", "--why", "new rack");
	wants(&added, 0, "is on the allow-list, for web-1.example.test");
	EK_ALLOW(&again, "add", "--ek-digest", one, "--host", "web-1.example.test", "--serial",
		"SN-1", "--label", "rack=7", "--label", "site=fra", "--why", "new rack");
	wants(&again, 0, "is already on the allow-list");
	EK_ALLOW(&list, "list");
	wants(&list, 0, "awaited    web-1.example.test  serial SN-1  rack=7;site=fra\n");
	wants(&list, 0, "by admin-token: new rack\n");
	EK_ALLOW(&json, "list", "--json", "--serial", "SN-1");
	wants(&json, 0, "\"labels\":{\"rack\":\"7\",\"site\":\"fra\"}");
	EK_ALLOW(&removed, "remove", one, "--why", "it was returned");
	wants(&removed, 0, "is off the allow-list");
	EK_ALLOW(&gone, "remove", one, "--why", "it was returned");
	wants(&gone, 5, "ek-unknown");
	assert_int_equal(allowed_rows(), 0);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM audit WHERE who = 'admin-token' AND"
				 " (detail LIKE '%%new rack' OR detail LIKE '%%it was returned')"),
		2);
}

static void a_public_area_gives_its_digest(void **state)
{
	AUTO(mem_free) char *file = text("%s/ek.pub", world.dir);
	AUTO(output_free) struct output added, removed, broken;

	(void)state;
	write_file(file, 0600, buf_view(&ek_public));
	EK_ALLOW(&added, "add", "--ek-public", file, "--why", "cloud");
	wants(&added, 0, "is on the allow-list");
	snprintf(digest, sizeof(digest), "%.64s", buf_text(&added.out) + strlen("EK "));
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM ek_allowed WHERE ek_digest = '\\x%s' AND"
				 " ek_public IS NOT NULL",
				 digest),
		1);
	EK_ALLOW(&removed, "remove", digest, "--why", "cloud");
	assert_int_equal(removed.code, 0);
	ek_public.p[ek_public.n - 1] ^= 1;
	write_file(file, 0600, (struct view){ek_public.p, ek_public.n - 3});
	EK_ALLOW(&broken, "add", "--ek-public", file, "--why", "cloud");
	ek_public.p[ek_public.n - 1] ^= 1;
	wants(&broken, 1, "tpm-public");
}

/* Lines after the header, as they stand there. */
static void write_manifest(const char *lines)
{
	AUTO(mem_free) char *whole = text("ek_digest,ek_public,serial,host,labels\n%s", lines);

	write_file(manifest, 0600, view_str(whole));
}

static void a_good_list_is_imported_whole(void **state)
{
	AUTO(buf_free) struct buf base64 = BUF(2048);
	AUTO(output_free) struct output output, dry;
	AUTO(mem_free) char *lines = NULL;
	char one[65], two[65];

	(void)state;
	digest_of(1, one);
	digest_of(2, two);
	base64_add(&base64, buf_view(&ek_public));
	lines = text("%s,,SN-1,web-1.example.test,rack=7;site=fra\r\n"
		     "%s,,\"SN \"\"2\"\", with a comma\",,\r\n"
		     "\r\n"
		     "%s,%s,SN-3,web-3.example.test,\r\n",
		one, two, digest, buf_text(&base64));
	write_manifest(lines);
	EK_ALLOW(&dry, "import", manifest, "--why", "delivery 4711", "--dry-run");
	wants(&dry, 0, "3 new, 0 that were there, 0 bad line(s); nothing was changed");
	assert_int_equal(allowed_rows(), 0);
	EK_ALLOW(&output, "import", manifest, "--why", "delivery 4711");
	wants(&output, 0, "3 new, 0 that were there, 0 bad line(s); imported");
	assert_int_equal(allowed_rows(), 3);
	assert_int_equal(
		sql_number(world.conninfo, "SELECT count(*) FROM ek_allowed WHERE serial ="
					   " 'SN \"2\", with a comma' AND source = 'manifest.csv'"),
		1);
}

/* One bad line beside a good one: nothing is imported, and the line is named. */
static void try_bad(const char *line, const char *what)
{
	AUTO(output_free) struct output output, skipped;
	AUTO(mem_free) char *wanted = text("%s:3: ", manifest);
	AUTO(mem_free) char *lines = NULL;
	long before = allowed_rows();
	char good[65], last[65];
	static unsigned n = 1000;

	digest_of(n++, good);
	digest_of(n++, last);
	lines = text("%s,,,,\n%s\n%s,,,,\n", good, line, last);
	write_manifest(lines);
	EK_ALLOW(&output, "import", manifest, "--why", "bad");
	wants(&output, 1, "nothing was imported");
	wants(&output, 1, wanted);
	wants(&output, 1, what);
	assert_int_equal(allowed_rows(), before);
	EK_ALLOW(&skipped, "import", manifest, "--why", "bad", "--skip-bad");
	wants(&skipped, 1, "2 new, 0 that were there, 1 bad line(s); imported");
	assert_int_equal(allowed_rows(), before + 2);
}

static void each_bad_line_is_named_and_keeps_all_out(void **state)
{
	static const char a[] = "00000000000000000000000000000000000000000000000000000000000000aa";
	AUTO(buf_free) struct buf base64 = BUF(2048);
	AUTO(mem_free) char *disagree = NULL, *double_ek = NULL;
	char line[512];

	(void)state;
	base64_add(&base64, buf_view(&ek_public));
	try_bad("xyz,,,,", "is no digest of an EK");
	try_bad(",,,,", "no EK: wanted its digest or its public area");
	snprintf(line, sizeof(line), "%s,,,,,", a);
	try_bad(line, "6 fields, and the first line names 5 columns");
	snprintf(line, sizeof(line), "%s,,,Web_1,", a);
	try_bad(line, "Web_1");
	snprintf(line, sizeof(line), "%s,,,,rack", a);
	try_bad(line, "name=text");
	snprintf(line, sizeof(line), "%s,,\"x,,", a);
	try_bad(line, "a quote is opened and never closed");
	try_bad(",AAAA,,,", "TPM2B_PUBLIC");
	disagree = text("%s,%s,,,", a, buf_text(&base64));
	try_bad(disagree, "is not that of the public area beside it");
	/* What only the service knows. */
	double_ek = text("%064x,,,other.example.test,", 1);
	try_bad(double_ek, "(ek-taken)");
	snprintf(line, sizeof(line), "%s,,,web-1.example.test,", a);
	try_bad(line, "(host-taken)");
}

static void doubles_within_a_list_are_told_with_both_lines(void **state)
{
	AUTO(output_free) struct output eks, hosts;
	AUTO(mem_free) char *one = text("%064x,,,,\n%064X,,,,\n", 0xabcd, 0xabcd);
	AUTO(mem_free)
	char *two = text("%064x,,,a.example.test,\n%064x,,,a.example.test,\n", 0xabce, 0xabcf);

	(void)state;
	write_manifest(one);
	EK_ALLOW(&eks, "import", manifest, "--why", "x");
	wants(&eks, 1, ":3: the same EK is in line 2");
	write_manifest(two);
	EK_ALLOW(&hosts, "import", manifest, "--why", "x");
	wants(&hosts, 1, ":3: the same host is in line 2");
}

static void a_header_says_what_the_columns_are(void **state)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
		{"", "it is empty"},
		{"ek_digest,rack\n", "there is no column \"rack\""},
		{"ek_digest,ek_digest\n", "the column \"ek_digest\" twice"},
		{"serial,host\n", "neither a column ek_digest nor a column ek_public"},
		{"ek_digest\n", "there is no EK in it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		write_file(manifest, 0600, view_str(rows[i].text));
		EK_ALLOW(&output, "import", manifest, "--why", "x");
		wants(&output, 1, rows[i].what);
	}
}

static void ten_thousand_lines_go_in_one_transaction(void **state)
{
	AUTO(buf_free) struct buf csv = BUF(4 << 20);
	AUTO(output_free) struct output output, list, all;
	long before = allowed_rows();

	(void)state;
	buf_str(&csv, "\xef\xbb\xbfhost,ek_digest,labels\n");
	for (unsigned i = 0; i < MANY; i++)
		buf_fmt(&csv, "node-%05u.example.test,%064x,\"rack=%u;site=fra\"\n", i,
			0x100000 + i, i / 40);
	write_file(manifest, 0600, buf_view(&csv));
	EK_ALLOW(&output, "import", manifest, "--why", "a factory's list");
	wants(&output, 0, "10000 new, 0 that were there, 0 bad line(s); imported");
	assert_int_equal(allowed_rows(), before + MANY);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(DISTINCT xmin::text) FROM ek_allowed WHERE source ="
				 " 'manifest.csv' AND why = 'a factory''s list'"),
		1);
	EK_ALLOW(&list, "list", "--host", "node-0999?.example.test", "--json");
	assert_int_equal(list.code, 0);
	assert_int_equal(lines_of(&list, "{\"ek_digest\":"), 0);
	EK_ALLOW(&all, "list", "--json", "--host", "node-*");
	assert_int_equal(lines_of(&all, "{\"ek_digest\":"), MANY);
}

static void misuse_is_told(void **state)
{
	AUTO(output_free) struct output none, two, why, digits, label, reason;
	char one[65];

	(void)state;
	digest_of(7, one);
	EK_ALLOW(&none, "add", "--why", "x");
	assert_int_equal(none.code, 2);
	EK_ALLOW(&two, "add", "--ek-digest", one, "--ek-digest", one, "--why", "x");
	assert_int_equal(two.code, 2);
	EK_ALLOW(&why, "add", "--ek-digest", one);
	assert_int_equal(why.code, 2);
	EK_ALLOW(&digits, "add", "--ek-digest", "abc", "--why", "x");
	wants(&digits, 2, "is no digest of an EK");
	EK_ALLOW(&label, "add", "--ek-digest", one, "--label", "=", "--why", "x");
	wants(&label, 1, "a label's name is none");
	EK_ALLOW(&reason, "add", "--ek-digest", one, "--why", "...");
	wants(&reason, 5, "why-missing");
}

/* What the tool would not send. */
static void post(const char *path, const char *json, int status, const char *code)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	httpc_post(&world.services[0].admin, path, view_str(json), &answer);
	if (answer.status != status || strstr(buf_text(&answer.body), code) == NULL)
		fail_msg("%s %s: %d, wanted %d %s:\n%s", path, json, answer.status, status, code,
			buf_text(&answer.body));
}

static void the_service_judges_for_itself(void **state)
{
	AUTO(buf_free) struct buf base64 = BUF(2048);
	AUTO(mem_free) char *other = NULL;

	(void)state;
	base64_add(&base64, buf_view(&ek_public));
	other = text(
		"{\"entries\":[{\"ek_digest\":\"%064x\",\"ek_public\":\"%s\"}],\"source\":\"\","
		"\"why\":\"x\"}",
		5, buf_text(&base64));
	post("/v1/admin/ek/allow", other, 400, "ek-digest");
	post("/v1/admin/ek/allow", "{\"entries\":[{}],\"source\":\"\",\"why\":\"x\"}", 400,
		"json-key-missing");
	post("/v1/admin/ek/allow",
		"{\"entries\":[{\"ek_digest\":\"ab\"}],\"source\":\"\",\"why\":\"x\"}", 400,
		"ek-digest");
	post("/v1/admin/ek/allow",
		"{\"entries\":[{\"ek_public\":\"AAAA\"}],\"source\":\"\",\"why\":\"x\"}", 400,
		"tpm-public");
	post("/v1/admin/ek/allow",
		"{\"entries\":[{\"ek_digest\":"
		"\"000000000000000000000000000000000000000000000000000000000000beef\",\"host\":"
		"\"UPPER\"}],\"source\":\"\",\"why\":\"x\"}",
		400, "host-name");
	post("/v1/admin/ek/allow",
		"{\"entries\":[{\"ek_digest\":"
		"\"000000000000000000000000000000000000000000000000000000000000beef\",\"labels\":"
		"{\"a b\":\"c\"}}],\"source\":\"\",\"why\":\"x\"}",
		400, "labels");
	post("/v1/admin/ek/disallow", "{\"ek_digest\":\"ab\",\"why\":\"x\"}", 400, "ek-digest");
}

static void nothing_goes_without_the_token(void **state)
{
	static const struct {
		const char *method, *path;
	} routes[] = {
		{"GET", "/v1/admin/ek/allowed"},
		{"POST", "/v1/admin/ek/allow"},
		{"POST", "/v1/admin/ek/disallow"},
		{"GET", "/v1/admin/pending"},
		{"GET", "/v1/admin/pending/show"},
		{"POST", "/v1/admin/pending/accept"},
		{"POST", "/v1/admin/pending/reject"},
		{"POST", "/v1/admin/pending/trust-ca"},
	};
	const struct httpc_peer stranger = {.port = world.services[0].admin_port};

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		if (strcmp(routes[i].method, "GET") == 0)
			httpc_get(&stranger, routes[i].path, &answer);
		else
			httpc_post(&stranger, routes[i].path, view_str("{}"), &answer);
		assert_int_equal(answer.status, 401);
		assert_non_null(strstr(buf_text(&answer.body), "credential-missing"));
	}
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(one_is_added_listed_and_removed),
		cmocka_unit_test(a_public_area_gives_its_digest),
		cmocka_unit_test(a_good_list_is_imported_whole),
		cmocka_unit_test(each_bad_line_is_named_and_keeps_all_out),
		cmocka_unit_test(doubles_within_a_list_are_told_with_both_lines),
		cmocka_unit_test(a_header_says_what_the_columns_are),
		cmocka_unit_test(ten_thousand_lines_go_in_one_transaction),
		cmocka_unit_test(misuse_is_told),
		cmocka_unit_test(the_service_judges_for_itself),
		cmocka_unit_test(nothing_goes_without_the_token),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
