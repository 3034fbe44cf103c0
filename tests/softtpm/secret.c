#include "tests/softtpm/secret.h"

#include "ca/base/ossl.h"

#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <string.h>

#define RSA_E 65537u

typedef unsigned __int128 u128;

OSSL_FREE(point_free, EC_POINT, EC_POINT_free)
OSSL_FREE(bn_ctx_free, BN_CTX, BN_CTX_free)

static uint64_t mul(uint64_t a, uint64_t b, uint64_t p)
{
	return (uint64_t)((u128)a * b % p);
}

/* t / 2^64 mod p (Montgomery), with `inverse` of p mod 2^64 and t < 2^64 p. */
static uint64_t reduce(u128 t, uint64_t p, uint64_t inverse)
{
	const uint64_t m = (uint64_t)t * inverse;
	const uint64_t high = (uint64_t)(t >> 64), take = (uint64_t)((u128)m * p >> 64);

	return high >= take ? high - take : high - take + p;
}

/* base^exponent mod p, p odd, base < p: most of what a private operation costs. */
static uint64_t power(uint64_t base, uint64_t exponent, uint64_t p)
{
	const uint64_t one = (uint64_t)(((u128)1 << 64) % p);
	uint64_t inverse = p; /* right in its last 3 bits; each round doubles them */
	uint64_t result = one, square = mul(base, one, p);

	for (int i = 0; i < 5; i++)
		inverse *= 2 - p * inverse;
	for (; exponent != 0; exponent >>= 1) {
		if (exponent & 1)
			result = reduce((u128)result * square, p, inverse);
		square = reduce((u128)square * square, p, inverse);
	}
	return reduce(result, p, inverse);
}

/* p is prime (Fermat). */
static uint64_t invert(uint64_t a, uint64_t p)
{
	return power(a % p, p - 2, p);
}

bool soft_prime_fits(uint64_t p)
{
	return p >= UINT64_C(63) << 58 && (p - 1) % RSA_E != 0;
}

/* 65537^-1 mod p - 1: (k (p - 1) + 1) / 65537 for the k with which that is whole. */
static uint64_t private_exponent(uint64_t p)
{
	const uint64_t k = RSA_E - invert(p - 1, RSA_E);

	return (uint64_t)(((u128)k * (p - 1) + 1) / RSA_E);
}

/* n = n * factor + add, n in 32 digits of 64 bits, the last one first. */
static void mul_add(uint64_t n[static SOFT_PRIMES], uint64_t factor, uint64_t add)
{
	u128 carry = add;

	for (size_t i = 0; i < SOFT_PRIMES; i++) {
		carry += (u128)n[i] * factor;
		n[i] = (uint64_t)carry;
		carry >>= 64;
	}
}

static void write_number(
	const uint64_t n[static SOFT_PRIMES], uint8_t out[static SOFT_MODULUS_SIZE])
{
	for (size_t i = 0; i < SOFT_MODULUS_SIZE; i++)
		out[SOFT_MODULUS_SIZE - 1 - i] = (uint8_t)(n[i / 8] >> 8 * (i % 8));
}

void soft_modulus(const uint64_t primes[static SOFT_PRIMES], uint8_t out[static SOFT_MODULUS_SIZE])
{
	uint64_t n[SOFT_PRIMES] = {1};

	for (size_t i = 0; i < SOFT_PRIMES; i++)
		mul_add(n, primes[i], 0);
	write_number(n, out);
}

static uint64_t residue(const uint8_t in[static SOFT_MODULUS_SIZE], uint64_t p)
{
	uint64_t rest = 0;

	for (size_t i = 0; i < SOFT_MODULUS_SIZE; i += 8) {
		uint64_t digit = 0;

		for (size_t j = 0; j < 8; j++)
			digit = digit << 8 | in[i + j];
		rest = (uint64_t)(((u128)rest << 64 | digit) % p);
	}
	return rest;
}

/*
 * Garner's way from residues to the number: digits[] of a system whose places are worth 1, p0, p0 p1, ... The
 * next digit is what is missing from the number so far, mod the next prime, by what its place is worth.
 */
static void mix(const uint64_t primes[static SOFT_PRIMES], uint64_t digits[static SOFT_PRIMES])
{
	for (size_t i = 1; i < SOFT_PRIMES; i++) {
		const uint64_t p = primes[i];
		uint64_t so_far = 0, place = 1;

		for (size_t j = i; j-- > 0;) {
			so_far = (uint64_t)(((u128)so_far * (primes[j] % p) + digits[j]) % p);
			place = mul(place, primes[j] % p, p);
		}
		digits[i] =
			mul((uint64_t)(((u128)digits[i] + p - so_far) % p), invert(place, p), p);
	}
}

void soft_rsa_private(const uint64_t primes[static SOFT_PRIMES],
	const uint8_t in[static SOFT_MODULUS_SIZE], uint8_t out[static SOFT_MODULUS_SIZE])
{
	uint64_t digits[SOFT_PRIMES], n[SOFT_PRIMES] = {0};

	for (size_t i = 0; i < SOFT_PRIMES; i++)
		digits[i] = power(residue(in, primes[i]), private_exponent(primes[i]), primes[i]);
	mix(primes, digits);
	for (size_t i = SOFT_PRIMES; i-- > 0;)
		mul_add(n, primes[i], digits[i]);
	write_number(n, out);
}

#define HASH_SIZE 32

static bool sha256_of(const void *bytes, size_t n, uint8_t out[static HASH_SIZE])
{
	return EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL) == 1;
}

/* RFC 8017 B.2.1: MGF1, upon `out`. */
static bool unmask(const uint8_t *seed, size_t seed_n, uint8_t *out, size_t n)
{
	uint8_t input[SOFT_MODULUS_SIZE + 4], mask[HASH_SIZE];

	memcpy(input, seed, seed_n);
	memset(input + seed_n, 0, 4);
	for (size_t i = 0; i < n; i++) {
		if (i % HASH_SIZE == 0) {
			input[seed_n + 3] = (uint8_t)(i / HASH_SIZE);
			if (!sha256_of(input, seed_n + 4, mask))
				return false;
		}
		out[i] ^= mask[i % HASH_SIZE];
	}
	return true;
}

/* 00 | masked seed | masked (hash of the label | 00 ... 01 | message) */
bool soft_oaep_open(const uint8_t encoded[static SOFT_MODULUS_SIZE], uint8_t out[static 32])
{
	enum { BLOCK = SOFT_MODULUS_SIZE - HASH_SIZE - 1, AT = BLOCK - 33 };
	uint8_t seed[HASH_SIZE], block[BLOCK], label[HASH_SIZE];
	uint8_t wrong = encoded[0];

	memcpy(seed, encoded + 1, sizeof(seed));
	memcpy(block, encoded + 1 + HASH_SIZE, sizeof(block));
	if (!unmask(block, sizeof(block), seed, sizeof(seed)) ||
		!unmask(seed, sizeof(seed), block, sizeof(block)) ||
		!sha256_of("IDENTITY", sizeof("IDENTITY"), label))
		return false;
	for (size_t i = HASH_SIZE; i < AT; i++)
		wrong |= block[i];
	if (wrong != 0 || block[AT] != 1 || memcmp(block, label, HASH_SIZE) != 0)
		return false;
	memcpy(out, block + AT + 1, 32);
	return true;
}

static EC_GROUP *groups[2];

static void make_groups(void)
{
	groups[0] = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	groups[1] = EC_GROUP_new_by_curve_name(NID_secp384r1);
}

const EC_GROUP *soft_group(int nid)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_groups);
	for (size_t i = 0; i < COUNT(groups); i++)
		if (groups[i] != NULL && EC_GROUP_get_curve_name(groups[i]) == nid)
			return groups[i];
	return NULL;
}

/* x, and y where it is wanted. */
static bool write_point(const EC_GROUP *group, const EC_POINT *point, size_t width, uint8_t *x,
	uint8_t *y, BN_CTX *ctx)
{
	AUTO(bn_free) BIGNUM *bn_x = BN_new();
	AUTO(bn_free) BIGNUM *bn_y = BN_new();

	return bn_x != NULL && bn_y != NULL &&
	       EC_POINT_get_affine_coordinates(group, point, bn_x, bn_y, ctx) == 1 &&
	       BN_bn2binpad(bn_x, x, (int)width) == (int)width &&
	       (y == NULL || BN_bn2binpad(bn_y, y, (int)width) == (int)width);
}

bool soft_point(const EC_GROUP *group, struct view scalar, uint8_t *out, size_t width)
{
	AUTO(bn_ctx_free) BN_CTX *ctx = BN_CTX_new();
	AUTO(bn_free) BIGNUM *d = BN_bin2bn(scalar.p, (int)scalar.n, NULL);
	AUTO(point_free) EC_POINT *point = EC_POINT_new(group);

	return ctx != NULL && d != NULL && point != NULL &&
	       EC_POINT_mul(group, point, d, NULL, NULL, ctx) == 1 &&
	       write_point(group, point, width, out, out + width, ctx);
}

bool soft_ecdh(const EC_GROUP *group, struct view scalar, const uint8_t *x, const uint8_t *y,
	size_t width, uint8_t *out)
{
	AUTO(bn_ctx_free) BN_CTX *ctx = BN_CTX_new();
	AUTO(bn_free) BIGNUM *d = BN_bin2bn(scalar.p, (int)scalar.n, NULL);
	AUTO(point_free) EC_POINT *peer = EC_POINT_new(group);
	AUTO(point_free) EC_POINT *shared = EC_POINT_new(group);
	uint8_t bytes[1 + 2 * 66] = {4};

	memcpy(bytes + 1, x, width);
	memcpy(bytes + 1 + width, y, width);
	return ctx != NULL && d != NULL && peer != NULL && shared != NULL &&
	       EC_POINT_oct2point(group, peer, bytes, 1 + 2 * width, ctx) == 1 &&
	       EC_POINT_mul(group, shared, NULL, peer, d, ctx) == 1 &&
	       write_point(group, shared, width, out, NULL, ctx);
}
