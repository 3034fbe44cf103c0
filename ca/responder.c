#include "ca/responder.h"

#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "ca/usage.h"
#include "ca/validity.h"

#include <stdlib.h>

#define BACKDATE 300
#define OID_NOCHECK "1.3.6.1.5.5.7.48.1.5"

_Static_assert(RESPONDER_SERIAL_SIZE == ISSUED_SERIAL_SIZE, "one kind of serial number");

struct responder {
	X509 *certificate;
	EVP_PKEY *key;
	uint8_t serial[RESPONDER_SERIAL_SIZE];
	struct buf der;
	int64_t not_before, not_after;
};

static enum err crypto_failed(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot set the %s of an OCSP responder", what);
}

static enum err set_period(
	struct responder *responder, const struct authority *authority, int64_t now)
{
	int64_t ca_begins = authority_not_before(authority);
	int64_t ca_ends = authority_not_after(authority);

	TRY(authority_judge(authority, now));
	responder->not_before = now - BACKDATE < ca_begins ? ca_begins : now - BACKDATE;
	responder->not_after =
		now + RESPONDER_LIFETIME > ca_ends ? ca_ends : now + RESPONDER_LIFETIME;
	return validity_set(responder->certificate, responder->not_before, responder->not_after);
}

/* The CA's own name with another last part, so that where it may issue at all, it may issue this. */
static enum err set_names(X509 *cert, const X509_NAME *issuer)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at;

	if (X509_set_issuer_name(cert, issuer) != 1 || X509_set_subject_name(cert, issuer) != 1)
		return crypto_failed("issuer");
	subject = X509_get_subject_name(cert);
	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)) >= 0)
		X509_NAME_ENTRY_free(X509_NAME_delete_entry(subject, at));
	if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
		    (const uint8_t *)"OCSP responder", -1, -1, 0) != 1)
		return crypto_failed("subject");
	return OK;
}

static enum err set_extensions(X509 *cert, const struct authority *authority)
{
	static char ocsp_signing[] = "1.3.6.1.5.5.7.3.9";
	char *usages[] = {ocsp_signing};
	const int usage = usage_bit("digitalSignature");
	const uint8_t null[] = {5, 0};

	TRY(extension_basic_constraints(cert, false, 0));
	TRY(extension_key_usage(cert, &usage, 1));
	TRY(extension_extended_key_usage(cert, usages, 1, false));
	TRY(extension_any(cert, OID_NOCHECK, false, VIEW(null)));
	TRY(authority_permits(authority, cert));
	TRY(extension_subject_key_identifier(cert));
	return extension_authority_key_identifier(cert, authority_certificate(authority));
}

enum err responder_make(const struct authority *authority, int64_t now, struct responder **out)
{
	AUTO(responder_free) struct responder *responder = calloc(1, sizeof(*responder));
	X509 *cert;

	if (responder == NULL || (responder->certificate = X509_new()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "responder_make");
	cert = responder->certificate;
	responder->der = BUF(16384);
	if (X509_set_version(cert, X509_VERSION_3) != 1)
		return crypto_failed("version");
	TRY(serial_make(cert, now, responder->serial));
	TRY(set_period(responder, authority, now));
	TRY(set_names(cert, X509_get_subject_name(authority_certificate(authority))));
	TRY(key_generate(KEY_TYPE_P256, &responder->key));
	if (X509_set_pubkey(cert, responder->key) != 1)
		return crypto_failed("key");
	TRY(set_extensions(cert, authority));
	TRY(certificate_sign(cert, authority_key(authority), &responder->der));
	*out = MOVE(responder);
	return OK;
}

void responder_free(struct responder **responder)
{
	if (*responder == NULL)
		return;
	X509_free((*responder)->certificate);
	EVP_PKEY_free((*responder)->key);
	buf_free(&(*responder)->der);
	free(*responder);
	*responder = NULL;
}

/* Of what ends with the CA there is no longer one: near its end they would come thick and fast. */
bool responder_is_due(
	const struct responder *responder, const struct authority *authority, int64_t now)
{
	return responder->not_after < authority_not_after(authority) &&
	       validity_is_due(responder->not_before, responder->not_after, now);
}

bool responder_is_valid(const struct responder *responder, int64_t now)
{
	return now >= responder->not_before && now < responder->not_after;
}

const uint8_t *responder_serial(const struct responder *responder)
{
	return responder->serial;
}

struct view responder_der(const struct responder *responder)
{
	return buf_view(&responder->der);
}

int64_t responder_not_before(const struct responder *responder)
{
	return responder->not_before;
}

int64_t responder_not_after(const struct responder *responder)
{
	return responder->not_after;
}

X509 *responder_certificate(const struct responder *responder)
{
	return responder->certificate;
}

EVP_PKEY *responder_key(const struct responder *responder)
{
	return responder->key;
}
