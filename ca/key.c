#include "ca/key.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

static const struct {
	const char *name, *group;
	size_t rsa_bits;
} types[] = {
	[KEY_TYPE_P256] = {"p256", "P-256", 0},
	[KEY_TYPE_P384] = {"p384", "P-384", 0},
	[KEY_TYPE_RSA2048] = {"rsa2048", NULL, 2048},
	[KEY_TYPE_RSA3072] = {"rsa3072", NULL, 3072},
	[KEY_TYPE_ED25519] = {"ed25519", NULL, 0},
};

bool key_type_read(const char *name, enum key_type *out)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (strcmp(name, types[i].name) == 0) {
			*out = (enum key_type)i;
			return true;
		}
	return false;
}

enum err key_generate(enum key_type type, EVP_PKEY **out)
{
	if (types[type].group != NULL)
		*out = EVP_EC_gen(types[type].group);
	else if (types[type].rsa_bits != 0)
		*out = EVP_RSA_gen(types[type].rsa_bits);
	else
		*out = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (*out == NULL)
		return fail(ERR_INTERNAL, "crypto", "cannot generate a key of type %s",
			types[type].name);
	return OK;
}

static enum err make_passphrase(struct buf *out)
{
	AUTO(key_wipe) struct secret_key random;

	TRY(random_bytes(random.bytes, sizeof(random.bytes)));
	hex_add(out, VIEW(random.bytes));
	return buf_ok(out);
}

enum err key_save(EVP_PKEY *key, const char *path, const char *passphrase_path)
{
	AUTO(buf_free) struct buf passphrase = BUF(128);
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_secmem());
	uint8_t *pem;
	long n;

	TRY(make_passphrase(&passphrase));
	if (bio == NULL ||
		PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), (char *)passphrase.p,
			(int)passphrase.n, NULL, NULL) != 1 ||
		(n = BIO_get_mem_data(bio, &pem)) <= 0)
		return fail(ERR_INTERNAL, "crypto", "%s: cannot encrypt the key", path);
	buf_str(&passphrase, "\n");
	TRY(file_replace(passphrase_path, 0600, buf_view(&passphrase)));
	return file_replace(path, 0600, (struct view){pem, (size_t)n});
}

static enum err decrypt(struct view pem, struct view passphrase, const char *path, EVP_PKEY **out)
{
	AUTO(bio_free) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	AUTO(bio_free) BIO *peek = BIO_new_mem_buf(pem.p, (int)pem.n);
	char no_passphrase[] = ""; /* or OpenSSL would ask somebody for one */
	X509_SIG *encrypted = PEM_read_bio_PKCS8(peek, NULL, NULL, no_passphrase);
	AUTO(buf_free) struct buf text = BUF(passphrase.n + 1);

	ERR_clear_error();
	X509_SIG_free(encrypted);
	if (encrypted == NULL)
		return fail(ERR_INTERNAL, "ca-key",
			"%s: not an encrypted PKCS#8 key (BEGIN ENCRYPTED PRIVATE KEY)", path);
	buf_add(&text, passphrase);
	*out = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)buf_text(&text));
	ERR_clear_error();
	if (*out == NULL)
		return fail(ERR_INTERNAL, "ca-key", "%s: the passphrase does not open it", path);
	return OK;
}

enum err key_load(const char *path, const char *passphrase_path, EVP_PKEY **out)
{
	AUTO(buf_free) struct buf pem = BUF(16384), passphrase = BUF(1024);
	struct view secret;

	TRY(file_read_secret(path, true, &pem));
	TRY(file_read_secret(passphrase_path, true, &passphrase));
	secret = buf_view(&passphrase);
	while (secret.n > 0 && secret.p[secret.n - 1] == '\n')
		secret.n--;
	return decrypt(buf_view(&pem), secret, path, out);
}

static const struct curve {
	const char *name;
	const EVP_MD *(*digest)(void);
} curves[] = {{"prime256v1", EVP_sha256}, {"secp384r1", EVP_sha384}, {"secp521r1", EVP_sha512}};

static const struct curve *curve_of(EVP_PKEY *key)
{
	char group[64];

	if (EVP_PKEY_is_a(key, "EC") &&
		EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1)
		for (size_t i = 0; i < COUNT(curves); i++)
			if (strcmp(group, curves[i].name) == 0)
				return &curves[i];
	return NULL;
}

static bool has_usual_exponent(EVP_PKEY *rsa)
{
	AUTO(bn_free) BIGNUM *exponent = NULL;

	return EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
	       BN_is_word(exponent, RSA_F4);
}

static bool is_spelled_out(EVP_PKEY *ec)
{
	int is = 1;

	return EVP_PKEY_get_int_param(ec, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is) !=
		       1 ||
	       is != 0;
}

bool key_signs_with(EVP_PKEY *key, const EVP_MD **digest)
{
	const struct curve *curve = curve_of(key);
	int bits = EVP_PKEY_get_bits(key);

	if (curve != NULL) {
		*digest = curve->digest();
		return !is_spelled_out(key);
	}
	if (EVP_PKEY_is_a(key, "ED25519")) {
		*digest = NULL;
		return true;
	}
	/* Of 3072 bits is worth 128 bits of security, and so is SHA-256. */
	*digest = EVP_sha256();
	return EVP_PKEY_is_a(key, "RSA") && bits >= 2048 && bits <= 4096 && has_usual_exponent(key);
}

static enum err not_our_kind(void)
{
	return fail(ERR_REJECTED, "key-kind", "no certificate can be made for a key of this kind");
}

static enum err add_point(EVP_PKEY *key, struct buf *bits)
{
	uint8_t point[1 + 2 * 66];
	size_t n = 0;

	if (EVP_PKEY_get_octet_string_param(
		    key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &n) != 1 ||
		n == 0 || point[0] != 0x04)
		return not_our_kind();
	buf_add(bits, (struct view){point, n});
	return buf_ok(bits);
}

static enum err add_ed25519(EVP_PKEY *key, struct buf *bits)
{
	uint8_t raw[32];
	size_t n = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1 || n != sizeof(raw))
		return not_our_kind();
	buf_add(bits, VIEW(raw));
	return buf_ok(bits);
}

static enum err add_rsa(EVP_PKEY *key, struct buf *bits)
{
	uint8_t *der = NULL;
	int n;

	if (!EVP_PKEY_is_a(key, "RSA") || (n = i2d_PublicKey(key, &der)) <= 0)
		return not_our_kind();
	buf_add(bits, (struct view){der, (size_t)n});
	OPENSSL_free(der);
	return buf_ok(bits);
}

enum err key_public(EVP_PKEY *key, struct buf *bits, struct grant_key *out)
{
	const struct curve *curve = curve_of(key);
	bool is_ed25519 = EVP_PKEY_is_a(key, "ED25519");

	if (curve != NULL)
		TRY(add_point(key, bits));
	else if (is_ed25519)
		TRY(add_ed25519(key, bits));
	else
		TRY(add_rsa(key, bits));
	out->curve = curve != NULL ? curve->name : is_ed25519 ? "ED25519" : NULL;
	out->bits = buf_view(bits);
	return OK;
}

/* Without a detour through EVP_PKEY: X509_PUBKEY_set() would encode and decode the key once more. */
enum err key_spki(const struct grant_key *key, X509_PUBKEY *out)
{
	const bool is_rsa = key->curve == NULL;
	const bool is_edwards = !is_rsa && strcmp(key->curve, "ED25519") == 0;
	const bool is_ec = !is_rsa && !is_edwards;
	const int algorithm = is_rsa	   ? NID_rsaEncryption
			      : is_edwards ? NID_ED25519
					   : NID_X9_62_id_ecPublicKey;
	/* RFC 8017 A.1, RFC 8410 3, RFC 5480 2.1.1: NULL, nothing at all, the curve. */
	const int form = is_rsa ? V_ASN1_NULL : is_edwards ? V_ASN1_UNDEF : V_ASN1_OBJECT;
	void *parameter = is_ec ? OBJ_txt2obj(key->curve, 0) : NULL;
	uint8_t *bits = OPENSSL_memdup(key->bits.p, key->bits.n);

	if (bits == NULL || (is_ec && parameter == NULL) ||
		X509_PUBKEY_set0_param(out, OBJ_nid2obj(algorithm), form, parameter, bits,
			(int)key->bits.n) != 1) {
		OPENSSL_free(bits);
		ASN1_OBJECT_free(parameter);
		return fail(ERR_INTERNAL, "crypto", "cannot encode a public key");
	}
	return OK;
}
