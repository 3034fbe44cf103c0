#include "ca/base/ossl.h"
#include "tests/bench/endorse-bench/floor/part.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>

static void signatures_free(void *state)
{
	EVP_PKEY_CTX_free(state);
}

static enum err prepare(EVP_PKEY *key, void **state)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);

	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1)
		return part_openssl("EVP_PKEY_sign_init");
	*state = MOVE(ctx);
	return OK;
}

static enum err p256_make(const struct floor_plan *plan, void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)plan;
	return prepare(key, state);
}

static enum err rsa2048_make(const struct floor_plan *plan, void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_RSA_gen(2048);

	(void)plan;
	return prepare(key, state);
}

static enum err signatures_run(void *state, unsigned *n, uint64_t *ns)
{
	static const uint8_t digest[32] = {1};
	uint8_t signature[512];
	uint64_t start = part_clock();

	for (unsigned i = 0; i < *n; i++) {
		size_t size = sizeof(signature);

		if (EVP_PKEY_sign(state, signature, &size, digest, sizeof(digest)) != 1)
			return part_openssl("EVP_PKEY_sign");
	}
	*ns = part_clock() - start;
	return OK;
}

const struct part part_p256 = {800, p256_make, signatures_run, signatures_free};
const struct part part_rsa2048 = {40, rsa2048_make, signatures_run, signatures_free};
