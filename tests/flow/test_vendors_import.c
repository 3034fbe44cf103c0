/* test_vendors_import.c - a manufacturer is imported, trusted by every server, exported, and removed. */
#include "tests/flow/cabinet.h"
#include "tests/flow/cluster.h"
#include "tests/flow/notary.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include "ca/base/file.h"
#include "enroll/proto/trustlist.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world world; /* two servers that share a database */
static struct world
	elsewhere; /* another service, with another database and the same configuration */
static struct notary root, sub, odd, aik, old, signing;
static char *dir;

static char *in_dir(const char *name)
{
	return text("%s/%s", dir, name);
}

static void put(const char *name, const struct notary *what)
{
	AUTO(mem_free) char *path = in_dir(name);

	notary_write(what, path, NULL);
}

static void put_text(const char *name, struct view bytes)
{
	AUTO(mem_free) char *path = in_dir(name);

	write_file(path, 0644, bytes);
}

/* Six intermediates of a manufacturer have such serials: a byte of zeroes too many. */
static void put_unparsable(void)
{
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	uint8_t *serial;

	notary_der(&sub, &der);
	/* 30 82 nn nn 30 82 nn nn A0 03 02 01 02 02 10 00 ... */
	serial = der.p + 15;
	must(der.p[13] == 2 && der.p[14] == 16, "the serial number is elsewhere");
	serial[1] = 0;
	put_text("e/unparsable.der", buf_view(&der));
}

static void fill_directory(void)
{
	AUTO(mem_free) char *below = in_dir("e");
	AUTO(buf_free) struct buf der = BUF(1 << 16);

	MUST_RUN("mkdir", "-p", below);
	put("root.pem", &root);
	put("sub.pem", &sub);
	put("odd.pem", &odd);
	put("e/aik.pem", &aik);
	put("e/old.pem", &old);
	notary_der(&root, &der);
	put_text("e/root-again.der", buf_view(&der));
	put_text("e/broken.pem",
		view_str("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"));
	put_text("e/cut.der", (struct view){der.p, der.n - 1});
	put_text("e/README", view_str("hello\n"));
	put_unparsable();
}

static int make(void **state)
{
	(void)state;
	notary_make(&(struct notary_wish){.organization = "Infineon Technologies AG",
			    .name = "Test TPM Root"},
		&root);
	notary_make(&(struct notary_wish){.name = "Test TPM CA", .issuer = &root}, &sub);
	notary_make(&(struct notary_wish){.name = "Nobody knows"}, &odd);
	notary_make(
		&(struct notary_wish){
			.name = "AIK", .issuer = &root, .extended_key_usage = "2.23.133.8.3"},
		&aik);
	notary_make(&(struct notary_wish){.name = "Old", .issuer = &root, .not_after = 1600000000},
		&old);
	notary_make(&(struct notary_wish){.name = "Signing Root"}, &signing);
	dir = text("%s/certificates", supervise_dir());
	fill_directory();
	world_make(&(struct world_plan){.services = 2, .chips = 1}, &world);
	world_make(&(struct world_plan){.services = 1}, &elsewhere);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	world_free(&elsewhere);
	notary_free(&root);
	notary_free(&sub);
	notary_free(&odd);
	notary_free(&aik);
	notary_free(&old);
	notary_free(&signing);
	mem_free(&dir);
	return 0;
}

/* endorsectl vendors WORDS... at a world's first server. */
#define VENDORS(of, output, ...)                                                                   \
	do {                                                                                       \
		AUTO(mem_free)                                                                     \
		char *url_ = text("http://127.0.0.1:%d", (of)->services[0].admin_port);            \
		AUTO(mem_free) char *token_ = text("%s/admin.token", (of)->dir);                   \
                                                                                                   \
		world_run(of, output, "endorsectl", "vendors", __VA_ARGS__, "--admin", url_,       \
			"--token-file", token_, NULL);                                             \
	} while (0)
#define BUNDLED ENDORSE_SOURCE_DIR "/policy/vendors"

static void assert_code(const struct output *output, int code)
{
	if (output->code != code)
		fail_msg("exit %d: %s%s", output->code, buf_text(&output->out),
			buf_text(&output->err));
}

static void assert_says(const struct output *output, const char *words)
{
	if (strstr(buf_text(&output->out), words) == NULL)
		fail_msg("no \"%s\" in: %s", words, buf_text(&output->out));
}

static long imported(struct world *of)
{
	return world_rows(of, "trusted");
}

/* What a server trusts now. */
static void list_of(const struct world *of, size_t service, struct trust_list *list)
{
	struct httpc_answer answer;

	httpc_get(&of->services[service].admin, "/v1/admin/vendors", &answer);
	must(answer.status == 200, "%d: %s", answer.status, buf_text(&answer.body));
	must(trust_list_parse(buf_view(&answer.body), list) == OK, "%s", why()->sentence);
	httpc_answer_free(&answer);
}

struct waiting {
	const struct world *world;
	size_t service, items;
};

static bool has_items(void *arg)
{
	const struct waiting *waiting = arg;
	AUTO(trust_list_free) struct trust_list list;

	list_of(waiting->world, waiting->service, &list);
	return list.n == waiting->items;
}

/* Within five seconds, says the design; the configuration's own are two. */
static void assert_trusts(struct world *of, size_t items)
{
	for (size_t i = 0; i < of->services_n; i++) {
		struct waiting waiting = {of, i, items};

		if (!wait_until(has_items, &waiting, 5000))
			fail_msg("server %zu does not trust %zu certificates", i, items);
	}
}

static void what_the_service_trusts_is_listed(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	VENDORS(&world, &output, "list");
	assert_code(&output, 0);
	assert_says(&output, ": 1 roots, 1 intermediates, 0 CRLs");
	assert_says(&output, "\ndemo (operator-import)\n");
	assert_says(&output, "root          9999-12-31  any");
	assert_trusts(&world, 2);
}

static void assert_report(const struct output *output, const char *added)
{
	assert_says(output, "10 files, 10 certificates and CRLs in them");
	assert_says(output, added);
	assert_says(output, "known already  nothing");
	assert_says(output, "the same again 1\n");
	assert_says(output, "left out       7\n");
	assert_says(output, "IFX         CN=Test TPM Root,O=Infineon Technologies AG");
	assert_says(output, "(ca-manufacturers): 1\n");
	assert_says(output, "(ca-unreadable): 3\n");
	assert_says(output, "(ca-aik): 1\n");
	assert_says(output, "(ca-expired): 1\n");
	assert_says(output, "(no-certificate): 1\n");
	assert_says(output, "certificates/e/unparsable.der\n");
	assert_says(
		output, "certificates/odd.pem\n      nothing tells whom this root may vouch for");
}

static void a_dry_run_tells_all_and_changes_nothing(void **state)
{
	AUTO(output_free) struct output output;
	long audit = world_rows(&world, "audit");

	(void)state;
	VENDORS(&world, &output, "import", dir, "--dry-run", "--vendors", BUNDLED);
	assert_code(&output, 0);
	assert_says(&output, "a dry run: nothing was changed");
	assert_report(&output, "would be added 1 root, 1 intermediate\n");
	assert_int_equal(imported(&world), 0);
	assert_int_equal(world_rows(&world, "audit"), audit);
}

/* Without them hardly any root is taken, and the operator is to know why. */
static void vendors_that_are_not_installed_are_told(void **state)
{
	AUTO(output_free) struct output output;
	bool is_installed = access(ENDORSE_VENDORS_DIR, F_OK) == 0;

	(void)state;
	VENDORS(&world, &output, "import", dir, "--dry-run");
	assert_code(&output, 0);
	assert_int_equal(is_installed,
		strstr(buf_text(&output.err), "no vendors are installed there") == NULL);
}

static void an_import_says_why(void **state)
{
	AUTO(output_free) struct output none, empty;

	(void)state;
	VENDORS(&world, &none, "import", dir);
	assert_code(&none, 2);
	assert_non_null(strstr(buf_text(&none.err), "--why is missing"));
	VENDORS(&world, &empty, "import", dir, "--why", "...", "--vendors", BUNDLED);
	assert_code(&empty, 5);
	assert_non_null(strstr(buf_text(&empty.err), "why-missing"));
	assert_int_equal(imported(&world), 0);
}

/* One mistake, told once, before anything is imported. */
static void what_cannot_be_meant_is_wrong_usage(void **state)
{
	AUTO(output_free) struct output output, half;

	(void)state;
	VENDORS(&world, &output, "import", dir, "--why", "x", "--manufacturer", "IFX");
	assert_code(&output, 2);
	assert_non_null(strstr(buf_text(&output.err), "--manufacturer: \"IFX\" is no list"));
	VENDORS(&world, &half, "import", dir, "--why", "x", "--cab-root", "root.pem");
	assert_code(&half, 2);
	assert_non_null(strstr(buf_text(&half.err), "go together"));
	assert_int_equal(imported(&world), 0);
}

static void a_directory_is_imported_and_every_server_trusts_it_within_five_seconds(void **state)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *audit = NULL;

	(void)state;
	VENDORS(&world, &output, "import", dir, "--why", "new boards", "--vendors", BUNDLED);
	assert_code(&output, 0);
	assert_report(&output, "added          1 root, 1 intermediate\n");
	assert_int_equal(imported(&world), 2);
	assert_trusts(&world, 4);
	audit = sql_text(world.conninfo,
		"SELECT string_agg(DISTINCT concat(who, ': ', detail), '|') FROM audit WHERE "
		"detail LIKE '%%new boards%%'");
	assert_non_null(strstr(audit, "admin-token: "));
}

static void what_is_known_is_not_added_again(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	VENDORS(&world, &output, "import", dir, "--why", "again", "--vendors", BUNDLED);
	assert_code(&output, 0);
	assert_says(&output, "added          nothing\n");
	assert_says(&output, "known already  1 root, 1 intermediate\n");
	assert_int_equal(imported(&world), 2);
}

static void a_known_intermediate_does_not_become_a_root_by_the_way(void **state)
{
	AUTO(mem_free) char *path = in_dir("sub.pem");
	AUTO(output_free) struct output output;

	(void)state;
	VENDORS(&world, &output, "import", path, "--why", "pin it", "--pin", "--manufacturer",
		"any");
	assert_code(&output, 0);
	assert_says(&output, "(ca-known): 1\n");
	assert_int_equal(
		sql_number(world.conninfo, "SELECT count(*) FROM trusted WHERE role = 'root'"), 1);
}

static void one_is_shown_with_how_it_came(void **state)
{
	AUTO(output_free) struct output output, unknown;
	char sha256[65];

	(void)state;
	notary_sha256(&root, sha256);
	sha256[10] = '\0';
	VENDORS(&world, &output, "show", sha256);
	assert_code(&output, 0);
	assert_says(&output, "subject        CN=Test TPM Root,O=Infineon Technologies AG\n");
	assert_says(&output, "vouches for    IFX\n");
	assert_says(&output, "source         certificates\npath           e/root-again.der\n");
	assert_says(&output, "by             admin-token\nwhy            new boards\n");
	assert_says(&output, "-----BEGIN CERTIFICATE-----\n");
	VENDORS(&world, &unknown, "show", "0123456789");
	assert_code(&unknown, 1);
	assert_non_null(strstr(buf_text(&unknown.err), "certificate-unknown"));
}

/* Each has a TPM maker of its own in its configuration, and gets the other's. */
static void an_export_imported_elsewhere_leads_to_the_same_trust(void **state)
{
	AUTO(mem_free) char *bundle = in_dir("export.pem"), *second = in_dir("second.pem");
	AUTO(output_free) struct output output, there, back;
	AUTO(trust_list_free) struct trust_list here, other;

	(void)state;
	VENDORS(&elsewhere, &output, "export", "--out", second);
	assert_code(&output, 0);
	VENDORS(&world, &back, "import", second, "--why", "theirs");
	assert_code(&back, 0);
	assert_trusts(&world, 6);
	output_free(&output);
	VENDORS(&world, &output, "export", "--out", bundle);
	assert_code(&output, 0);
	VENDORS(&elsewhere, &there, "import", bundle, "--why", "the same everywhere");
	assert_code(&there, 0);
	assert_says(&there, "added          2 roots, 2 intermediates\n");
	assert_says(&there, "known already  1 root, 1 intermediate\n");
	assert_trusts(&elsewhere, 6);
	list_of(&world, 0, &here);
	list_of(&elsewhere, 0, &other);
	assert_string_equal(here.trust_version, other.trust_version);
}

static void what_was_imported_can_be_removed_and_what_was_not_cannot(void **state)
{
	AUTO(output_free) struct output output, again, configured;
	AUTO(trust_list_free) struct trust_list list;
	char sha256[65];

	(void)state;
	notary_sha256(&root, sha256);
	VENDORS(&world, &output, "remove", sha256, "--why", "lost its key");
	assert_code(&output, 0);
	assert_says(&output, "removed: root CN=Test TPM Root");
	assert_trusts(&world, 5);
	VENDORS(&world, &again, "remove", sha256, "--why", "once more");
	assert_code(&again, 1);
	list_of(&elsewhere, 0, &list);
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.items[i].source, "demo") == 0 && list.items[i].why == NULL) {
			VENDORS(&elsewhere, &configured, "remove", list.items[i].sha256, "--why",
				"x");
			break;
		}
	assert_code(&configured, 5);
	assert_non_null(strstr(buf_text(&configured.err), "certificate-unknown"));
	assert_non_null(strstr(buf_text(&configured.err), "endorsectl reload"));
}

static void a_signed_cabinet_is_imported(void **state)
{
	AUTO(mem_free) char *content = in_dir("cab"), *folder = in_dir("cab/Infineon");
	AUTO(mem_free) char *file = in_dir("cab/Infineon/odd.crt"), *plain = in_dir("plain.cab");
	AUTO(mem_free) char *cab = in_dir("signed.cab"), *anchor = in_dir("anchor.pem");
	AUTO(notary_free) struct notary signer;
	AUTO(output_free) struct output output, without;
	char sha256[65];

	(void)state;
	MUST_RUN("mkdir", "-p", folder);
	notary_write(&odd, file, NULL);
	notary_make(&(struct notary_wish){.name = "Signer",
			    .issuer = &signing,
			    .is_leaf = true,
			    .extended_key_usage = "codeSigning"},
		&signer);
	cabinet_make(content, plain);
	cabinet_sign(&signer, plain, cab);
	notary_write(&signing, anchor, NULL);
	notary_sha256(&signing, sha256);
	VENDORS(&world, &without, "import", cab, "--why", "TPMs", "--vendors", BUNDLED);
	assert_code(&without, 1);
	assert_non_null(strstr(buf_text(&without.err), "--cab-root"));
	VENDORS(&world, &output, "import", cab, "--why", "TPMs", "--vendors", BUNDLED, "--cab-root",
		anchor, "--cab-root-sha256", sha256);
	assert_code(&output, 0);
	assert_says(&output, "signed.cab: signed by CN=Signer,O=Example\n");
	assert_says(&output, "IFX         CN=Nobody knows,O=Example\n"); /* by its folder */
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM trusted WHERE source = 'signed.cab' AND "
				 "path = 'Infineon/odd.crt'"),
		1);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(what_the_service_trusts_is_listed),
		cmocka_unit_test(a_dry_run_tells_all_and_changes_nothing),
		cmocka_unit_test(vendors_that_are_not_installed_are_told),
		cmocka_unit_test(an_import_says_why),
		cmocka_unit_test(what_cannot_be_meant_is_wrong_usage),
		cmocka_unit_test(
			a_directory_is_imported_and_every_server_trusts_it_within_five_seconds),
		cmocka_unit_test(what_is_known_is_not_added_again),
		cmocka_unit_test(a_known_intermediate_does_not_become_a_root_by_the_way),
		cmocka_unit_test(one_is_shown_with_how_it_came),
		cmocka_unit_test(an_export_imported_elsewhere_leads_to_the_same_trust),
		cmocka_unit_test(what_was_imported_can_be_removed_and_what_was_not_cannot),
		cmocka_unit_test(a_signed_cabinet_is_imported),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
