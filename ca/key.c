#include "ca/key.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

enum err key_generate(EVP_PKEY **out)
{
	if ((*out = EVP_EC_gen("P-256")) == NULL)
		return fail(ERR_INTERNAL, "crypto", "cannot generate a P-256 key");
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

static const char *curve_of(EVP_PKEY *key)
{
	static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
	char group[64];

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1)
		for (size_t i = 0; i < COUNT(curves); i++)
			if (strcmp(group, curves[i]) == 0)
				return curves[i];
	return NULL;
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

enum err key_public(EVP_PKEY *key, struct buf *bits, struct grant_key *out)
{
	uint8_t *der = NULL;
	int n;

	out->curve = curve_of(key);
	if (out->curve != NULL) {
		TRY(add_point(key, bits));
	} else {
		if (!EVP_PKEY_is_a(key, "RSA") || (n = i2d_PublicKey(key, &der)) <= 0)
			return not_our_kind();
		buf_add(bits, (struct view){der, (size_t)n});
		OPENSSL_free(der);
		TRY(buf_ok(bits));
	}
	out->bits = buf_view(bits);
	return OK;
}
