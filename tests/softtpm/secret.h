/* secret.h - private halves as bare numbers: for fleets, where an EVP_PKEY of each device would cost more
 * than all that the device does. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/ec.h>
#include <stdint.h>

/*
 * An RSA-2048 modulus that is the product of 32 primes of 64 bits. As a public key it is like any
 * other, and costs the other side as much; the private operation takes some 20 us instead of some 700. It is
 * worthless as a key: anybody can factor it.
 */
#define SOFT_PRIMES 32
#define SOFT_MODULUS_SIZE 256

/* May `p` be one of them? Above 63/64 of 2^64, so that 32 make 2048 bits, and fit for the exponent 65537. */
bool soft_prime_fits(uint64_t p);
void soft_modulus(const uint64_t primes[static SOFT_PRIMES], uint8_t out[static SOFT_MODULUS_SIZE]);
/* in^d mod n; the primes are distinct and fit. */
void soft_rsa_private(const uint64_t primes[static SOFT_PRIMES],
	const uint8_t in[static SOFT_MODULUS_SIZE], uint8_t out[static SOFT_MODULUS_SIZE]);

/*
 * RFC 8017 7.1.2 with the label "IDENTITY" and its NUL, as TPMs have it (TPM 2.0 Part 1, B.4), and
 * SHA-256: the message, of 32 bytes; false when it is none. Not in constant time: nobody listens.
 */
bool soft_oaep_open(const uint8_t encoded[static SOFT_MODULUS_SIZE], uint8_t out[static 32]);

/* P-256 or P-384, made once and shared by all threads; NULL for any other. Points are x and y, as wide as the field. */
const EC_GROUP *soft_group(int nid);
/* The point of a scalar; false when there is no memory. */
bool soft_point(const EC_GROUP *group, struct view scalar, uint8_t *out, size_t width);
/* x of scalar * peer; false also for a peer that is not on the curve. */
bool soft_ecdh(const EC_GROUP *group, struct view scalar, const uint8_t *x, const uint8_t *y,
	size_t width, uint8_t *out);
