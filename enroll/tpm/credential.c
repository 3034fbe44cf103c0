#include "enroll/tpm/credential.h"

#include "ca/base/algorithm.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/tss.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

/* A seed or key on the stack; wiped when its scope ends. */
struct secret_bytes {
	uint8_t p[EVP_MAX_MD_SIZE];
	size_t n;
};

static void bytes_wipe(struct secret_bytes *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}

static enum err broken(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "OpenSSL failed in %s", what);
}

static void be32_add(struct buf *out, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_u8(out, (uint8_t)(v >> shift));
}

static void be16_add(struct buf *out, size_t v)
{
	buf_u8(out, (uint8_t)(v >> 8));
	buf_u8(out, (uint8_t)v);
}

/* TPM 2.0 Part 1, 11.4.10.2. One block is enough: no key here is longer than the digest. */
static enum err kdfa(const EVP_MD *md, const struct secret_bytes *key, const char *label,
	struct view context, size_t bytes, struct secret_bytes *out)
{
	const uint8_t counter[4] = {0, 0, 0, 1};
	const uint8_t bits[4] = {0, 0, (uint8_t)(bytes * 8 >> 8), (uint8_t)(bytes * 8)};
	const struct view message[] = {
		VIEW(counter), {(const uint8_t *)label, strlen(label) + 1}, context, VIEW(bits)};
	size_t n = 0;

	TRY(algorithm_hmac(md, (struct view){key->p, key->n}, message, COUNT(message), out->p, &n));
	out->n = bytes;
	return n < bytes ? broken("KDFa") : OK;
}

/*
 * TPM 2.0 Part 1, B.10.3: a random seed under RSAES_OAEP with the label "IDENTITY" and its NUL. MGF1 has the
 * digest of OAEP where no other is set.
 */
static enum err seed_rsa(
	EVP_PKEY *ek, const EVP_MD *md, struct secret_bytes *seed, struct buf *encrypted)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ek, NULL);
	void *label = OPENSSL_memdup("IDENTITY", sizeof("IDENTITY"));
	uint8_t cipher[512];
	size_t n = sizeof(cipher);

	seed->n = (size_t)EVP_MD_get_size(md);
	if (ctx == NULL || label == NULL || RAND_bytes(seed->p, (int)seed->n) != 1 ||
		EVP_PKEY_encrypt_init(ctx) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
		EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) != 1 ||
		EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, sizeof("IDENTITY")) != 1) {
		OPENSSL_free(label);
		return broken("RSAES_OAEP");
	}
	if (EVP_PKEY_encrypt(ctx, cipher, &n, seed->p, seed->n) != 1)
		return broken("RSAES_OAEP");
	be16_add(encrypted, n);
	buf_add(encrypted, (struct view){cipher, n});
	return buf_ok(encrypted);
}

/* An uncompressed point of an EC key; `*width` gets the width of a coordinate. */
static bool point_of(EVP_PKEY *key, uint8_t point[static 1 + 2 * 66], size_t *width)
{
	size_t n = 0;

	if (EVP_PKEY_get_octet_string_param(
		    key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, 1 + 2 * 66, &n) != 1 ||
		n < 3 || point[0] != 0x04)
		return false;
	*width = (n - 1) / 2;
	return true;
}

/* KDFe(nameAlg, Z, "IDENTITY", ephemeral x, EK x): TPM 2.0 Part 1, 11.4.10.3; one block again. */
static enum err kdfe(const EVP_MD *md, struct view z, struct view ephemeral_x, struct view ek_x,
	struct secret_bytes *seed)
{
	AUTO(buf_free) struct buf message = BUF(512);
	unsigned int n = 0;

	be32_add(&message, 1);
	buf_add(&message, z);
	buf_add(&message, VIEW("IDENTITY"));
	buf_add(&message, ephemeral_x);
	buf_add(&message, ek_x);
	TRY(buf_ok(&message));
	if (EVP_Digest(message.p, message.n, seed->p, &n, md, NULL) != 1)
		return broken("KDFe");
	seed->n = n;
	return OK;
}

static enum err exchange(EVP_PKEY *ephemeral, EVP_PKEY *ek, uint8_t z[static 66], size_t *z_n)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ephemeral, NULL);

	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
		EVP_PKEY_derive_set_peer(ctx, ek) != 1 || EVP_PKEY_derive(ctx, z, z_n) != 1)
		return broken("ECDH");
	return OK;
}

/* TPM 2.0 Part 1, C.6.4: an ephemeral key's point is the secret, ECDH with the EK gives the seed. */
static enum err seed_ecc(
	EVP_PKEY *ek, const EVP_MD *md, struct secret_bytes *seed, struct buf *encrypted)
{
	AUTO(pkey_free) EVP_PKEY *ephemeral = NULL;
	uint8_t mine[1 + 2 * 66], theirs[1 + 2 * 66], z[66];
	size_t width, their_width, z_n = sizeof(z);
	char group[64];
	enum err err;

	if (EVP_PKEY_get_group_name(ek, group, sizeof(group), NULL) != 1 ||
		(ephemeral = EVP_EC_gen(group)) == NULL || !point_of(ephemeral, mine, &width) ||
		!point_of(ek, theirs, &their_width) || width != their_width)
		return broken("EC key generation");
	TRY(exchange(ephemeral, ek, z, &z_n));
	err = kdfe(md, (struct view){z, z_n}, (struct view){mine + 1, width},
		(struct view){theirs + 1, width}, seed);
	OPENSSL_cleanse(z, sizeof(z));
	TRY(err);
	be16_add(encrypted, 2 * (2 + width));
	for (size_t i = 0; i < 2; i++) {
		be16_add(encrypted, width);
		buf_add(encrypted, (struct view){mine + 1 + i * width, width});
	}
	return buf_ok(encrypted);
}

/* AES-CFB128 with IV 0 over the TPM2B_DIGEST that the secret is. Encrypts in place. */
static enum err encrypt(const struct secret_bytes *key, struct buf *identity)
{
	AUTO(cipher_ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = key->n == 32 ? algorithm_aes_256_cfb() : algorithm_aes_128_cfb();
	const uint8_t iv[16] = {0};
	int n = 0;

	if (ctx == NULL || EVP_EncryptInit_ex(ctx, cipher, NULL, key->p, iv) != 1 ||
		EVP_EncryptUpdate(ctx, identity->p, &n, identity->p, (int)identity->n) != 1)
		return broken("AES-CFB");
	return OK;
}

/* TPM2B_ID_OBJECT: HMAC as a TPM2B_DIGEST, then the encrypted identity. Part 1, 24.4 and 24.5. */
static enum err seal_identity(const EVP_MD *md, const struct secret_bytes *seed, size_t key_size,
	const struct tpm_name *name, struct view secret, struct buf *blob)
{
	AUTO(bytes_wipe) struct secret_bytes key = {0}, hmac_key = {0};
	AUTO(buf_free) struct buf identity = BUF(256);
	size_t digest_n = (size_t)EVP_MD_get_size(md);
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t mac_n = 0;

	be16_add(&identity, secret.n);
	buf_add(&identity, secret);
	TRY(buf_ok(&identity));
	TRY(kdfa(md, seed, "STORAGE", (struct view){name->bytes, name->n}, key_size, &key));
	TRY(encrypt(&key, &identity));
	TRY(kdfa(md, seed, "INTEGRITY", (struct view){NULL, 0}, digest_n, &hmac_key));
	TRY(algorithm_hmac(md, (struct view){hmac_key.p, hmac_key.n},
		(const struct view[]){buf_view(&identity), {name->bytes, name->n}}, 2, mac,
		&mac_n));
	be16_add(blob, 2 + mac_n + identity.n);
	be16_add(blob, mac_n);
	buf_add(blob, (struct view){mac, mac_n});
	buf_add(blob, buf_view(&identity));
	return buf_ok(blob);
}

/* The EK's symmetric key size in bytes; 0 when its public area is none that decrypts. */
static size_t symmetric_size(const TPMT_PUBLIC *ek)
{
	/* symmetric comes first in both RSA's and ECC's parameters */
	const TPMT_SYM_DEF_OBJECT *symmetric = &ek->parameters.asymDetail.symmetric;

	if (symmetric->algorithm != TPM2_ALG_AES || symmetric->mode.aes != TPM2_ALG_CFB)
		return 0;
	return symmetric->keyBits.aes == 128 || symmetric->keyBits.aes == 256
		       ? symmetric->keyBits.aes / 8u
		       : 0;
}

enum err credential_make(struct view ek_public, const struct tpm_name *name, struct view secret,
	struct buf *credential_blob, struct buf *encrypted_secret)
{
	AUTO(bytes_wipe) struct secret_bytes seed = {0};
	AUTO(pkey_free) EVP_PKEY *ek = NULL;
	const EVP_MD *md;
	enum key_kind kind;
	TPMT_PUBLIC area;

	TRY(public_read(ek_public, &area));
	TRY(public_pkey(&area, &ek, &kind));
	md = tpm_digest(area.nameAlg);
	if (md == NULL || symmetric_size(&area) == 0 || secret.n > (size_t)EVP_MD_get_size(md))
		return refuse(ERR_REJECTED, "ek-template", "TPM 2.0 Part 1, 24",
			"no credential can be made for this EK's public area");
	if (area.type == TPM2_ALG_RSA)
		TRY(seed_rsa(ek, md, &seed, encrypted_secret));
	else
		TRY(seed_ecc(ek, md, &seed, encrypted_secret));
	return seal_identity(md, &seed, symmetric_size(&area), name, secret, credential_blob);
}
