#include "ca/authority.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/key.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CHAIN_MAX 4

struct authority {
	X509 *certificate;
	EVP_PKEY *key;
	struct buf chain[CHAIN_MAX];
	size_t chain_n;
	NAME_CONSTRAINTS *constraints[CHAIN_MAX]; /* what there are, in no order */
	size_t constraints_n;
	int64_t not_before, not_after;
	uint8_t id[SHA256_SIZE];
};

static enum err bad_certificate(const char *path, const char *what)
{
	return fail(ERR_INTERNAL, "ca-certificate", "%s: %s", path, what);
}

static enum err keep(struct authority *authority, X509 *cert)
{
	struct buf *der = &authority->chain[authority->chain_n++];

	*der = BUF(16384);
	return cert_der_add(cert, der);
}

static enum err keep_constraints(struct authority *authority, const X509 *cert, const char *path)
{
	int critical = -1;
	NAME_CONSTRAINTS *constraints =
		X509_get_ext_d2i(cert, NID_name_constraints, &critical, NULL);

	if (constraints != NULL)
		authority->constraints[authority->constraints_n++] = constraints;
	else if (critical != -1)
		return bad_certificate(path, "RFC 5280 4.2.1.10: name constraints that cannot be "
					     "read, or more than one of them");
	return OK;
}

static enum err read_certificates(struct authority *authority, const char *path)
{
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;
	int n;

	TRY(certs_read(path, "ca-certificate", &certs));
	if ((n = sk_X509_num(certs)) > CHAIN_MAX)
		return bad_certificate(path, "more than 4 certificates");
	for (int i = 0; i < n; i++) {
		X509 *cert = sk_X509_value(certs, i);

		if (i > 0 && X509_check_issued(cert, sk_X509_value(certs, i - 1)) != X509_V_OK)
			return bad_certificate(
				path, "a certificate that did not issue the one before it");
		TRY(keep_constraints(authority, cert, path));
		/* Roots are the business of who trusts them: none is handed out. */
		if (i == 0 || X509_self_signed(cert, 0) != 1)
			TRY(keep(authority, cert));
	}
	authority->certificate = sk_X509_shift(certs);
	return OK;
}

/* Strict verifiers refuse what a CA with such a certificate issues, however good that is. */
static enum err must_be_usable(X509 *cert, const char *path)
{
	const uint32_t flags = X509_get_extension_flags(cert);

	if (X509_check_ca(cert) != 1)
		return bad_certificate(path, "not a CA certificate");
	if ((flags & (EXFLAG_CRITICAL | EXFLAG_INVALID)) != 0)
		return bad_certificate(path, "RFC 5280 4.2: an extension that is critical and "
					     "unknown, or that cannot be read");
	if ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) == 0)
		return bad_certificate(path, "RFC 5280 4.2.1.3: no key usage keyCertSign");
	if ((flags & EXFLAG_BCONS_CRITICAL) == 0)
		return bad_certificate(path, "RFC 5280 4.2.1.9: basic constraints not critical");
	if (X509_get0_subject_key_id(cert) == NULL)
		return bad_certificate(path, "RFC 5280 4.2.1.2: no subject key identifier");
	if ((flags & EXFLAG_SI) == 0 && X509_get0_authority_key_id(cert) == NULL)
		return bad_certificate(path, "RFC 5280 4.2.1.1: no authority key identifier");
	if (X509_NAME_entry_count(X509_get_subject_name(cert)) == 0)
		return bad_certificate(path, "RFC 5280 4.1.2.6: no subject");
	return OK;
}

static enum err identify(struct authority *authority)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(authority->certificate), &der);

	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode the CA's key");
	return SHA256_OF(authority->id, ((struct view){der, (size_t)n}));
}

enum err authority_load_former(
	const char *certificate, const char *key, const char *passphrase, struct authority **out)
{
	AUTO(authority_free) struct authority *authority = calloc(1, sizeof(*authority));
	const EVP_MD *md;

	if (authority == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "authority_load");
	TRY(read_certificates(authority, certificate));
	TRY(key_load(key, passphrase, &authority->key));
	if (X509_check_private_key(authority->certificate, authority->key) != 1)
		return fail(ERR_INTERNAL, "ca-key", "%s is not the key of %s", key, certificate);
	if (!key_signs_with(authority->key, &md))
		return fail(ERR_INTERNAL, "ca-key",
			"%s: a CA's key is P-256, P-384 or P-521 as a named curve, RSA of 2048 to "
			"4096 bits with exponent 65537 (not RSA-PSS), or Ed25519",
			key);
	TRY(must_be_usable(authority->certificate, certificate));
	TRY(cert_validity(authority->certificate, &authority->not_before, &authority->not_after));
	TRY(identify(authority));
	*out = MOVE(authority);
	return OK;
}

enum err authority_load(
	const char *certificate, const char *key, const char *passphrase, struct authority **out)
{
	AUTO(authority_free) struct authority *authority = NULL;

	TRY(authority_load_former(certificate, key, passphrase, &authority));
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
	for (size_t i = 0; i < (*authority)->constraints_n; i++)
		NAME_CONSTRAINTS_free((*authority)->constraints[i]);
	for (size_t i = 0; i < (*authority)->chain_n; i++)
		buf_free(&(*authority)->chain[i]);
	free(*authority);
	*authority = NULL;
}

const uint8_t *authority_id(const struct authority *authority)
{
	return authority->id;
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

enum err authority_permits(const struct authority *authority, X509 *cert)
{
	bool permits = true;

	if (authority->constraints_n == 0)
		return OK;
	/*
	 * Has OpenSSL look at the names; of what else it misses in a certificate without signature
	 * it complains in vain.
	 */
	(void)X509_check_purpose(cert, -1, 0);
	for (size_t i = 0; i < authority->constraints_n; i++)
		permits = permits &&
			  NAME_CONSTRAINTS_check(cert, authority->constraints[i]) == X509_V_OK &&
			  NAME_CONSTRAINTS_check_CN(cert, authority->constraints[i]) == X509_V_OK;
	ERR_clear_error();
	if (!permits)
		return refuse(ERR_REJECTED, "ca-name-constraints", "RFC 5280 4.2.1.10",
			"the CA's certificate does not permit it to name this device so: the "
			"service's operator gave names away that are not the CA's");
	return OK;
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
