#include "enroll/tpm/roca.h"

#include "ca/base/ossl.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

static const unsigned primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61,
	67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
	167};

/* Is `value` a power of 65537 modulo `prime`? */
static bool is_power(BN_ULONG value, unsigned prime)
{
	unsigned power = 1;

	do {
		if (power == value)
			return true;
		power = power * (65537 % prime) % prime;
	} while (power != 1);
	return false;
}

/*
 * The faulty library makes primes k * M + (65537^a mod M), M a product of small primes. So the
 * modulus is a power of 65537 modulo each of them; another key passes all of these with a chance of
 * about 2^-27 (Nemec and others, "The Return of Coppersmith's Attack", 2017, 2.1).
 */
static bool is_roca_modulus(const BIGNUM *n)
{
	bool found = true;

	for (size_t i = 0; i < COUNT(primes) && found; i++)
		found = is_power(BN_mod_word(n, primes[i]), primes[i]);
	return found;
}

bool is_roca(EVP_PKEY *key)
{
	AUTO(bn_free) BIGNUM *n = NULL;

	return EVP_PKEY_is_a(key, "RSA") &&
	       EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 && is_roca_modulus(n);
}

bool numbers_are_roca(const struct key_numbers *numbers)
{
	AUTO(bn_free) BIGNUM *n = NULL;

	if (!key_numbers_are_rsa(numbers))
		return false;
	n = BN_bin2bn(numbers->first, (int)numbers->width, NULL);
	/* Without memory nothing shows that it is none. */
	return n == NULL || is_roca_modulus(n);
}
