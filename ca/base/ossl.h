/* ossl.h - for AUTO: what frees OpenSSL's types at the end of a scope. Each leaves NULL behind. */
#pragma once

#include "ca/base/mem.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* For these, and for types that one file alone uses. */
#define OSSL_FREE(name, type, release)                                                             \
	static inline void name(type **p)                                                          \
	{                                                                                          \
		release(*p);                                                                       \
		*p = NULL;                                                                         \
	}

OSSL_FREE(bio_free, BIO, BIO_free_all)
OSSL_FREE(bn_free, BIGNUM, BN_free)
OSSL_FREE(cipher_ctx_free, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
OSSL_FREE(crl_free, X509_CRL, X509_CRL_free)
OSSL_FREE(general_names_free, GENERAL_NAMES, GENERAL_NAMES_free)
OSSL_FREE(mac_ctx_free, EVP_MAC_CTX, EVP_MAC_CTX_free)
OSSL_FREE(md_ctx_free, EVP_MD_CTX, EVP_MD_CTX_free)
OSSL_FREE(ossl_free, uint8_t, OPENSSL_free)
OSSL_FREE(ossl_text_free, char, OPENSSL_free)
OSSL_FREE(pkey_ctx_free, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
OSSL_FREE(pkey_free, EVP_PKEY, EVP_PKEY_free)
OSSL_FREE(store_ctx_free, X509_STORE_CTX, X509_STORE_CTX_free)
OSSL_FREE(store_free, X509_STORE, X509_STORE_free)
OSSL_FREE(x509_free, X509, X509_free)

static inline void x509_stack_free(STACK_OF(X509) **stack)
{
	sk_X509_pop_free(*stack, X509_free);
	*stack = NULL;
}
