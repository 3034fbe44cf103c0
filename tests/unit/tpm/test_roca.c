#include "enroll/tpm/roca.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/weak.h"

#include <openssl/pem.h>

static void a_modulus_of_two_such_primes_is_recognised(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		AUTO(pkey_free) EVP_PKEY *key = weak_key();

		assert_true(is_roca(key));
	}
}

/* n + M/prime * u for the u that makes it divisible by `prime` and leaves it as it is modulo
 * others. */
static void make_divisible(BIGNUM *n, unsigned prime)
{
	AUTO(bn_free) BIGNUM *step = BN_new();

	assert_int_equal(1, BN_set_word(step, 2));
	for (size_t i = 0; i < weak_primes_n; i++)
		if (weak_primes[i] != prime)
			assert_int_equal(1, BN_mul_word(step, weak_primes[i]));
	while (BN_mod_word(n, prime) != 0)
		assert_int_equal(1, BN_add(n, n, step));
}

static void each_of_the_primes_can_acquit_a_key(void **state)
{
	AUTO(bn_free) BIGNUM *weak = weak_modulus();

	(void)state;
	for (size_t i = 0; i < weak_primes_n; i++) {
		AUTO(bn_free) BIGNUM *n = BN_dup(weak);
		AUTO(pkey_free) EVP_PKEY *key = NULL;

		make_divisible(n, weak_primes[i]);
		key = rsa_of_modulus(n, 65537);
		if (is_roca(key))
			fail_msg("the residue modulo %u is not looked at", weak_primes[i]);
	}
}

static void ordinary_keys_are_not_flagged(void **state)
{
	AUTO(pkey_free) EVP_PKEY *rsa = key_pair(KEY_RSA_2048), *ec = key_pair(KEY_P256);
	AUTO(pkey_free) EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	(void)state;
	assert_false(is_roca(rsa));
	assert_false(is_roca(ec));
	assert_false(is_roca(ed25519));
	for (int i = 0; i < 500; i++) {
		AUTO(pkey_free) EVP_PKEY *key = rsa_of_bits(2048, 65537);

		assert_false(is_roca(key));
	}
}

/* As the library made them: M of 126 primes for 2048 and 3072 bits, of 225 for 4096 (the paper's table 1). */
static void keys_of_all_sizes_that_the_library_makes_are_recognised(void **state)
{
	static const struct {
		const char *path;
		int bits;
	} keys[] = {{"ek-roca.pem", 2048}, {"ek-roca3072.pem", 3072}, {"ek-roca4096.pem", 4096}};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		AUTO(mem_free)
		char *path = path_join(ENDORSE_SOURCE_DIR "/tests/fixtures/ek/keys", keys[i].path);
		AUTO(buf_free) struct buf pem = BUF(8192);
		AUTO(bio_free) BIO *bio = NULL;
		AUTO(pkey_free) EVP_PKEY *key = NULL;

		assert_ok(file_read(path, &pem));
		bio = BIO_new_mem_buf(pem.p, (int)pem.n);
		assert_non_null(key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL));
		assert_int_equal(keys[i].bits, EVP_PKEY_get_bits(key));
		assert_true(is_roca(key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_modulus_of_two_such_primes_is_recognised),
		cmocka_unit_test(keys_of_all_sizes_that_the_library_makes_are_recognised),
		cmocka_unit_test(each_of_the_primes_can_acquit_a_key),
		cmocka_unit_test(ordinary_keys_are_not_flagged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
