#include "enroll/agent/linkfile.h"

#include "ca/base/cert.h"
#include "ca/base/file.h"
#include "maker.h"
#include "tests/unit/check.h"

#include <sys/stat.h>

/* A linkage of three certificates; the rest of it is words. */
static void make(struct linkage *out)
{
	struct certifier ca;
	AUTO(pkey_free) EVP_PKEY *key = made_key();

	certifier_make(&ca);
	AUTO(x509_free) X509 *leaf = certifier_issue(&ca, key, NULL, -60, 3600);
	linkage_init(out);
	buf_str(&out->attest, "attest");
	buf_str(&out->signature, "signature");
	buf_str(&out->log, "log\n");
	assert_ok(cert_der_add(leaf, &out->ak_certificate));
	assert_ok(cert_der_add(leaf, &out->platform_property));
	assert_ok(cert_der_add(ca.intermediate, &out->intermediates[0]));
	assert_ok(cert_der_add(ca.root, &out->intermediates[1]));
	out->intermediates_n = 2;
	certifier_free(&ca);
}

static void assert_same(const struct linkage *a, const struct linkage *b)
{
	assert_view_equal(buf_view(&a->attest), buf_view(&b->attest));
	assert_view_equal(buf_view(&a->signature), buf_view(&b->signature));
	assert_view_equal(buf_view(&a->log), buf_view(&b->log));
	assert_view_equal(buf_view(&a->ak_certificate), buf_view(&b->ak_certificate));
	assert_view_equal(buf_view(&a->platform_property), buf_view(&b->platform_property));
	assert_int_equal(a->intermediates_n, b->intermediates_n);
	for (size_t i = 0; i < a->intermediates_n; i++)
		assert_view_equal(buf_view(&a->intermediates[i]), buf_view(&b->intermediates[i]));
}

static void a_file_and_a_directory_read_back(void **state)
{
	AUTO(mem_free) char *dir = made_directory();
	AUTO(mem_free) char *file = path_join(dir, "evidence.json");
	AUTO(linkage_free) struct linkage linkage, from_file, from_directory;

	(void)state;
	make(&linkage);
	assert_ok(linkfile_write(&linkage, file));
	assert_ok(linkfile_write(&linkage, dir));
	assert_ok(linkfile_read(file, &from_file));
	assert_ok(linkfile_read(dir, &from_directory));
	assert_same(&linkage, &from_file);
	assert_same(&linkage, &from_directory);
	directory_remove(dir);
}

static void a_directory_may_lack_its_chain_and_nothing_else(void **state)
{
	static const char *const names[] = {LINKFILE_ATTEST, LINKFILE_SIGNATURE, LINKFILE_LOG,
		LINKFILE_AK, LINKFILE_PROPERTY, LINKFILE_CHAIN};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(mem_free) char *dir = made_directory();
		AUTO(mem_free) char *path = path_join(dir, names[i]);
		AUTO(linkage_free) struct linkage linkage, read;
		bool may_lack = strcmp(names[i], LINKFILE_CHAIN) == 0;

		make(&linkage);
		assert_ok(linkfile_write(&linkage, dir));
		assert_int_equal(0, remove(path));
		assert_refused_in(names[i], linkfile_read(dir, &read),
			may_lack ? OK : ERR_NOT_FOUND, "file-missing");
		directory_remove(dir);
	}
}

static void what_is_no_linkage_is_refused(void **state)
{
	AUTO(mem_free) char *dir = made_directory();
	AUTO(mem_free) char *file = path_join(dir, "evidence.json");
	AUTO(linkage_free) struct linkage none, missing;

	(void)state;
	file_put(dir, "evidence.json", "{}");
	assert_refused(linkfile_read(file, &none), ERR_MALFORMED, "json-key-missing");
	assert_int_equal(0, remove(file));
	assert_refused(linkfile_read(file, &missing), ERR_NOT_FOUND, "file-missing");
	directory_remove(dir);
}

static void each_certificate_of_a_linkage_is_one(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		AUTO(linkage_certificates_free) struct linkage_certificates read = {0};
		AUTO(linkage_free) struct linkage linkage;

		make(&linkage);
		if (i > 0)
			buf_u8(i == 1	 ? &linkage.ak_certificate
				: i == 2 ? &linkage.platform_property
					 : &linkage.intermediates[1],
				0);
		assert_refused(linkage_certificates_read(&linkage, &read),
			i == 0 ? OK : ERR_MALFORMED, "linkage");
		if (i == 0)
			assert_int_equal(2, sk_X509_num(read.intermediates));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_and_a_directory_read_back),
		cmocka_unit_test(a_directory_may_lack_its_chain_and_nothing_else),
		cmocka_unit_test(what_is_no_linkage_is_refused),
		cmocka_unit_test(each_certificate_of_a_linkage_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
