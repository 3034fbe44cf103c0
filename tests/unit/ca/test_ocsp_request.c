#include "ca/ocsp_request.h"

#include "ca/base/ossl.h"
#include "tests/unit/ca/asker.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

#include <openssl/ocsp.h>

static struct issuer issuer;

static int make(void **state)
{
	struct issuer_recipe recipe = issuer_good();

	(void)state;
	issuer_make(&recipe, &issuer);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	issuer_free(&issuer);
	return 0;
}

/* What a request is made of; zeroes: one certificate with the serial number 23, by SHA-1. */
struct wish {
	const EVP_MD *digest;
	const char *serial; /* hexadecimal */
	int ids; /* 0: one; -1: none */
	const char *nonce; /* the extension's value in hexadecimal */
	const char *second_nonce;
	const char *extension, *single_extension; /* an OID */
	bool is_critical; /* all extensions */
	bool is_named; /* a requestorName */
	bool is_signed;
};

static X509_EXTENSION *extension_of(const char *oid, const char *hex, bool is_critical)
{
	AUTO(buf_free) struct buf value = BUF(1024);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *name = OBJ_txt2obj(oid, 1);
	X509_EXTENSION *extension;

	add_hex(&value, hex);
	ASN1_OCTET_STRING_set(octets, value.p, (int)value.n);
	extension = X509_EXTENSION_create_by_OBJ(NULL, name, is_critical, octets);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(name);
	return extension;
}

#define NONCE "1.3.6.1.5.5.7.48.1.2"

static void extend(OCSP_REQUEST *request, const char *oid, const char *hex, bool is_critical)
{
	X509_EXTENSION *extension;

	if (hex == NULL)
		return;
	extension = extension_of(oid, hex, is_critical);
	assert_int_equal(1, OCSP_REQUEST_add_ext(request, extension, -1));
	X509_EXTENSION_free(extension);
}

static void add_id(OCSP_REQUEST *request, const struct wish *wish)
{
	const EVP_MD *digest = wish->digest == NULL ? EVP_sha1() : wish->digest;
	AUTO(bn_free) BIGNUM *bn = NULL;
	ASN1_INTEGER *serial;
	X509_EXTENSION *extension;
	OCSP_ONEREQ *one;

	assert_true(BN_hex2bn(&bn, wish->serial == NULL ? "17" : wish->serial) > 0);
	serial = BN_to_ASN1_INTEGER(bn, NULL);
	one = OCSP_request_add0_id(
		request, OCSP_cert_id_new(digest, X509_get_subject_name(issuer.cert),
				 X509_get0_pubkey_bitstr(issuer.cert), serial));
	ASN1_INTEGER_free(serial);
	if (wish->single_extension == NULL)
		return;
	extension = extension_of(wish->single_extension, "0500", wish->is_critical);
	assert_int_equal(1, OCSP_ONEREQ_add_ext(one, extension, -1));
	X509_EXTENSION_free(extension);
}

static void request_make(const struct wish *wish, struct buf *out)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	for (int i = 0; i < (wish->ids == 0 ? 1 : wish->ids); i++)
		add_id(request, wish);
	extend(request, NONCE, wish->nonce, wish->is_critical);
	extend(request, NONCE, wish->second_nonce, wish->is_critical);
	extend(request, wish->extension == NULL ? NONCE : wish->extension,
		wish->extension == NULL ? NULL : "0500", wish->is_critical);
	if (wish->is_named)
		assert_int_equal(
			1, OCSP_request_set1_name(request, X509_get_subject_name(issuer.cert)));
	if (wish->is_signed)
		assert_int_equal(1, OCSP_request_sign(request, issuer.cert, issuer.pkey,
					    EVP_sha256(), NULL, 0));
	n = i2d_OCSP_REQUEST(request, &der);
	assert_true(n > 0);
	buf_add(out, (struct view){der, (size_t)n});
	OCSP_REQUEST_free(request);
}

#define ONES_20 "4142434445464748494a4b4c4d4e4f5051525354"
#define BYTES_16 "00112233445566778899aabbccddeeff"
#define BYTES_64 BYTES_16 BYTES_16 BYTES_16 BYTES_16

static void what_clients_send_is_read(void **state)
{
	static const struct {
		const char *name;
		struct wish wish;
		size_t ids, nonce_n;
	} rows[] = {
		{"plain", {.ids = 0}, 1, 0},
		{"sixteen", {.ids = 16}, 16, 0},
		{"longest serial", {.serial = ONES_20}, 1, 0},
		{"zero", {.serial = "00"}, 1, 0},
		{"nonce of 1", {.nonce = "0401aa"}, 1, 1},
		{"nonce of 16", {.nonce = "0410" BYTES_16}, 1, 16},
		{"nonce of 128", {.nonce = "048180" BYTES_64 BYTES_64}, 1, 128},
		{"critical nonce", {.nonce = "0401aa", .is_critical = true}, 1, 1},
		{"service locator", {.single_extension = "1.3.6.1.5.5.7.48.1.7"}, 1, 0},
		{"preferred algorithms", {.extension = "1.3.6.1.5.5.7.48.1.8"}, 1, 0},
		{"named", {.is_named = true}, 1, 0},
		{"signed", {.is_named = true, .is_signed = true, .ids = 2}, 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf der = BUF(1 << 14);
		struct ocsp_request request;

		request_make(&rows[i].wish, &der);
		assert_refused_in(
			rows[i].name, ocsp_request_parse(buf_view(&der), &request), OK, "");
		assert_int_equal(rows[i].ids, request.n);
		assert_int_equal(rows[i].nonce_n, request.nonce_n);
	}
}

static void a_certid_is_told_by_its_parts_and_as_it_was_sent(void **state)
{
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	const struct wish wish = {
		.digest = EVP_sha256(), .serial = "00C0FFEE", .nonce = "0402abcd"};
	struct ocsp_request request;
	uint8_t name[SHA256_SIZE], key[SHA256_SIZE];
	const struct ocsp_id *id = &request.ids[0];

	(void)state;
	request_make(&wish, &der);
	assert_ok(ocsp_request_parse(buf_view(&der), &request));
	X509_NAME_digest(X509_get_subject_name(issuer.cert), EVP_sha256(), name, NULL);
	X509_pubkey_digest(issuer.cert, EVP_sha256(), key, NULL);
	assert_int_equal(OCSP_BY_SHA256, id->hash);
	assert_memory_equal(name, id->name_hash, SHA256_SIZE);
	assert_memory_equal(key, id->key_hash, SHA256_SIZE);
	assert_int_equal(3, id->serial_n);
	assert_memory_equal("\xc0\xff\xee", id->serial, 3);
	assert_memory_equal("\xab\xcd", request.nonce, 2);
	assert_non_null(memmem(der.p, der.n, id->der, id->der_n));
	assert_int_equal(0x30, id->der[0]);
	assert_int_equal(id->der_n - 2, id->der[1]);
}

/* It is nobody's of ours, which is no reason not to read it. */
static void a_digest_that_we_do_not_make_is_another(void **state)
{
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	const struct wish wish = {.digest = EVP_sha512()};
	struct ocsp_request request;

	(void)state;
	request_make(&wish, &der);
	assert_ok(ocsp_request_parse(buf_view(&der), &request));
	assert_int_equal(OCSP_BY_OTHER, request.ids[0].hash);
	assert_true(request.ids[0].der_n > 128);
}

static void what_the_specifications_do_not_have_is_malformed(void **state)
{
	static const struct {
		const char *name;
		struct wish wish;
	} rows[] = {
		{"no certificate", {.ids = -1}},
		{"seventeen", {.ids = 17}},
		{"serial of 21 bytes", {.serial = "55" ONES_20}},
		{"negative serial", {.serial = "-17"}},
		{"nonce of nothing", {.nonce = "0400"}},
		{"nonce of 129", {.nonce = "048181" BYTES_64 BYTES_64 "00"}},
		{"nonce without a wrapping", {.nonce = BYTES_16}},
		{"nonce and more", {.nonce = "0401aa00"}},
		{"two nonces", {.nonce = "0401aa", .second_nonce = "0401ab"}},
		{"critical and unknown", {.extension = "1.2.3.4", .is_critical = true}},
		{"critical of one", {.single_extension = "1.2.3.4", .is_critical = true}},
		{"nonce of one", {.single_extension = NONCE, .is_critical = true}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf der = BUF(1 << 14);
		struct ocsp_request request;

		request_make(&rows[i].wish, &der);
		assert_refused_in(rows[i].name, ocsp_request_parse(buf_view(&der), &request),
			ERR_MALFORMED, "ocsp-malformed");
	}
}

/* 30 len 30 len ..., with `version` in front of the list of requests. */
static void with_version(const struct buf *der, const char *version, struct buf *out)
{
	AUTO(buf_free) struct buf tag = BUF(16);

	add_hex(&tag, version);
	assert_true(der->p[1] < 0x70 && der->p[3] < 0x70);
	buf_u8(out, 0x30);
	buf_u8(out, (uint8_t)(der->p[1] + tag.n));
	buf_u8(out, 0x30);
	buf_u8(out, (uint8_t)(der->p[3] + tag.n));
	buf_add(out, buf_view(&tag));
	buf_add(out, (struct view){der->p + 4, der->n - 4});
}

static void only_version_1_is_read(void **state)
{
	static const struct {
		const char *version;
		enum err err;
	} rows[] = {
		{"", OK},
		{"a003020100", OK}, /* as it is anyway */
		{"a003020101", ERR_MALFORMED},
		{"a0030201ff", ERR_MALFORMED},
		{"a00402020100", ERR_MALFORMED},
	};
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	const struct wish wish = {.ids = 0};

	(void)state;
	request_make(&wish, &der);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf altered = BUF(1 << 14);
		struct ocsp_request request;

		with_version(&der, rows[i].version, &altered);
		assert_refused_in(rows[i].version, ocsp_request_parse(buf_view(&altered), &request),
			rows[i].err, "ocsp-malformed");
	}
}

static void one_request_has_one_spelling(void **state)
{
	AUTO(buf_free) struct buf der = BUF(1 << 14), longer = BUF(1 << 14);
	const struct wish wish = {.nonce = "0401aa"};
	struct ocsp_request request;

	(void)state;
	request_make(&wish, &der);
	for (size_t n = 0; n < der.n; n++)
		assert_refused(ocsp_request_parse((struct view){der.p, n}, &request), ERR_MALFORMED,
			"ocsp-malformed");
	buf_add(&longer, buf_view(&der));
	buf_u8(&longer, 0);
	assert_refused(
		ocsp_request_parse(buf_view(&longer), &request), ERR_MALFORMED, "ocsp-malformed");
	/* Its length in two bytes, which is BER. */
	buf_free(&longer);
	assert_true(der.p[0] == 0x30 && der.p[1] < 0x80);
	buf_u8(&longer, 0x30);
	buf_u8(&longer, 0x81);
	buf_add(&longer, (struct view){der.p + 1, der.n - 1});
	assert_refused(
		ocsp_request_parse(buf_view(&longer), &request), ERR_MALFORMED, "ocsp-malformed");
}

static void a_hash_is_as_long_as_its_digest(void **state)
{
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	const struct wish wish = {.ids = 0};
	uint8_t *oid;
	struct ocsp_request request;

	(void)state;
	request_make(&wish, &der);
	/* id-sha1, 1.3.14.3.2.26, becomes 1.3.14.3.2.25, which nobody has to know ... */
	oid = memmem(der.p, der.n, "\x2b\x0e\x03\x02\x1a", 5);
	assert_non_null(oid);
	oid[4] = 0x19;
	assert_ok(ocsp_request_parse(buf_view(&der), &request));
	assert_int_equal(OCSP_BY_OTHER, request.ids[0].hash);
	oid[4] = 0x1a;
	/* ... and the name's hash one byte less than the key's: 20 + 20 = 19 + 21. */
	oid += 5 + 2;
	assert_int_equal(20, oid[1]);
	memmove(oid + 2 + 19 + 2, oid + 2 + 20 + 2, 20);
	oid[1] = 19;
	oid[2 + 19] = 4;
	oid[2 + 19 + 1] = 21;
	assert_refused(
		ocsp_request_parse(buf_view(&der), &request), ERR_MALFORMED, "ocsp-malformed");
}

/* Else there would be any number of answers about one certificate, to be signed and to be kept. */
static void a_digest_has_no_parameters(void **state)
{
	AUTO(buf_free) struct buf der = BUF(1 << 14), without = BUF(1 << 14);
	const struct wish wish = {.ids = 0};
	struct ocsp_request request;
	uint8_t *null;

	(void)state;
	request_make(&wish, &der);
	null = memmem(der.p, der.n, "\x2b\x0e\x03\x02\x1a\x05\x00", 7);
	assert_non_null(null);
	null += 5;
	/* Left out, which is as good: two bytes less, in each of the six sequences around. */
	buf_add(&without, (struct view){der.p, (size_t)(null - der.p)});
	buf_add(&without, (struct view){null + 2, (size_t)(der.p + der.n - null) - 2});
	for (size_t i = 1; i < 12; i += 2)
		without.p[i] -= 2;
	assert_ok(ocsp_request_parse(buf_view(&without), &request));
	assert_int_equal(OCSP_BY_SHA1, request.ids[0].hash);
	/* An OCTET STRING of nothing. */
	null[0] = 0x04;
	assert_refused(
		ocsp_request_parse(buf_view(&der), &request), ERR_MALFORMED, "ocsp-malformed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_send_is_read),
		cmocka_unit_test(a_certid_is_told_by_its_parts_and_as_it_was_sent),
		cmocka_unit_test(a_digest_that_we_do_not_make_is_another),
		cmocka_unit_test(what_the_specifications_do_not_have_is_malformed),
		cmocka_unit_test(only_version_1_is_read),
		cmocka_unit_test(one_request_has_one_spelling),
		cmocka_unit_test(a_hash_is_as_long_as_its_digest),
		cmocka_unit_test(a_digest_has_no_parameters),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
