#include "tests/bench/endorse-bench/floor/mac.h"
#include "tests/bench/endorse-bench/floor/notary.h"

#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 34 /* of an AK with SHA-256 */

/* TPM 2.0 Part 1, 24, for an EK of template L-1: RSA-2048, SHA-256, AES-128. */
struct credential {
	EVP_PKEY *ek;
	EVP_MD *sha256;
	EVP_CIPHER *cfb;
	EVP_CIPHER_CTX *aes;
	struct mac mac;
	uint8_t name[NAME_SIZE];
};

static void credential_free(void *state)
{
	struct credential *credential = state;

	if (credential != NULL) {
		EVP_PKEY_free(credential->ek);
		EVP_MD_free(credential->sha256);
		EVP_CIPHER_free(credential->cfb);
		EVP_CIPHER_CTX_free(credential->aes);
		mac_free(&credential->mac);
	}
	free(credential);
}

static void state_free(struct credential **state)
{
	credential_free(*state);
	*state = NULL;
}

static enum err credential_make_state(const struct floor_plan *plan, void **state)
{
	AUTO(state_free) struct credential *credential = calloc(1, sizeof(*credential));

	(void)plan;
	if (credential == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "credential");
	credential->ek = EVP_RSA_gen(2048);
	credential->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	credential->cfb = EVP_CIPHER_fetch(NULL, "AES-128-CFB", NULL);
	credential->aes = EVP_CIPHER_CTX_new();
	if (credential->ek == NULL || credential->sha256 == NULL || credential->cfb == NULL ||
		credential->aes == NULL)
		return part_openssl("EVP_RSA_gen");
	TRY(mac_make(&credential->mac));
	*state = MOVE(credential);
	return OK;
}

static bool wrap(const struct credential *credential, const uint8_t seed[static 32],
	uint8_t secret[static 256])
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(credential->ek, NULL);
	char *label = OPENSSL_memdup("IDENTITY", sizeof("IDENTITY"));
	size_t n = 256;

	if (ctx == NULL || label == NULL || EVP_PKEY_encrypt_init(ctx) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
		EVP_PKEY_CTX_set_rsa_oaep_md(ctx, credential->sha256) != 1 ||
		EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, sizeof("IDENTITY")) != 1) {
		OPENSSL_free(label);
		return false;
	}
	return EVP_PKEY_encrypt(ctx, secret, &n, seed, 32) == 1;
}

/* KDFa of one block: counter | label 00 | context | bits (TPM 2.0 Part 1, 11.4.10.2). */
static bool derive(struct mac *mac, const uint8_t seed[static 32], const char *label,
	struct view context, uint32_t bits, uint8_t out[static 32])
{
	const uint8_t counter[4] = {0, 0, 0, 1};
	const uint8_t size[4] = {0, 0, (uint8_t)(bits >> 8), (uint8_t)bits};

	return mac_of(mac, seed,
		(const struct view[]){VIEW(counter), {(const uint8_t *)label, strlen(label) + 1},
			context, VIEW(size)},
		4, out);
}

static bool make_one(struct credential *credential)
{
	uint8_t seed[32], session[2 + 32] = {0, 32}, key[32], mac_key[32];
	uint8_t identity[sizeof(session)], mac[32], secret[256];
	static const uint8_t iv[16];
	struct view name = VIEW(credential->name);
	int n = 0;

	return RAND_bytes(seed, sizeof(seed)) == 1 && RAND_bytes(session + 2, 32) == 1 &&
	       wrap(credential, seed, secret) &&
	       derive(&credential->mac, seed, "STORAGE", name, 128, key) &&
	       EVP_EncryptInit_ex2(credential->aes, credential->cfb, key, iv, NULL) == 1 &&
	       EVP_EncryptUpdate(credential->aes, identity, &n, session, (int)sizeof(session)) ==
		       1 &&
	       derive(&credential->mac, seed, "INTEGRITY", (struct view){NULL, 0}, 256, mac_key) &&
	       mac_of(&credential->mac, mac_key, (const struct view[]){VIEW(identity), name}, 2,
		       mac);
}

static enum err credential_run(void *state, unsigned *n, uint64_t *ns)
{
	uint64_t start = part_clock();

	for (unsigned i = 0; i < *n; i++)
		if (!make_one(state))
			return part_openssl("MakeCredential");
	*ns = part_clock() - start;
	return OK;
}

const struct part part_credential = {600, credential_make_state, credential_run, credential_free};
