#include "enroll/trust/bundle.h"

#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "tests/unit/check.h"
#include "tests/unit/trust/pki.h"

static struct world world;
static struct buf root, ca;

static int make(void **state)
{
	(void)state;
	world_make(&world);
	root = ca = BUF(1 << 14);
	certificate_add(world.root, &root);
	certificate_add(world.ca, &ca);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	buf_free(&root);
	buf_free(&ca);
	world_free(&world);
	return 0;
}

static void add_both(struct buf *out)
{
	const struct trust_item items[] = {
		{TRUST_ROOT, TRUST_MANUFACTURER, buf_view(&root), "id:49465800",
			"vendors/infineon"},
		{TRUST_INTERMEDIATE, TRUST_OPERATOR_IMPORT, buf_view(&ca), "",
			"demo\n# Role: root"},
	};

	bundle_begin(out, "A title", "Date: 2026-11-22\n");
	for (size_t i = 0; i < COUNT(items); i++)
		assert_ok(bundle_add(out, &items[i]));
	assert_ok(buf_ok(out));
}

static void what_is_written_is_read_again(void **state)
{
	AUTO(buf_free) struct buf text = BUF(1 << 16);
	AUTO(bundle_free) struct bundle *bundle = NULL;

	(void)state;
	add_both(&text);
	assert_memory_equal(text.p, "##\n## A title\n##\n## Date: 2026-11-22\n##\n\n#\n", 42);
	assert_ok(bundle_read(buf_view(&text), "x", &bundle));
	assert_int_equal(bundle->n, 2);
	assert_view_equal(
		((struct view){bundle->entry[0].der, bundle->entry[0].der_n}), buf_view(&root));
	assert_string_equal(bundle->entry[0].name, "Root");
	assert_string_equal(bundle->entry[0].owner, "IFX");
	assert_string_equal(bundle->entry[0].manufacturers, "id:49465800");
	assert_string_equal(bundle->entry[0].source, "vendors/infineon");
	assert_true(bundle->entry[0].has_role && bundle->entry[0].role == TRUST_ROOT);
	assert_true(bundle->entry[0].has_class && bundle->entry[0].class == TRUST_MANUFACTURER);
	/* No value begins a line of its own, and nothing goes on to the next certificate. */
	assert_true(bundle->entry[1].role == TRUST_INTERMEDIATE);
	assert_string_equal(bundle->entry[1].source, "demo?# Role: root");
	assert_null(bundle->entry[1].owner);
	assert_null(bundle->entry[1].manufacturers);
	assert_view_equal(
		((struct view){bundle->entry[1].der, bundle->entry[1].der_n}), buf_view(&ca));
}

/* As others write it: a column of its own for the end, other keys, and no keys of ours. */
static void add_theirs(struct buf *out, const struct buf *der, const char *fingerprint)
{
	buf_str(out, "##\n## tpm-ca-certificates.pem\n##\n## Date: 2025-12-08\n## Commit: "
		     "0123456789012345678901234567890123456789\n##\n\n"
		     "#\n# Certificate: NPCTxxx ECC521 Root CA\n# Owner: NTC\n#\n"
		     "# Issuer: CN=a: b,C=TW\n# Serial Number: 2 (0x2)\n# Subject: CN=a: b,C=TW\n"
		     "# Not Valid Before: Wed Apr 03 16:36:58 2023\n"
		     "# Not Valid After : Mon May 07 16:36:58 2053\n"
		     "# Something New: 1\n");
	if (fingerprint != NULL)
		buf_fmt(out, "# Fingerprint (SHA-256): %s\n", fingerprint);
	buf_str(out, "# Fingerprint (SHA1): 00\n-----BEGIN CERTIFICATE-----\n");
	base64_add(out, buf_view(der));
	buf_str(out, "\n-----END CERTIFICATE-----\n");
}

static void fingerprint_of(const struct buf *der, const char *separator, struct buf *out)
{
	uint8_t digest[SHA256_SIZE];

	assert_ok(SHA256_OF(digest, buf_view(der)));
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_fmt(out, "%s%02X", i == 0 ? "" : separator, digest[i]);
}

static void a_bundle_of_tpm_ca_certificates_is_read(void **state)
{
	AUTO(buf_free) struct buf text = BUF(1 << 16), digits = BUF(128);
	AUTO(bundle_free) struct bundle *bundle = NULL;

	(void)state;
	fingerprint_of(&root, ":", &digits);
	add_theirs(&text, &root, buf_text(&digits));
	assert_ok(bundle_read(buf_view(&text), "x", &bundle));
	assert_int_equal(bundle->n, 1);
	assert_string_equal(bundle->entry[0].name, "NPCTxxx ECC521 Root CA");
	assert_string_equal(bundle->entry[0].owner, "NTC");
	assert_false(bundle->entry[0].has_role || bundle->entry[0].has_class);
	assert_null(bundle->entry[0].manufacturers);
}

static void lines_that_tell_of_another_certificate_spoil_the_bundle(void **state)
{
	static const char *const wrong[] = {"00", "x",
		"00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
		"00:"
		"00:00:00:00"};
	struct bundle *bundle = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		AUTO(buf_free) struct buf text = BUF(1 << 16);

		add_theirs(&text, &root, wrong[i]);
		assert_refused(bundle_read(buf_view(&text), "some.pem", &bundle), ERR_MALFORMED,
			"bundle-fingerprint");
		assert_non_null(strstr(why()->sentence, "NPCTxxx ECC521 Root CA"));
		assert_non_null(strstr(why()->sentence, "some.pem:"));
	}
	assert_null(bundle);
}

static void a_role_or_a_class_that_there_is_not_spoils_it(void **state)
{
	static const char *const wrong[] = {"# Role: Root\n", "# Role: anchor\n", "# Role:\n",
		"# Class: friend\n", "# Class: allow-list\n", "# Class: approved\n"};
	struct bundle *bundle = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		AUTO(buf_free) struct buf text = BUF(1 << 16);

		buf_str(&text, wrong[i]);
		add_theirs(&text, &root, NULL);
		assert_refused_in(wrong[i], bundle_read(buf_view(&text), "x", &bundle),
			ERR_MALFORMED, "bundle-value");
	}
}

static void any_pem_file_is_a_bundle_and_broken_texts_hide_no_others(void **state)
{
	AUTO(buf_free) struct buf text = BUF(1 << 16);
	AUTO(bundle_free) struct bundle *bundle = NULL;

	(void)state;
	buf_str(&text,
		"words\r\n-----BEGIN CERTIFICATE-----\r\n!!!\r\n-----END CERTIFICATE-----\r\n");
	buf_str(&text, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	buf_str(&text, "-----BEGIN CERTIFICATE-----\nAAAA\n"); /* without an end */
	add_theirs(&text, &root, NULL);
	buf_str(&text, "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n");
	buf_str(&text,
		"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n-----BEGIN CERTIFICATE-----");
	assert_ok(bundle_read(buf_view(&text), "x", &bundle));
	assert_int_equal(bundle->n, 6);
	assert_int_equal(bundle->entry[0].der_n, 0);
	assert_int_equal(bundle->entry[0].line, 2);
	assert_int_equal(bundle->entry[1].der_n, 0);
	assert_view_equal(
		((struct view){bundle->entry[2].der, bundle->entry[2].der_n}), buf_view(&root));
	assert_int_equal(bundle->entry[3].kind, BUNDLE_CRL);
	assert_int_equal(bundle->entry[4].kind, BUNDLE_PKCS7);
	assert_int_equal(bundle->entry[5].der_n, 0);
}

static void nothing_is_read_of_what_has_none(void **state)
{
	AUTO(bundle_free) struct bundle *bundle = NULL, *empty = NULL;

	(void)state;
	assert_ok(bundle_read(view_str("hello\n# World: x\n"), "x", &bundle));
	assert_int_equal(bundle->n, 0);
	assert_ok(bundle_read(view_str(""), "x", &empty));
	assert_int_equal(empty->n, 0);
}

static void bytes_that_are_no_certificate_are_not_written(void **state)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);
	struct trust_item item = {TRUST_ROOT, TRUST_MANUFACTURER, view_str("0"), "", "x"};

	(void)state;
	assert_refused(bundle_add(&out, &item), ERR_MALFORMED, "bundle-value");
	item.role = TRUST_CRL;
	assert_refused(bundle_add(&out, &item), ERR_MALFORMED, "bundle-value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_bundle_of_tpm_ca_certificates_is_read),
		cmocka_unit_test(lines_that_tell_of_another_certificate_spoil_the_bundle),
		cmocka_unit_test(a_role_or_a_class_that_there_is_not_spoils_it),
		cmocka_unit_test(any_pem_file_is_a_bundle_and_broken_texts_hide_no_others),
		cmocka_unit_test(nothing_is_read_of_what_has_none),
		cmocka_unit_test(bytes_that_are_no_certificate_are_not_written),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
