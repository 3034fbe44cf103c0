#include "tests/unit/tpm/weak.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"

const unsigned weak_primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67,
	71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
	167};
const size_t weak_primes_n = COUNT(weak_primes);

/* k * M + (65537^a mod M), k and a random, until it is a prime of 1024 bits. */
static BIGNUM *weak_prime(const BIGNUM *m, BN_CTX *ctx)
{
	AUTO(bn_free) BIGNUM *base = BN_new(), *a = BN_new(), *power = BN_new();
	BIGNUM *p = BN_new();

	assert_int_equal(1, BN_set_word(base, 65537));
	do {
		assert_int_equal(1, BN_rand(a, 60, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY));
		assert_int_equal(1, BN_mod_exp(power, base, a, m, ctx));
		assert_int_equal(1,
			BN_rand(p, 1024 - BN_num_bits(m) + 1, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY));
		assert_int_equal(1, BN_mul(p, p, m, ctx));
		assert_int_equal(1, BN_add(p, p, power));
	} while (BN_num_bits(p) != 1024 || BN_check_prime(p, ctx, NULL) != 1);
	return p;
}

BIGNUM *weak_modulus(void)
{
	AUTO(bn_free) BIGNUM *m = BN_new(), *p = NULL, *q = NULL;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new();

	assert_int_equal(1, BN_set_word(m, 2));
	for (size_t i = 0; i < COUNT(weak_primes); i++)
		assert_int_equal(1, BN_mul_word(m, weak_primes[i]));
	do {
		BN_free(p);
		BN_free(q);
		p = weak_prime(m, ctx);
		q = weak_prime(m, ctx);
		assert_int_equal(1, BN_mul(n, p, q, ctx));
	} while (BN_num_bits(n) != 2048);
	BN_CTX_free(ctx);
	return n;
}

EVP_PKEY *weak_key(void)
{
	AUTO(bn_free) BIGNUM *n = weak_modulus();

	return rsa_of_modulus(n, 65537);
}
