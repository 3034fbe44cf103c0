#include "ca/base/crypt.h"

#include "ca/base/algorithm.h"
#include "ca/base/clock.h"
#include "ca/base/ossl.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

static enum err broken(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "OpenSSL failed in %s", what);
}

enum err random_bytes(uint8_t *out, size_t n)
{
	if (n > INT_MAX || RAND_bytes(out, (int)n) != 1)
		return fail(ERR_INTERNAL, "random", "no random bytes to be had");
	return OK;
}

enum err random_of_day(int64_t now, uint8_t *out, size_t n)
{
	uint16_t day = (uint16_t)(now / DAY);

	out[0] = (uint8_t)(day >> 8);
	out[1] = (uint8_t)day;
	return random_bytes(out + 2, n - 2);
}

enum err sha256(const struct view *pieces, size_t n, uint8_t out[static SHA256_SIZE])
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex(ctx, algorithm_sha256(), NULL) != 1)
		return broken("SHA-256");
	for (size_t i = 0; i < n; i++)
		if (EVP_DigestUpdate(ctx, pieces[i].p, pieces[i].n) != 1)
			return broken("SHA-256");
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		return broken("SHA-256");
	return OK;
}

static enum err hmac_of_sha256(
	struct view key, const struct view *pieces, size_t n, uint8_t out[static SHA256_SIZE])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t size = 0;
	enum err err = algorithm_hmac(algorithm_sha256(), key, pieces, n, mac, &size);

	if (err == OK)
		memcpy(out, mac, SHA256_SIZE);
	secret_wipe(mac, sizeof(mac));
	return err;
}

enum err hmac_sha256(const uint8_t key[static 32], const struct view *pieces, size_t n,
	uint8_t out[static SHA256_SIZE])
{
	return hmac_of_sha256((struct view){key, 32}, pieces, n, out);
}

/* RFC 5869 2.2. */
enum err hkdf_extract(struct view secret, struct view salt, uint8_t prk[static 32])
{
	return hmac_of_sha256(salt, &secret, 1, prk);
}

/* RFC 5869 2.3; 32 bytes are T(1) alone. */
enum err hkdf_expand(const uint8_t prk[static 32], struct view info, uint8_t out[static 32])
{
	static const uint8_t first[] = {1};

	return hmac_sha256(prk, (const struct view[]){info, VIEW(first)}, 2, out);
}

enum err hkdf_sha256(struct view secret, struct view salt, struct view info, uint8_t out[static 32])
{
	AUTO(key_wipe) struct secret_key prk;

	TRY(hkdf_extract(secret, salt, prk.bytes));
	return hkdf_expand(prk.bytes, info, out);
}

enum err aead_seal(const uint8_t key[static 32], const uint8_t nonce[static AEAD_NONCE_SIZE],
	struct view aad, struct view plain, struct buf *out)
{
	AUTO(cipher_ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	AUTO(buf_free) struct buf sealed = BUF(plain.n + 1);
	uint8_t tag[AEAD_TAG_SIZE];
	int n = 0;

	buf_add(&sealed, plain);
	TRY(buf_ok(&sealed));
	if (ctx == NULL || plain.n > INT_MAX || aad.n > INT_MAX ||
		EVP_EncryptInit_ex(ctx, algorithm_aes_256_gcm(), NULL, key, nonce) != 1 ||
		EVP_EncryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1 ||
		EVP_EncryptUpdate(ctx, sealed.p, &n, sealed.p, (int)sealed.n) != 1 ||
		EVP_EncryptFinal_ex(ctx, sealed.p + n, &n) != 1 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, sizeof(tag), tag) != 1)
		return broken("AES-256-GCM");
	buf_add(out, buf_view(&sealed));
	buf_add(out, VIEW(tag));
	return buf_ok(out);
}

enum err aead_open(const uint8_t key[static 32], const uint8_t nonce[static AEAD_NONCE_SIZE],
	struct view aad, struct view sealed, struct buf *out)
{
	AUTO(cipher_ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	AUTO(buf_free) struct buf plain = BUF(sealed.n + 1);
	uint8_t tag[AEAD_TAG_SIZE];
	int n = 0;

	if (sealed.n < sizeof(tag) || sealed.n > INT_MAX || aad.n > INT_MAX)
		return fail(ERR_UNPROVEN, "seal", "too short to be sealed");
	buf_add(&plain, (struct view){sealed.p, sealed.n - sizeof(tag)});
	TRY(buf_ok(&plain));
	memcpy(tag, sealed.p + sealed.n - sizeof(tag), sizeof(tag));
	if (ctx == NULL ||
		EVP_DecryptInit_ex(ctx, algorithm_aes_256_gcm(), NULL, key, nonce) != 1 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) != 1 ||
		EVP_DecryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1 ||
		EVP_DecryptUpdate(ctx, plain.p, &n, plain.p, (int)plain.n) != 1)
		return broken("AES-256-GCM");
	if (EVP_DecryptFinal_ex(ctx, plain.p + n, &n) != 1)
		return fail(ERR_UNPROVEN, "seal", "the tag does not match");
	buf_add(out, buf_view(&plain));
	return buf_ok(out);
}

void key_wipe(struct secret_key *key)
{
	secret_wipe(key->bytes, sizeof(key->bytes));
}
