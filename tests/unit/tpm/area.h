/* area.h - public areas of TPM keys as a TPM would make them, but of software keys. */
#pragma once

#include "enroll/tpm/public.h"

#include <openssl/evp.h>
#include <tss2/tss2_mu.h>

#define SERVICE "https://ca.example.org"

/* A key pair; RSA 2048 takes its time. */
EVP_PKEY *key_pair(enum key_kind kind);
/* An RSA public key with this modulus, or this exponent, or of this size; nobody knows its factors. */
EVP_PKEY *rsa_of_modulus(const BIGNUM *n, unsigned long exponent);
EVP_PKEY *rsa_of_bits(int bits, unsigned long exponent);
/* A public key of the kind, made quickly: for RSA with rsa_of_bits(). */
EVP_PKEY *key_public_half(enum key_kind kind);

/* The authPolicy of an AK for `service`, by the words of PROTOCOL.md and not by tag.c. */
void area_tag(TPMT_PUBLIC *area, const char *service);
/* An AK for SERVICE with everything as it must be. */
void area_of_ak(enum key_kind kind, TPMT_PUBLIC *area);
/* The same of this key. */
void area_of_ak_key(EVP_PKEY *key, TPMT_PUBLIC *area);
/* An EK that TPM2_MakeCredential works with: nameAlg and AES key size as given, no policy. */
void area_of_ek(EVP_PKEY *key, uint16_t name_alg, uint16_t aes_bits, TPMT_PUBLIC *area);
/* AES-128-CFB, as a storage key has it. */
void area_symmetric(TPMT_SYM_DEF_OBJECT *symmetric);
/* Appends the TPM2B_PUBLIC. */
void area_add(const TPMT_PUBLIC *area, struct buf *out);

const EVP_MD *digest_of(uint16_t alg);
