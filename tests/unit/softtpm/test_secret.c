#include "tests/softtpm/secret.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

/* The next 32 primes that fit, from a number on. */
static void find_primes(uint64_t from, uint64_t primes[static SOFT_PRIMES])
{
	AUTO(bn_free) BIGNUM *bn = BN_new();

	for (size_t n = 0; n < SOFT_PRIMES; from += 2) {
		assert_int_equal(1, BN_set_word(bn, from));
		if (soft_prime_fits(from) && BN_check_prime(bn, NULL, NULL) == 1)
			primes[n++] = from;
	}
}

static void a_private_operation_undoes_the_public_one(void **state)
{
	AUTO(bn_free) BIGNUM *n = NULL;
	AUTO(bn_free) BIGNUM *e = BN_new();
	AUTO(bn_free) BIGNUM *c = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	uint64_t primes[SOFT_PRIMES];
	uint8_t modulus[SOFT_MODULUS_SIZE], message[SOFT_MODULUS_SIZE], in[SOFT_MODULUS_SIZE],
		out[SOFT_MODULUS_SIZE];

	(void)state;
	find_primes(UINT64_C(0xfc00000000000001), primes);
	soft_modulus(primes, modulus);
	n = BN_bin2bn(modulus, sizeof(modulus), NULL);
	BN_set_word(e, RSA_F4);
	assert_int_equal(2048, BN_num_bits(n));
	for (unsigned i = 0; i < 50; i++) {
		AUTO(bn_free) BIGNUM *m = BN_new();

		/* Also what is small, and what a prime divides. */
		BN_set_word(m, i < 2 ? i : primes[i % SOFT_PRIMES]);
		if (i >= 10)
			assert_int_equal(1, BN_priv_rand_range(m, n));
		BN_bn2binpad(m, message, sizeof(message));
		assert_int_equal(1, BN_mod_exp(c, m, e, n, ctx));
		BN_bn2binpad(c, in, sizeof(in));
		soft_rsa_private(primes, in, out);
		assert_memory_equal(message, out, sizeof(out));
	}
	BN_CTX_free(ctx);
}

static void a_prime_that_does_not_fit_is_told(void **state)
{
	(void)state;
	assert_false(soft_prime_fits(UINT64_C(0xfbffffffffffffff)));
	assert_true(soft_prime_fits(UINT64_C(0xffffffffffffffc5)));
	/* One more than a multiple of 65537. */
	assert_false(soft_prime_fits((UINT64_MAX / 65537 - 2) * 65537 + 1));
}

static void points_and_secrets_are_those_of_the_curve(void **state)
{
	static const int curves[] = {NID_X9_62_prime256v1, NID_secp384r1};

	(void)state;
	for (size_t i = 0; i < COUNT(curves); i++) {
		const EC_GROUP *group = soft_group(curves[i]);
		const size_t width = i == 0 ? 32 : 48;
		uint8_t a[48] = {1, 2, 3}, b[48] = {4, 5, 6}, pa[96], pb[96], za[48], zb[48];

		assert_true(soft_point(group, (struct view){a, width}, pa, width));
		assert_true(soft_point(group, (struct view){b, width}, pb, width));
		assert_true(soft_ecdh(group, (struct view){a, width}, pb, pb + width, width, za));
		assert_true(soft_ecdh(group, (struct view){b, width}, pa, pa + width, width, zb));
		assert_memory_equal(za, zb, width);
		pb[0] ^= 1;
		assert_false(soft_ecdh(group, (struct view){a, width}, pb, pb + width, width, za));
	}
	assert_null(soft_group(NID_secp521r1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_private_operation_undoes_the_public_one),
		cmocka_unit_test(a_prime_that_does_not_fit_is_told),
		cmocka_unit_test(points_and_secrets_are_those_of_the_curve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
