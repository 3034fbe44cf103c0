#include "enroll/tpm/roca.h"

#include "ca/base/mem.h"

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
bool is_roca(EVP_PKEY *key)
{
	BIGNUM *n = NULL;
	bool found = true;

	if (!EVP_PKEY_is_a(key, "RSA") ||
		EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1)
		return false;
	for (size_t i = 0; i < COUNT(primes) && found; i++)
		found = is_power(BN_mod_word(n, primes[i]), primes[i]);
	BN_free(n);
	return found;
}
