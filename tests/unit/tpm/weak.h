/* weak.h - RSA keys as the faulty library of CVE-2017-15361 made them. */
#pragma once

#include <openssl/bn.h>
#include <openssl/evp.h>

/* The primes whose product M the fingerprint is about, without 2: 38 of them. */
extern const unsigned weak_primes[];
extern const size_t weak_primes_n;

/* A 2048 bit modulus p * q, each k * M + (65537^a mod M). For BN_free(). */
BIGNUM *weak_modulus(void);
/* A public key with such a modulus. */
EVP_PKEY *weak_key(void);
