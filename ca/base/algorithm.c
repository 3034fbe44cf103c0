#include "ca/base/algorithm.h"

#include "ca/base/ossl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <pthread.h>

enum { MD_SHA256, MD_SHA384, MD_SHA512, MDS };
enum { AES_256_GCM, AES_128_CFB, AES_256_CFB, CIPHERS };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const EVP_MD *md[MDS];
static const EVP_CIPHER *cipher[CIPHERS];
static EVP_MAC_CTX *hmac[MDS]; /* without a key; each use is a copy */

static void fetch_mds(void)
{
	const EVP_MD *const plain[MDS] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};

	for (size_t i = 0; i < MDS; i++) {
		md[i] = EVP_MD_fetch(NULL, EVP_MD_get0_name(plain[i]), NULL);
		if (md[i] == NULL)
			md[i] = plain[i];
	}
}

static void fetch_ciphers(void)
{
	const EVP_CIPHER *const plain[CIPHERS] = {
		EVP_aes_256_gcm(), EVP_aes_128_cfb128(), EVP_aes_256_cfb128()};

	for (size_t i = 0; i < CIPHERS; i++) {
		cipher[i] = EVP_CIPHER_fetch(NULL, EVP_CIPHER_get0_name(plain[i]), NULL);
		if (cipher[i] == NULL)
			cipher[i] = plain[i];
	}
}

static void fetch_hmac(void)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	for (size_t i = 0; i < MDS && mac != NULL; i++) {
		const OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(
				OSSL_MAC_PARAM_DIGEST, (char *)EVP_MD_get0_name(md[i]), 0),
			OSSL_PARAM_construct_end(),
		};

		hmac[i] = EVP_MAC_CTX_new(mac);
		if (hmac[i] == NULL || EVP_MAC_CTX_set_params(hmac[i], params) != 1) {
			EVP_MAC_CTX_free(hmac[i]);
			hmac[i] = NULL;
		}
	}
	EVP_MAC_free(mac);
}

static void fetch_all(void)
{
	fetch_mds();
	fetch_ciphers();
	fetch_hmac();
}

static const EVP_MD *md_of(size_t i)
{
	pthread_once(&once, fetch_all);
	return md[i];
}

static const EVP_CIPHER *cipher_of(size_t i)
{
	pthread_once(&once, fetch_all);
	return cipher[i];
}

const EVP_MD *algorithm_sha256(void)
{
	return md_of(MD_SHA256);
}

const EVP_MD *algorithm_sha384(void)
{
	return md_of(MD_SHA384);
}

const EVP_MD *algorithm_sha512(void)
{
	return md_of(MD_SHA512);
}

const EVP_CIPHER *algorithm_aes_256_gcm(void)
{
	return cipher_of(AES_256_GCM);
}

const EVP_CIPHER *algorithm_aes_128_cfb(void)
{
	return cipher_of(AES_128_CFB);
}

const EVP_CIPHER *algorithm_aes_256_cfb(void)
{
	return cipher_of(AES_256_CFB);
}

static EVP_MAC_CTX *hmac_of(const EVP_MD *wanted)
{
	for (size_t i = 0; i < MDS; i++)
		if (md_of(i) == wanted)
			return hmac[i] == NULL ? NULL : EVP_MAC_CTX_dup(hmac[i]);
	return NULL;
}

enum err algorithm_hmac(const EVP_MD *wanted, struct view key, const struct view *pieces, size_t n,
	uint8_t out[static EVP_MAX_MD_SIZE], size_t *out_n)
{
	AUTO(mac_ctx_free) EVP_MAC_CTX *ctx = hmac_of(wanted);
	/* NULL is no key, and not an empty one. */
	const uint8_t *bytes = key.n == 0 ? (const uint8_t *)"" : key.p;
	bool is_good = ctx != NULL && EVP_MAC_init(ctx, bytes, key.n, NULL) == 1;

	for (size_t i = 0; i < n && is_good; i++)
		is_good = EVP_MAC_update(ctx, pieces[i].p, pieces[i].n) == 1;
	if (!is_good || EVP_MAC_final(ctx, out, out_n, EVP_MAX_MD_SIZE) != 1)
		return fail(ERR_INTERNAL, "crypto", "OpenSSL failed in HMAC");
	return OK;
}
