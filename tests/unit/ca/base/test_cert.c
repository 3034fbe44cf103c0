#include "ca/base/cert.h"

#include "ca/base/crypt.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static char path[] = ENDORSE_SOURCE_DIR "/tests/data/ca-only-for-tests.pem";

/* One certificate, as OpenSSL reads it, and its PEM text. */
struct sample {
	X509 *cert;
	struct buf pem;
};

static void sample_make(struct sample *out)
{
	AUTO(bio_free) BIO *bio = BIO_new_file(path, "r");

	*out = (struct sample){.pem = BUF(1 << 16)};
	out->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(out->cert);
	assert_ok(cert_pem_add(out->cert, &out->pem));
}

static void sample_free(struct sample *sample)
{
	X509_free(sample->cert);
	buf_free(&sample->pem);
}

static void der_is_read_when_it_is_one_certificate_and_nothing_else(void **state)
{
	AUTO(sample_free) struct sample sample;
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	AUTO(x509_free) X509 *cert = NULL;
	size_t n;

	(void)state;
	sample_make(&sample);
	assert_ok(cert_der_add(sample.cert, &der));
	cert = cert_from_der(buf_view(&der));
	assert_non_null(cert);
	assert_int_equal(0, X509_cmp(sample.cert, cert));
	n = der.n;
	for (size_t cut = 0; cut < n; cut++)
		assert_null(cert_from_der((struct view){der.p, cut}));
	buf_u8(&der, 0);
	assert_null(cert_from_der(buf_view(&der)));
	assert_null(cert_from_der((struct view){NULL, 0}));
	assert_null(cert_from_der(buf_view(&sample.pem)));
	assert_int_equal(0, ERR_peek_error());
}

static void a_limit_of_the_buffer_is_kept(void **state)
{
	AUTO(sample_free) struct sample sample;
	AUTO(buf_free) struct buf der = BUF(100), pem = BUF(100);

	(void)state;
	sample_make(&sample);
	assert_refused(cert_der_add(sample.cert, &der), ERR_TOO_LARGE, "too-large");
	assert_refused(cert_pem_add(sample.cert, &pem), ERR_TOO_LARGE, "too-large");
}

#define BROKEN "-----BEGIN CERTIFICATE-----\nMA0wC6ADAgECAgQAAAAB\n-----END CERTIFICATE-----\n"
#define NO_BASE64 "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"
#define NOT_ENDED "-----BEGIN CERTIFICATE-----\nMA0w\n"
#define OTHER "-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n"
/* It wants a passphrase, which nobody is to be asked for. */
#define LOCKED                                                                                     \
	"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"                                    \
	"DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"                               \
	"AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n"

/* `before`, the certificate, `after`, and how many then can and cannot be read. */
static const struct {
	const char *before, *after;
	bool once;
	int good;
	size_t broken;
} texts[] = {
	{"", "", true, 1, 0},
	{"# a root\n", "\nend\n", true, 1, 0},
	{OTHER, OTHER, true, 1, 0},
	{BROKEN, "", true, 1, 1},
	{NO_BASE64, BROKEN, true, 1, 2},
	{LOCKED, "", true, 1, 1},
	{"", NOT_ENDED, true, 1, 1},
	{"", "", false, 0, 0},
	{"hello\n", OTHER, false, 0, 0},
	{BROKEN, "", false, 0, 1},
};

static void each_certificate_of_a_text_is_read_or_counted(void **state)
{
	AUTO(sample_free) struct sample sample;

	(void)state;
	sample_make(&sample);
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;
		AUTO(buf_free) struct buf text = BUF(1 << 16);
		size_t broken;

		buf_str(&text, texts[i].before);
		if (texts[i].once)
			buf_add(&text, buf_view(&sample.pem));
		buf_str(&text, texts[i].after);
		assert_ok(certs_from_pem(buf_view(&text), &certs, &broken));
		assert_int_equal(texts[i].good, sk_X509_num(certs));
		assert_int_equal(texts[i].broken, broken);
		if (texts[i].once)
			assert_int_equal(0, X509_cmp(sample.cert, sk_X509_value(certs, 0)));
		assert_int_equal(0, ERR_peek_error());
	}
}

static void who_needs_all_of_them_gets_all_or_none(void **state)
{
	AUTO(sample_free) struct sample sample;
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;
	AUTO(buf_free) struct buf text = BUF(1 << 16);

	(void)state;
	sample_make(&sample);
	buf_add(&text, buf_view(&sample.pem));
	buf_add(&text, buf_view(&sample.pem));
	buf_str(&text, BROKEN);
	assert_refused(certs_parse(buf_view(&text), "a.pem", "some-code", &certs), ERR_INTERNAL,
		"some-code");
	assert_non_null(strstr(why()->sentence, "a.pem: 1 of its 3 certificates"));
	assert_refused(certs_parse(view_str(OTHER), "a.pem", "some-code", &certs), ERR_INTERNAL,
		"some-code");
	assert_refused(
		certs_read("/nowhere/a.pem", "some-code", &certs), ERR_NOT_FOUND, "file-missing");
	assert_null(certs);
	assert_ok(certs_read(path, "some-code", &certs));
	assert_int_equal(1, sk_X509_num(certs));
}

static void of_a_file_the_first_certificate_is_read_when_all_of_it_is_good(void **state)
{
	AUTO(sample_free) struct sample sample;
	AUTO(x509_free) X509 *cert = NULL;
	X509 *none = NULL;

	(void)state;
	sample_make(&sample);
	assert_ok(cert_read(path, "some-code", &cert));
	assert_int_equal(0, X509_cmp(sample.cert, cert));
	assert_refused(cert_read(ENDORSE_SOURCE_DIR "/README.md", "some-code", &none), ERR_INTERNAL,
		"some-code");
	assert_refused(
		cert_read("/nowhere/a.pem", "some-code", &none), ERR_NOT_FOUND, "file-missing");
	assert_null(none);
}

static void a_name_is_written_by_rfc_2253_and_cut_to_its_room(void **state)
{
	X509_NAME *name = X509_NAME_new();
	char text[64], small[6];

	(void)state;
	name_text(name, text, sizeof(text));
	assert_string_equal("", text);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"A, B\n", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)"x", -1, -1, 0);
	name_text(name, text, sizeof(text));
	assert_string_equal("CN=x,O=A\\, B\\0A", text);
	name_text(name, small, sizeof(small));
	assert_string_equal("CN=x,", small);
	X509_NAME_free(name);
}

static void dates_are_read_in_seconds_or_told_to_be_none(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new();
	int64_t from, until;

	(void)state;
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), 951782400));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), 2524608000));
	assert_ok(cert_validity(cert, &from, &until));
	assert_true(from == 951782400 && until == 2524608000);
	assert_int_equal(1, ASN1_STRING_set(X509_getm_notAfter(cert), "991332000000Z", -1));
	assert_refused(cert_validity(cert, &from, &until), ERR_INTERNAL, "certificate-dates");
	assert_int_equal(1, ASN1_STRING_set(X509_getm_notBefore(cert), "", -1));
	assert_refused(cert_validity(cert, &from, &until), ERR_INTERNAL, "certificate-dates");
}

static void a_serial_number_is_written_in_small_digits(void **state)
{
	static const struct {
		uint8_t bytes[20];
		int n;
		const char *text;
	} rows[] = {{{0xab, 0xCD}, 2, "abcd"}, {{0x01}, 1, "01"},
		{{0x7f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0xff}, 20,
			"7f0102030405060708090a0b0c0d0e0f101112ff"}};
	AUTO(x509_free) X509 *cert = X509_new();
	char text[CERT_SERIAL_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			1, ASN1_STRING_set(X509_get_serialNumber(cert), rows[i].bytes, rows[i].n));
		cert_serial(cert, text);
		assert_string_equal(rows[i].text, text);
	}
}

/* A certificate that signs itself, as OpenSSL has made it, in DER. */
static void add_self_signed(EVP_PKEY *key, const EVP_MD *md, bool is_pss, struct buf *der)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	AUTO(x509_free) X509 *cert = X509_new();
	EVP_PKEY_CTX *signing = NULL;

	assert_int_equal(1, X509_set_version(cert, X509_VERSION_3));
	assert_int_equal(1, X509_set_pubkey(cert, key));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 60));
	assert_int_equal(1, X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
				    MBSTRING_ASC, (const unsigned char *)"self", -1, -1, 0));
	assert_int_equal(1, X509_set_issuer_name(cert, X509_get_subject_name(cert)));
	assert_int_equal(1, EVP_DigestSignInit(ctx, &signing, md, NULL, key));
	if (is_pss)
		assert_true(EVP_PKEY_CTX_set_rsa_padding(signing, RSA_PKCS1_PSS_PADDING) == 1);
	assert_true(X509_sign_ctx(cert, ctx) > 0);
	assert_ok(cert_der_add(cert, der));
}

/* Whatever a byte of it is changed to: read or not, with that key or none, signed or not. */
static void assert_read_alike(struct view der)
{
	AUTO(x509_free) X509 *plain = cert_from_der_plainly(der);
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	EVP_PKEY *key = cert == NULL ? NULL : X509_get0_pubkey(cert);

	assert_int_equal(cert == NULL, plain == NULL);
	if (cert == NULL)
		return;
	assert_int_equal(key == NULL, X509_get0_pubkey(plain) == NULL);
	assert_int_equal(0, X509_cmp(cert, plain));
	if (key == NULL)
		return;
	assert_int_equal(1, EVP_PKEY_eq(key, X509_get0_pubkey(plain)));
	assert_int_equal(X509_verify(cert, key) == 1, cert_is_signed_by(plain, key));
	assert_int_equal(X509_verify(cert, key) == 1, cert_is_signed_by(cert, key));
	ERR_clear_error();
}

static void a_leaf_is_read_plainly_as_openssl_reads_it(void **state)
{
	const struct {
		EVP_PKEY *key;
		const EVP_MD *md;
		bool is_pss;
	} rows[] = {
		{EVP_RSA_gen(2048), EVP_sha256(), false},
		{EVP_RSA_gen(2048), EVP_sha384(), true},
		{EVP_EC_gen("P-256"), EVP_sha256(), false},
		{EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf der = BUF(1 << 16);

		add_self_signed(rows[i].key, rows[i].md, rows[i].is_pss, &der);
		assert_read_alike(buf_view(&der));
		for (size_t at = 0; at < der.n; at++) {
			der.p[at] ^= 1;
			assert_read_alike(buf_view(&der));
			der.p[at] ^= 1;
		}
		buf_u8(&der, 0);
		assert_null(cert_from_der_plainly(buf_view(&der)));
		EVP_PKEY_free(rows[i].key);
	}
}

static void a_certificate_that_was_read_plainly_is_equal_to_itself_alone(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048);
	AUTO(buf_free) struct buf one = BUF(1 << 16), two = BUF(1 << 16);
	AUTO(x509_free) X509 *a = NULL, *b = NULL, *again = NULL;
	uint8_t digest[32], wanted[32];

	(void)state;
	add_self_signed(key, EVP_sha256(), false, &one);
	add_self_signed(other, EVP_sha256(), false, &two);
	a = cert_from_der_plainly(buf_view(&one));
	again = cert_from_der_plainly(buf_view(&one));
	b = cert_from_der_plainly(buf_view(&two));
	assert_int_equal(0, X509_cmp(a, again));
	assert_int_not_equal(0, X509_cmp(a, b));
	assert_true(cert_is_signed_by(a, key));
	assert_false(cert_is_signed_by(a, other));
	assert_false(cert_is_signed_by(a, NULL));
	assert_ok(cert_sha256(a, digest));
	assert_ok(SHA256_OF(wanted, buf_view(&one)));
	assert_memory_equal(wanted, digest, sizeof(digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(der_is_read_when_it_is_one_certificate_and_nothing_else),
		cmocka_unit_test(a_leaf_is_read_plainly_as_openssl_reads_it),
		cmocka_unit_test(a_certificate_that_was_read_plainly_is_equal_to_itself_alone),
		cmocka_unit_test(a_limit_of_the_buffer_is_kept),
		cmocka_unit_test(each_certificate_of_a_text_is_read_or_counted),
		cmocka_unit_test(who_needs_all_of_them_gets_all_or_none),
		cmocka_unit_test(of_a_file_the_first_certificate_is_read_when_all_of_it_is_good),
		cmocka_unit_test(a_name_is_written_by_rfc_2253_and_cut_to_its_room),
		cmocka_unit_test(dates_are_read_in_seconds_or_told_to_be_none),
		cmocka_unit_test(a_serial_number_is_written_in_small_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
