/* test_cab.c - what an import reads: directories of everything, and cabinets that must be signed. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/admin/gather.h"
#include "tests/flow/cabinet.h"
#include "tests/flow/notary.h"
#include "tests/flow/process.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct notary root, other, maker, sub, aik;
static char *temporary;

static char *in_dir(const char *name)
{
	return text("%s/%s", supervise_dir(), name);
}

static void put(const char *dir, const char *name, const struct notary *what)
{
	AUTO(mem_free) char *path = text("%s/%s", dir, name);

	notary_write(what, path, NULL);
}

static char *make_dir(const char *name)
{
	char *path = in_dir(name);

	MUST_RUN("mkdir", "-p", path);
	return path;
}

static int make(void **state)
{
	AUTO(mem_free) char *content = make_dir("content/Example/RootCA");
	AUTO(mem_free) char *deeper = make_dir("content/Example/IntermediateCA");
	AUTO(mem_free) char *all = in_dir("content");
	AUTO(mem_free) char *cab = in_dir("plain.cab");

	(void)state;
	temporary = make_dir("tmp");
	notary_make(&(struct notary_wish){.name = "Signing Root"}, &root);
	notary_make(&(struct notary_wish){.name = "Other Root"}, &other);
	notary_make(&(struct notary_wish){.name = "TPM Root"}, &maker);
	notary_make(&(struct notary_wish){.name = "TPM CA", .issuer = &maker}, &sub);
	notary_make(
		&(struct notary_wish){
			.name = "AIK CA", .issuer = &maker, .extended_key_usage = "2.23.133.8.3"},
		&aik);
	put(content, "root.crt", &maker);
	put(deeper, "sub.crt", &sub);
	put(deeper, "aik.crt", &aik);
	cabinet_make(all, cab);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	notary_free(&root);
	notary_free(&other);
	notary_free(&maker);
	notary_free(&sub);
	notary_free(&aik);
	mem_free(&temporary);
	return 0;
}

static size_t entries_of(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	must(dir != NULL, "%s", path);
	for (const struct dirent *one; (one = readdir(dir)) != NULL;)
		n += one->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Gathers with the root that is given, or without. */
static enum err read_cab(
	const char *path, const struct notary *given, const char *digest, struct gathering *out)
{
	AUTO(mem_free) char *file = in_dir("given-root.pem");
	char sha256[65];
	struct cab_trust cab = {NULL, NULL, NULL, NULL};
	const struct gather_wish wish = {
		.manufacturers = "any", .cab = &cab, .temporary = temporary, .now = clock_now()};

	if (given != NULL) {
		notary_write(given, file, NULL);
		notary_sha256(given, sha256);
		cab = (struct cab_trust){file, digest == NULL ? sha256 : digest, NULL, NULL};
	}
	gathering_init(out);
	return gather(path, &wish, out);
}

static void assert_cab_refused(
	const char *path, const struct notary *given, const char *digest, const char *code)
{
	AUTO(gathering_free) struct gathering gathering;
	enum err err = read_cab(path, given, digest, &gathering);

	if (err == OK || strcmp(why()->code, code) != 0)
		fail_msg("%s: wanted %s, got %d %s: %s", path, code, (int)err,
			err == OK ? "" : why()->code, err == OK ? "" : why()->sentence);
	assert_int_equal(gathering.n, 0);
	assert_int_equal(entries_of(temporary), 0);
}

/* A signer below the root, whose certificate may be odd; the signed cabinet's path. */
static char *signed_by(const struct notary_wish *wish, const char *from, const char *name)
{
	AUTO(notary_free) struct notary signer;
	AUTO(mem_free) char *plain = in_dir(from);
	char *cab = in_dir(name);

	notary_make(wish, &signer);
	cabinet_sign(&signer, plain, cab);
	return cab;
}

static char *good_cab(const char *from, const char *name)
{
	return signed_by(&(struct notary_wish){.name = "Signer",
				 .issuer = &root,
				 .is_leaf = true,
				 .extended_key_usage = "codeSigning"},
		from, name);
}

static const struct gathered *find(const struct gathering *gathering, const char *end)
{
	for (size_t i = 0; i < gathering->n; i++) {
		const char *path = gathering->item[i].path;

		if (strlen(path) >= strlen(end) &&
			strcmp(path + strlen(path) - strlen(end), end) == 0)
			return &gathering->item[i];
	}
	fail_msg("there is no %s", end);
	return NULL;
}

static void a_cabinet_that_is_signed_under_the_root_is_read(void **state)
{
	AUTO(gathering_free) struct gathering gathering;
	AUTO(mem_free) char *cab = good_cab("plain.cab", "good.cab");

	(void)state;
	if (read_cab(cab, &root, NULL, &gathering) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	assert_int_equal(gathering.n, 3);
	assert_int_equal(
		find(&gathering, "good.cab/Example/RootCA/root.crt")->candidate.role, TRUST_ROOT);
	assert_int_equal(
		find(&gathering, "/IntermediateCA/sub.crt")->candidate.role, TRUST_INTERMEDIATE);
	assert_string_equal(find(&gathering, "/IntermediateCA/aik.crt")->code, "ca-aik");
	assert_non_null(
		strstr(buf_text(&gathering.notes), "good.cab: signed by CN=Signer,O=Example"));
	assert_int_equal(entries_of(temporary), 0);
}

static void nothing_of_a_cabinet_is_believed_without_its_signature(void **state)
{
	AUTO(mem_free) char *plain = in_dir("plain.cab");

	(void)state;
	assert_cab_refused(plain, &root, NULL, "cab-unsigned");
	assert_cab_refused(plain, NULL, NULL, "cab-root");
}

static void only_the_given_root_counts(void **state)
{
	AUTO(mem_free) char *cab = good_cab("plain.cab", "ours.cab");
	AUTO(mem_free) char *file = in_dir("two.pem");
	AUTO(buf_free) struct buf both = BUF(1 << 16);
	AUTO(gathering_free) struct gathering gathering;
	char sha256[65];
	const struct cab_trust two = {file, sha256, NULL, NULL};
	const struct gather_wish wish = {.cab = &two, .temporary = temporary};

	(void)state;
	assert_cab_refused(cab, NULL, NULL, "cab-root");
	assert_cab_refused(cab, &other, NULL, "cab-untrusted");
	notary_sha256(&other, sha256);
	assert_cab_refused(cab, &root, sha256, "cab-root");
	assert_cab_refused(cab, &root, "00", "cab-root");
	/* The right one, and another beside it. */
	notary_write(&root, file, NULL);
	must(file_read(file, &both) == OK, "%s", why()->sentence);
	notary_write(&other, file, NULL);
	must(file_read(file, &both) == OK, "%s", why()->sentence);
	write_file(file, 0644, buf_view(&both));
	notary_sha256(&root, sha256);
	gathering_init(&gathering);
	assert_int_equal(gather(cab, &wish, &gathering), ERR_MALFORMED);
	assert_string_equal(why()->code, "cab-root");
}

static void an_altered_cabinet_is_refused(void **state)
{
	AUTO(mem_free) char *cab = good_cab("plain.cab", "altered.cab");
	AUTO(mem_free) char *longer = good_cab("plain.cab", "longer.cab");
	AUTO(buf_free) struct buf bytes = BUF(1 << 20);

	(void)state;
	cabinet_patch(cab, "root.crt", "toor.crt", 8);
	assert_cab_refused(cab, &root, NULL, "cab-altered");
	must(file_read(longer, &bytes) == OK, "%s", why()->sentence);
	buf_str(&bytes, "12345678");
	write_file(longer, 0644, buf_view(&bytes));
	assert_cab_refused(longer, &root, NULL, "cab-altered");
	write_file(longer, 0644, (struct view){bytes.p, bytes.n - 100});
	assert_cab_refused(longer, &root, NULL, "cab-unsigned");
}

/* The signature does not cover itself; whoever passes the file on can make it longer. */
static void a_cabinet_behind_the_signed_one_is_not_read(void **state)
{
	AUTO(mem_free) char *dir = make_dir("hidden");
	AUTO(mem_free) char *hidden = in_dir("hidden.cab");
	AUTO(mem_free) char *cab = good_cab("plain.cab", "two.cab");
	AUTO(gathering_free) struct gathering gathering;

	(void)state;
	put(dir, "evil.crt", &other);
	cabinet_make(dir, hidden);
	cabinet_hide(cab, hidden);
	if (read_cab(cab, &root, NULL, &gathering) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	assert_int_equal(gathering.n, 3);
	for (size_t i = 0; i < gathering.n; i++)
		assert_null(strstr(gathering.item[i].path, "evil"));
}

static void who_may_not_sign_code_signs_no_cabinet(void **state)
{
	AUTO(mem_free)
	char *server = signed_by(&(struct notary_wish){.name = "Server",
					 .issuer = &root,
					 .is_leaf = true,
					 .extended_key_usage = "serverAuth"},
		"plain.cab", "server.cab");
	AUTO(mem_free)
	char *anything = signed_by(
		&(struct notary_wish){.name = "Anything", .issuer = &root, .is_leaf = true},
		"plain.cab", "anything.cab");

	(void)state;
	assert_cab_refused(server, &root, NULL, "cab-signer");
	assert_cab_refused(anything, &root, NULL, "cab-signer");
}

static void a_signer_whose_time_is_over_needs_a_time_stamp(void **state)
{
	AUTO(mem_free)
	char *cab = signed_by(&(struct notary_wish){.name = "Late",
				      .issuer = &root,
				      .is_leaf = true,
				      .extended_key_usage = "codeSigning",
				      .not_after = 1600000000},
		"plain.cab", "late.cab");

	(void)state;
	assert_cab_refused(cab, &root, NULL, "cab-untrusted");
}

static void a_path_that_leaves_the_directory_is_refused(void **state)
{
	static const struct {
		const char *name, *wanted;
	} rows[] = {
		{"xx_evil.crt", "../evil.crt"},
		{"x_xx_evil.crt", "x/../evil.crt"},
		{"_etc_evil.crt", "/etc/evil.crt"},
		{"xx_evil.crt", "..\\evil.crt"},
		{"c__evil.crt", "c:/evil.crt"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *dir = text("%s/evil-%zu", supervise_dir(), i);
		AUTO(mem_free) char *file = text("%s/%s", dir, rows[i].name);
		AUTO(mem_free) char *plain = text("%s/evil-%zu-plain.cab", supervise_dir(), i);
		AUTO(mem_free) char *name = text("evil-%zu-plain.cab", i);
		AUTO(mem_free) char *signed_name = text("evil-%zu.cab", i);
		AUTO(mem_free) char *cab = NULL;

		MUST_RUN("mkdir", dir);
		notary_write(&maker, file, NULL);
		cabinet_make(dir, plain);
		cabinet_patch(plain, rows[i].name, rows[i].wanted, strlen(rows[i].name));
		cab = good_cab(name, signed_name);
		assert_cab_refused(cab, &root, NULL, "cab-content");
	}
}

static void a_directory_is_read_whole_and_not_left(void **state)
{
	AUTO(gathering_free) struct gathering gathering;
	AUTO(mem_free) char *dir = make_dir("mixed/a/b");
	AUTO(mem_free) char *top = in_dir("mixed");
	AUTO(mem_free) char *pkcs7 = text("%s/both.p7b", dir), *crl = text("%s/x.crl", dir);
	AUTO(mem_free) char *pem = text("%s/sub.pem", dir), *link = text("%s/link.pem", dir);
	AUTO(mem_free) char *outside = in_dir("given-root.pem"), *der = text("%s/root.der", dir);
	AUTO(mem_free) char *junk = text("%s/README", dir), *hidden = text("%s/.hidden.pem", dir);
	AUTO(mem_free) char *cut = text("%s/cut.der", dir), *cabinet = text("%s/x.cab", dir);
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);
	const struct cab_trust cab = {NULL, NULL, NULL, NULL};
	const struct gather_wish wish = {
		.manufacturers = "id:49465800", .cab = &cab, .now = clock_now()};

	(void)state;
	notary_der(&maker, &bytes);
	write_file(der, 0644, buf_view(&bytes));
	write_file(cut, 0644, (struct view){bytes.p, bytes.n - 1});
	notary_write(&sub, pem, NULL);
	notary_write(&other, outside, NULL);
	notary_write(&other, hidden, NULL);
	notary_write_crl(&maker, crl);
	write_file(junk, 0644, view_str("hello\n"));
	must(symlink(outside, link) == 0, "symlink");
	MUST_RUN("openssl", "crl2pkcs7", "-nocrl", "-certfile", pem, "-out", pkcs7);
	gathering_init(&gathering);
	assert_int_equal(gather(top, &wish, &gathering), OK);
	assert_int_equal(gathering.n, 7);
	assert_int_equal(find(&gathering, "mixed/a/b/root.der")->candidate.role, TRUST_ROOT);
	assert_string_equal(find(&gathering, "root.der")->manufacturers, "id:49465800");
	assert_int_equal(find(&gathering, "x.crl")->candidate.role, TRUST_CRL);
	assert_string_equal(find(&gathering, "cut.der")->code, "ca-unreadable");
	assert_string_equal(find(&gathering, "README")->code, "no-certificate");
	assert_string_equal(find(&gathering, "link.pem")->code, "no-certificate");
	/* The same certificate in two files counts once. */
	assert_false(find(&gathering, "both.p7b")->is_double);
	assert_true(find(&gathering, "sub.pem")->is_double);
	/* A cabinet among them is believed no more than alone. */
	cabinet_make(dir, cabinet);
	gathering_free(&gathering);
	assert_int_not_equal(gather(top, &wish, &gathering), OK);
	assert_string_equal(why()->code, "cab-root");
}

static void a_path_that_is_not_there_is_told(void **state)
{
	AUTO(gathering_free) struct gathering gathering;
	const struct cab_trust cab = {NULL, NULL, NULL, NULL};
	const struct gather_wish wish = {.cab = &cab};

	(void)state;
	gathering_init(&gathering);
	assert_int_equal(gather("/nonexistent", &wish, &gathering), ERR_NOT_FOUND);
	assert_string_equal(why()->code, "file-missing");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_cabinet_that_is_signed_under_the_root_is_read),
		cmocka_unit_test(nothing_of_a_cabinet_is_believed_without_its_signature),
		cmocka_unit_test(only_the_given_root_counts),
		cmocka_unit_test(an_altered_cabinet_is_refused),
		cmocka_unit_test(a_cabinet_behind_the_signed_one_is_not_read),
		cmocka_unit_test(who_may_not_sign_code_signs_no_cabinet),
		cmocka_unit_test(a_signer_whose_time_is_over_needs_a_time_stamp),
		cmocka_unit_test(a_path_that_leaves_the_directory_is_refused),
		cmocka_unit_test(a_directory_is_read_whole_and_not_left),
		cmocka_unit_test(a_path_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
