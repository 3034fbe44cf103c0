#include "ca/authority.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "ca/validity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CHAIN_MAX 4

struct authority {
	X509 *certificate;
	EVP_PKEY *key;
	struct buf chain[CHAIN_MAX];
	size_t chain_n;
	int64_t not_before, not_after;
};

static enum err bad_certificate(const char *path, const char *what)
{
	return fail(ERR_INTERNAL, "ca-certificate", "%s: %s", path, what);
}

static enum err keep(struct authority *authority, X509 *cert, const char *path)
{
	struct buf *der = &authority->chain[authority->chain_n];
	AUTO(ossl_free) uint8_t *bytes = NULL;
	int n = i2d_X509(cert, &bytes);

	if (n <= 0)
		return bad_certificate(path, "a certificate that cannot be encoded");
	*der = BUF(16384);
	buf_add(der, (struct view){bytes, (size_t)n});
	authority->chain_n++;
	return buf_ok(der);
}

static enum err read_certificates(struct authority *authority, const char *path)
{
	AUTO(buf_free) struct buf pem = BUF(1 << 17);
	AUTO(bio_free) BIO *bio = NULL;
	size_t read = 0;
	char no_passphrase[] = ""; /* or OpenSSL would ask somebody for one */
	X509 *cert;

	TRY(file_read(path, &pem));
	if ((bio = BIO_new_mem_buf(buf_text(&pem), (int)pem.n)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "authority_load");
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, no_passphrase)) != NULL) {
		AUTO(x509_free) X509 *owned = cert;

		if (read++ == CHAIN_MAX)
			return bad_certificate(path, "more than 4 certificates");
		/* Roots are the business of who trusts them: none is handed out. */
		if (authority->certificate != NULL && X509_self_signed(owned, 0) == 1)
			continue;
		TRY(keep(authority, owned, path));
		if (authority->certificate == NULL)
			authority->certificate = MOVE(owned);
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return bad_certificate(path, "a certificate that cannot be read");
	ERR_clear_error();
	return authority->certificate == NULL ? bad_certificate(path, "no certificate in PEM") : OK;
}

enum err authority_load(
	const char *certificate, const char *key, const char *passphrase, struct authority **out)
{
	AUTO(authority_free) struct authority *authority = calloc(1, sizeof(*authority));

	if (authority == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "authority_load");
	TRY(read_certificates(authority, certificate));
	TRY(key_load(key, passphrase, &authority->key));
	if (X509_check_private_key(authority->certificate, authority->key) != 1)
		return fail(ERR_INTERNAL, "ca-key", "%s is not the key of %s", key, certificate);
	if (X509_check_ca(authority->certificate) != 1 ||
		(X509_get_key_usage(authority->certificate) & KU_KEY_CERT_SIGN) == 0)
		return bad_certificate(certificate, "not a CA certificate");
	TRY(validity_begin(authority->certificate, &authority->not_before));
	TRY(validity_end(authority->certificate, &authority->not_after));
	if (authority->not_after <= clock_now())
		return bad_certificate(certificate, "the CA's certificate has expired");
	*out = MOVE(authority);
	return OK;
}

void authority_free(struct authority **authority)
{
	if (*authority == NULL)
		return;
	X509_free((*authority)->certificate);
	EVP_PKEY_free((*authority)->key);
	for (size_t i = 0; i < (*authority)->chain_n; i++)
		buf_free(&(*authority)->chain[i]);
	free(*authority);
	*authority = NULL;
}

X509 *authority_certificate(const struct authority *authority)
{
	return authority->certificate;
}

EVP_PKEY *authority_key(const struct authority *authority)
{
	return authority->key;
}

struct view authority_chain(const struct authority *authority, size_t index)
{
	if (index >= authority->chain_n)
		return (struct view){NULL, 0};
	return buf_view(&authority->chain[index]);
}

int64_t authority_not_before(const struct authority *authority)
{
	return authority->not_before;
}

int64_t authority_not_after(const struct authority *authority)
{
	return authority->not_after;
}

enum err authority_judge(const struct authority *authority, int64_t now)
{
	char when[CLOCK_TEXT_SIZE];

	clock_text(
		now < authority->not_before ? authority->not_before : authority->not_after, when);
	if (now < authority->not_before)
		return fail(ERR_BUSY, "ca-not-valid-yet",
			"the issuing CA's certificate begins at %s: is this clock right?", when);
	if (now >= authority->not_after)
		return fail(
			ERR_BUSY, "ca-expired", "the issuing CA's certificate ended at %s", when);
	return OK;
}
