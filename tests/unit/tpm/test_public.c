#include "enroll/tpm/public.h"

#include "ca/base/crypt.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/numbers.h"
#include "enroll/tpm/tss.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

static void each_kind_of_key_is_known_by_its_name(void **state)
{
	static const char *const texts[] = {[KEY_RSA_2048] = "rsa2048",
		[KEY_RSA_3072] = "rsa3072",
		[KEY_RSA_4096] = "rsa4096",
		[KEY_P256] = "p256",
		[KEY_P384] = "p384",
		[KEY_P521] = "p521"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(pkey_free) EVP_PKEY *key = key_public_half((enum key_kind)i);
		enum key_kind kind;

		assert_ok(key_kind_of(key, &kind));
		assert_int_equal(i, kind);
		assert_string_equal(texts[i], key_kind_text(kind));
	}
}

static EVP_PKEY *explicit_p256(void)
{
	EVP_PKEY *key = key_pair(KEY_P256);

	assert_int_equal(1, EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
				    OSSL_PKEY_EC_ENCODING_EXPLICIT));
	return key;
}

/* The key as it comes out of its SubjectPublicKeyInfo. */
static EVP_PKEY *through_der(EVP_PKEY *key)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	const uint8_t *p = der;
	EVP_PKEY *again = d2i_PUBKEY(NULL, &p, n);

	assert_non_null(again);
	return again;
}

static void other_keys_are_of_no_kind(void **state)
{
	AUTO(pkey_free) EVP_PKEY *explicit = explicit_p256();
	EVP_PKEY *keys[] = {rsa_of_bits(1024, 65537), rsa_of_bits(2047, 65537),
		rsa_of_bits(2049, 65537), rsa_of_bits(2048, 3), rsa_of_bits(2048, 65539),
		EVP_EC_gen("P-224"), EVP_EC_gen("secp256k1"), EVP_EC_gen("brainpoolP256r1"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), through_der(explicit),
		EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		uint8_t digest[32];
		enum key_kind kind;

		assert_non_null(keys[i]);
		assert_refused(key_kind_of(keys[i], &kind), ERR_REJECTED, "key-kind");
		assert_refused(spki_sha256(keys[i], digest), ERR_REJECTED, "key-kind");
		EVP_PKEY_free(keys[i]);
	}
}

static void the_digest_of_a_key_is_over_its_plain_encoding(void **state)
{
	(void)state;
	for (enum key_kind kind = KEY_RSA_2048; kind <= KEY_P521; kind++) {
		AUTO(pkey_free) EVP_PKEY *key = key_public_half(kind);
		AUTO(ossl_free) uint8_t *der = NULL;
		uint8_t wanted[32], digest[32];
		int n = i2d_PUBKEY(key, &der);

		assert_ok(SHA256_OF(wanted, ((struct view){der, (size_t)n})));
		assert_ok(spki_sha256(key, digest));
		assert_memory_equal(wanted, digest, sizeof(digest));
	}
}

/* Each bit of all that is not a number matters. */
static void numbers_are_read_out_of_the_plain_encoding_alone(void **state)
{
	(void)state;
	for (enum key_kind kind = KEY_RSA_2048; kind <= KEY_P521; kind++) {
		AUTO(pkey_free) EVP_PKEY *key = key_public_half(kind);
		AUTO(ossl_free) uint8_t *der = NULL;
		struct key_numbers wanted = {0}, read;
		size_t n = (size_t)i2d_PUBKEY(key, &der), width, numbers, changed = 0;

		assert_ok(key_numbers_of(key, &wanted));
		assert_true(key_numbers_read((struct view){der, n}, &read));
		assert_memory_equal(&wanted, &read, sizeof(read));
		width = wanted.width;
		numbers = key_numbers_are_rsa(&wanted) ? width : 2 * width;
		for (size_t i = 0; i < n; i++) {
			der[i] ^= 0x80;
			changed += key_numbers_read((struct view){der, n}, &read);
			der[i] ^= 0x80;
			assert_false(key_numbers_read((struct view){der, i}, &read));
		}
		/* The highest bit of a modulus is part of its size. */
		assert_int_equal(numbers - (key_numbers_are_rsa(&wanted) ? 1 : 0), changed);
	}
}

static void a_compressed_point_changes_nothing(void **state)
{
	(void)state;
	for (enum key_kind kind = KEY_P256; kind <= KEY_P521; kind++) {
		AUTO(pkey_free) EVP_PKEY *key = key_pair(kind), *compressed = NULL;
		uint8_t digest[32], again[32];

		assert_ok(spki_sha256(key, digest));
		assert_int_equal(1, EVP_PKEY_set_utf8_string_param(key,
					    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					    OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED));
		compressed = through_der(key);
		assert_ok(spki_sha256(compressed, again));
		assert_memory_equal(digest, again, sizeof(digest));
	}
}

/* rsaEncryption with NULL as its parameter, and without one. */
static void an_absent_parameter_changes_nothing(void **state)
{
	static const int types[] = {V_ASN1_NULL, V_ASN1_UNDEF};
	AUTO(pkey_free) EVP_PKEY *key = rsa_of_bits(2048, 65537);
	uint8_t digest[2][32];

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		AUTO(ossl_free) uint8_t *der = NULL;
		AUTO(pkey_free) EVP_PKEY *again = NULL;
		uint8_t *bits = NULL;
		int bits_n = i2d_PublicKey(key, &bits), n;
		X509_PUBKEY *spki = X509_PUBKEY_new();
		const uint8_t *p;

		assert_int_equal(1, X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_rsaEncryption),
					    types[i], NULL, bits, bits_n));
		n = i2d_X509_PUBKEY(spki, &der);
		X509_PUBKEY_free(spki);
		p = der;
		again = d2i_PUBKEY(NULL, &p, n);
		assert_non_null(again);
		assert_ok(spki_sha256(again, digest[i]));
	}
	assert_memory_equal(digest[0], digest[1], 32);
}

/* A coordinate with a zero in front, about one key of 128. */
static EVP_PKEY *key_with_short_coordinate(void)
{
	for (;;) {
		AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
		AUTO(bn_free) BIGNUM *x = NULL, *y = NULL;

		assert_int_equal(1, EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x));
		assert_int_equal(1, EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y));
		if (BN_num_bytes(x) < 32 || BN_num_bytes(y) < 32)
			return MOVE(key);
	}
}

static void drop_zeros(TPM2B_ECC_PARAMETER *coordinate)
{
	while (coordinate->size > 0 && coordinate->buffer[0] == 0)
		memmove(coordinate->buffer, coordinate->buffer + 1, --coordinate->size);
}

static void a_coordinate_with_zeros_in_front_is_the_same_with_or_without_them(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = key_with_short_coordinate();
	uint8_t digest[32], again[32];

	(void)state;
	assert_ok(spki_sha256(key, digest));
	for (int without = 0; without < 2; without++) {
		AUTO(pkey_free) EVP_PKEY *read = NULL;
		enum key_kind kind;
		TPMT_PUBLIC area;

		area_of_ak_key(key, &area);
		if (without) {
			drop_zeros(&area.unique.ecc.x);
			drop_zeros(&area.unique.ecc.y);
		}
		assert_ok(public_pkey(&area, &read, &kind));
		assert_int_equal(1, EVP_PKEY_eq(key, read));
		assert_ok(spki_sha256(read, again));
		assert_memory_equal(digest, again, sizeof(digest));
	}
}

static void a_public_area_is_read_and_written_as_it_was(void **state)
{
	(void)state;
	for (enum key_kind kind = KEY_RSA_2048; kind <= KEY_P521; kind++) {
		AUTO(buf_free) struct buf bytes = BUF(2048), again = BUF(2048);
		TPMT_PUBLIC area, read;

		area_of_ak(kind, &area);
		area_add(&area, &bytes);
		assert_ok(public_read(buf_view(&bytes), &read));
		assert_ok(public_write(&read, &again));
		assert_view_equal(buf_view(&bytes), buf_view(&again));
	}
}

static void what_is_no_public_area_is_malformed(void **state)
{
	static const uint8_t short_size[] = {0}, none[] = {0, 0}, garbage[] = {0, 4, 1, 2, 3, 4},
			     less[] = {0, 5, 0, 0x23};
	const struct view rows[] = {
		{NULL, 0}, VIEW(short_size), VIEW(none), VIEW(garbage), VIEW(less)};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TPMT_PUBLIC area;

		assert_refused(public_read(rows[i], &area), ERR_MALFORMED, "tpm-public");
	}
}

static void an_area_larger_than_its_buffer_is_too_large(void **state)
{
	AUTO(buf_free) struct buf small = BUF(40);
	TPMT_PUBLIC area;

	(void)state;
	area_of_ak(KEY_P256, &area);
	assert_refused(public_write(&area, &small), ERR_TOO_LARGE, "too-large");
}

static void a_name_is_made_with_a_strong_digest_only(void **state)
{
	static const struct {
		uint16_t alg;
		size_t n;
	} rows[] = {{TPM2_ALG_SHA256, 34}, {TPM2_ALG_SHA384, 50}, {TPM2_ALG_SHA512, 66},
		{TPM2_ALG_SHA1, 0}, {TPM2_ALG_NULL, 0}, {TPM2_ALG_SHA3_256, 0}};
	static const uint8_t bytes[] = {0, 3, 'a', 'b', 'c'};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tpm_name name;
		uint8_t digest[64];
		unsigned int n = 0;

		if (rows[i].n == 0) {
			assert_refused(public_name(VIEW(bytes), rows[i].alg, &name), ERR_REJECTED,
				"ak-name-algorithm");
			continue;
		}
		assert_ok(public_name(VIEW(bytes), rows[i].alg, &name));
		assert_int_equal(rows[i].n, name.n);
		assert_int_equal(rows[i].alg, name.bytes[0] << 8 | name.bytes[1]);
		EVP_Digest("abc", 3, digest, &n, digest_of(rows[i].alg), NULL);
		assert_view_equal(
			((struct view){digest, n}), ((struct view){name.bytes + 2, name.n - 2}));
	}
}

static void a_key_of_neither_type_is_refused(void **state)
{
	TPMT_PUBLIC area = {.type = TPM2_ALG_KEYEDHASH, .nameAlg = TPM2_ALG_SHA256};
	EVP_PKEY *key = NULL;
	enum key_kind kind;

	(void)state;
	assert_refused(public_pkey(&area, &key, &kind), ERR_REJECTED, "ak-key");
	assert_null(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_key_is_known_by_its_name),
		cmocka_unit_test(other_keys_are_of_no_kind),
		cmocka_unit_test(the_digest_of_a_key_is_over_its_plain_encoding),
		cmocka_unit_test(numbers_are_read_out_of_the_plain_encoding_alone),
		cmocka_unit_test(a_compressed_point_changes_nothing),
		cmocka_unit_test(an_absent_parameter_changes_nothing),
		cmocka_unit_test(a_coordinate_with_zeros_in_front_is_the_same_with_or_without_them),
		cmocka_unit_test(a_public_area_is_read_and_written_as_it_was),
		cmocka_unit_test(what_is_no_public_area_is_malformed),
		cmocka_unit_test(an_area_larger_than_its_buffer_is_too_large),
		cmocka_unit_test(a_name_is_made_with_a_strong_digest_only),
		cmocka_unit_test(a_key_of_neither_type_is_refused),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
