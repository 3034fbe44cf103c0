#include "tests/softtpm/activate.h"

#include "ca/base/ossl.h"
#include "tests/softtpm/secret.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>
#include <string.h>
#include <tss2/tss2_mu.h>

struct seed {
	uint8_t bytes[64];
	size_t n;
};

static bool kdf(const char *name, const OSSL_PARAM *params, uint8_t *out, size_t n)
{
	EVP_KDF *algorithm = EVP_KDF_fetch(NULL, name, NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(algorithm);
	bool done = EVP_KDF_derive(ctx, out, n, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(algorithm);
	return done;
}

static OSSL_PARAM text_param(const char *key, const char *value)
{
	return OSSL_PARAM_construct_utf8_string(key, (char *)(uintptr_t)value, 0);
}

static OSSL_PARAM bytes_param(const char *key, struct view value)
{
	return OSSL_PARAM_construct_octet_string(key, (void *)(uintptr_t)value.p, value.n);
}

/* KDFa is SP 800-108 in counter mode with HMAC: Part 1, 11.4.10.2. */
static bool kdfa(const EVP_MD *md, const struct seed *seed, const char *label, struct view context,
	uint8_t *out, size_t n)
{
	const OSSL_PARAM params[] = {text_param(OSSL_KDF_PARAM_MAC, "HMAC"),
		text_param(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(md)),
		text_param(OSSL_KDF_PARAM_MODE, "counter"),
		bytes_param(OSSL_KDF_PARAM_KEY, (struct view){seed->bytes, seed->n}),
		bytes_param(OSSL_KDF_PARAM_SALT, view_str(label)),
		bytes_param(OSSL_KDF_PARAM_INFO, context), OSSL_PARAM_construct_end()};

	return kdf("KBKDF", params, out, n);
}

static bool seed_by_rsa(
	EVP_PKEY *ek, const EVP_MD *md, const TPM2B_ENCRYPTED_SECRET *secret, struct seed *out)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek, NULL);
	uint8_t clear[512];
	size_t n = sizeof(clear);

	if (EVP_PKEY_decrypt_init(ctx) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
		EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) != 1 ||
		EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup("IDENTITY", 9), 9) != 1 ||
		EVP_PKEY_decrypt(ctx, clear, &n, secret->secret, secret->size) != 1 ||
		n != (size_t)EVP_MD_get_size(md))
		return false;
	memcpy(out->bytes, clear, n);
	out->n = n;
	return true;
}

/* A copy of the EK that has the point as its public half and no private one. */
static EVP_PKEY *peer_of(EVP_PKEY *ek, const TPMS_ECC_POINT *point)
{
	AUTO(pkey_free) EVP_PKEY *peer = EVP_PKEY_new();
	uint8_t bytes[1 + 2 * 66] = {4};
	size_t n = 1u + point->x.size + point->y.size;

	if (peer == NULL || n > sizeof(bytes) || EVP_PKEY_copy_parameters(peer, ek) != 1)
		return NULL;
	memcpy(bytes + 1, point->x.buffer, point->x.size);
	memcpy(bytes + 1 + point->x.size, point->y.buffer, point->y.size);
	return EVP_PKEY_set1_encoded_public_key(peer, bytes, n) == 1 ? MOVE(peer) : NULL;
}

/* KDFe is the one-step derivation of SP 800-56C with a plain hash: Part 1, 11.4.10.3. */
static bool kdfe(const EVP_MD *md, struct view z, const TPMS_ECC_POINT *ephemeral,
	const TPMS_ECC_POINT *own, struct seed *out)
{
	AUTO(buf_free) struct buf info = BUF(256);
	const OSSL_PARAM *params;

	buf_add(&info, VIEW("IDENTITY"));
	buf_add(&info, (struct view){ephemeral->x.buffer, ephemeral->x.size});
	buf_add(&info, (struct view){own->x.buffer, own->x.size});
	params = (const OSSL_PARAM[]){text_param(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(md)),
		bytes_param(OSSL_KDF_PARAM_KEY, z),
		bytes_param(OSSL_KDF_PARAM_INFO, buf_view(&info)), OSSL_PARAM_construct_end()};
	out->n = (size_t)EVP_MD_get_size(md);
	return kdf("SSKDF", params, out->bytes, out->n);
}

static bool seed_by_ecc(EVP_PKEY *ek, const TPMS_ECC_POINT *own, const EVP_MD *md,
	const TPM2B_ENCRYPTED_SECRET *secret, struct seed *out)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek, NULL);
	AUTO(pkey_free) EVP_PKEY *peer = NULL;
	TPMS_ECC_POINT point;
	uint8_t z[66];
	size_t used = 0, n = sizeof(z);

	if (Tss2_MU_TPMS_ECC_POINT_Unmarshal(secret->secret, secret->size, &used, &point) != 0 ||
		used != secret->size || (peer = peer_of(ek, &point)) == NULL)
		return false;
	return EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	       EVP_PKEY_derive(ctx, z, &n) == 1 && kdfe(md, (struct view){z, n}, &point, own, out);
}

static bool is_intact(const EVP_MD *md, const struct seed *seed, const TPM2B_DIGEST *mac,
	struct view encrypted, struct view name)
{
	AUTO(buf_free) struct buf message = BUF(512);
	uint8_t key[64], wanted[64];
	unsigned int n = 0;

	if (!kdfa(md, seed, "INTEGRITY", (struct view){NULL, 0}, key, (size_t)EVP_MD_get_size(md)))
		return false;
	buf_add(&message, encrypted);
	buf_add(&message, name);
	HMAC(md, key, EVP_MD_get_size(md), message.p, message.n, wanted, &n);
	return mac->size == n && memcmp(mac->buffer, wanted, n) == 0;
}

static bool open_identity(const EVP_MD *md, const struct seed *seed, size_t key_bytes,
	struct view encrypted, struct view name, TPM2B_DIGEST *out)
{
	AUTO(cipher_ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[32], iv[16] = {0}, clear[128];
	size_t used = 0;
	int n = 0;

	return kdfa(md, seed, "STORAGE", name, key, key_bytes) && encrypted.n <= sizeof(clear) &&
	       EVP_DecryptInit_ex(ctx, key_bytes == 16 ? EVP_aes_128_cfb() : EVP_aes_256_cfb(),
		       NULL, key, iv) == 1 &&
	       EVP_DecryptUpdate(ctx, clear, &n, encrypted.p, (int)encrypted.n) == 1 &&
	       Tss2_MU_TPM2B_DIGEST_Unmarshal(clear, (size_t)n, &used, out) == 0 &&
	       used == (size_t)n;
}

static bool seed_by_primes(
	struct view secret, const TPM2B_ENCRYPTED_SECRET *wrapped, struct seed *out)
{
	uint64_t primes[SOFT_PRIMES];
	uint8_t encoded[SOFT_MODULUS_SIZE];

	if (secret.n != sizeof(primes) || wrapped->size != sizeof(encoded))
		return false;
	memcpy(primes, secret.p, sizeof(primes));
	soft_rsa_private(primes, wrapped->secret, encoded);
	out->n = 32;
	return soft_oaep_open(encoded, out->bytes);
}

static bool seed_by_scalar(const struct soft_key *ek, const EVP_MD *md,
	const TPM2B_ENCRYPTED_SECRET *secret, struct seed *out)
{
	const TPMT_PUBLIC *area = &ek->public.publicArea;
	const bool is_p256 = area->parameters.eccDetail.curveID == TPM2_ECC_NIST_P256;
	const EC_GROUP *group = soft_group(is_p256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	const size_t width = ek->secret.n;
	TPMS_ECC_POINT point;
	uint8_t z[66];
	size_t used = 0;

	return group != NULL &&
	       Tss2_MU_TPMS_ECC_POINT_Unmarshal(secret->secret, secret->size, &used, &point) == 0 &&
	       used == secret->size && point.x.size == width && point.y.size == width &&
	       soft_ecdh(group, ek->secret, point.x.buffer, point.y.buffer, width, z) &&
	       kdfe(md, (struct view){z, width}, &point, &area->unique.ecc, out);
}

static bool seed_of(const struct soft_key *ek, const EVP_MD *md,
	const TPM2B_ENCRYPTED_SECRET *wrapped, struct seed *out)
{
	const TPMT_PUBLIC *area = &ek->public.publicArea;
	const bool is_rsa = area->type == TPM2_ALG_RSA;

	if (ek->pkey == NULL)
		return is_rsa ? seed_by_primes(ek->secret, wrapped, out)
			      : seed_by_scalar(ek, md, wrapped, out);
	return is_rsa ? seed_by_rsa(ek->pkey, md, wrapped, out)
		      : seed_by_ecc(ek->pkey, &area->unique.ecc, md, wrapped, out);
}

bool soft_activate(const struct soft_key *ek, struct view ak_name, struct view blob,
	struct view secret, TPM2B_DIGEST *out)
{
	const TPMT_PUBLIC *area = &ek->public.publicArea;
	const EVP_MD *md = soft_md(area->nameAlg);
	TPM2B_ENCRYPTED_SECRET wrapped = {0};
	TPM2B_ID_OBJECT object = {0};
	TPM2B_DIGEST mac = {0};
	struct seed seed = {.n = 0};
	struct view encrypted;
	size_t used = 0, whole = 0, part = 0;

	*out = (TPM2B_DIGEST){0};
	if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(blob.p, blob.n, &whole, &object) != 0 ||
		whole != blob.n ||
		Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret.p, secret.n, &used, &wrapped) !=
			0 ||
		used != secret.n ||
		Tss2_MU_TPM2B_DIGEST_Unmarshal(object.credential, object.size, &part, &mac) != 0)
		return false;
	encrypted = (struct view){object.credential + part, object.size - part};
	if (!seed_of(ek, md, &wrapped, &seed))
		return false;
	return is_intact(md, &seed, &mac, encrypted, ak_name) &&
	       open_identity(md, &seed, area->parameters.asymDetail.symmetric.keyBits.aes / 8u,
		       encrypted, ak_name, out);
}
