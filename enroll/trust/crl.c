#include "enroll/trust/crl.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static void scope_free(ISSUING_DIST_POINT **scope)
{
	ISSUING_DIST_POINT_free(*scope);
}

static void key_id_free(AUTHORITY_KEYID **id)
{
	AUTHORITY_KEYID_free(*id);
}

bool crl_is_of(const X509_CRL *crl, const X509 *ca)
{
	AUTO(key_id_free)
	AUTHORITY_KEYID *id = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);

	return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) == 0 &&
	       (id == NULL || X509_check_akid(ca, id) == X509_V_OK);
}

static bool is_key_of(X509 *ca, const uint8_t digest[static SHA256_SIZE])
{
	uint8_t own[SHA256_SIZE];
	unsigned int n = 0;

	return X509_pubkey_digest(ca, EVP_sha256(), own, &n) == 1 &&
	       memcmp(own, digest, SHA256_SIZE) == 0;
}

static bool may_sign(X509 *ca)
{
	uint32_t usage = X509_get_key_usage(ca); /* all of them when there is no such extension */

	return (usage & KU_CRL_SIGN) != 0;
}

bool crl_is_signed_by(const struct trust_entry *entry, X509 *ca)
{
	bool is_good;

	if (!may_sign(ca) || X509_get0_pubkey(ca) == NULL)
		return false;
	if (entry->is_signed)
		return is_key_of(ca, entry->signer);
	is_good = X509_CRL_verify(entry->crl, X509_get0_pubkey(ca)) == 1;
	ERR_clear_error();
	return is_good;
}

bool crl_is_indirect(const X509_CRL *crl)
{
	AUTO(scope_free)
	ISSUING_DIST_POINT *scope =
		X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);

	return scope != NULL && scope->indirectCRL > 0;
}

static bool has_unknown_critical(const X509_CRL *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *one = X509_CRL_get_ext(crl, i);

		if (X509_EXTENSION_get_critical(one) != 0 &&
			OBJ_obj2nid(X509_EXTENSION_get_object(one)) !=
				NID_issuing_distribution_point)
			return true;
	}
	return false;
}

/* An extension that is there and does not parse: -1 there is none, -2 it is there twice. */
static bool has_broken_scope(const X509_CRL *crl)
{
	int critical = 0;
	AUTO(scope_free)
	ISSUING_DIST_POINT *scope =
		X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);

	return scope == NULL && critical != -1;
}

static bool is_for_attributes(const X509_CRL *crl)
{
	AUTO(scope_free)
	ISSUING_DIST_POINT *scope =
		X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);

	return scope != NULL && scope->onlyattr > 0;
}

static enum err useless(const struct trust_entry *entry, const char *what)
{
	char name[256];

	name_text(X509_CRL_get_issuer(entry->crl), name, sizeof(name));
	return fail(ERR_INTERNAL, "crl", "the CRL of \"%.200s\" %s: it revokes nothing here", name,
		what);
}

/* Several CAs may have its name and key identifier; one that signed it is enough. */
static enum err find_signer_of(
	const struct trust *trust, struct trust_entry *entry, bool is_named, size_t *tried)
{
	const X509_NAME *name = X509_CRL_get_issuer(entry->crl);
	unsigned int n = 0;

	for (size_t i = trust_find(trust, name); trust_is_named(trust, i, name); i++) {
		X509 *ca = trust->certificates.at[i].cert;

		if (crl_is_of(entry->crl, ca) != is_named)
			continue;
		*tried += 1;
		if (!crl_is_signed_by(entry, ca))
			continue;
		if (X509_pubkey_digest(ca, EVP_sha256(), entry->signer, &n) != 1)
			return fail(ERR_INTERNAL, "crypto", "cannot digest a key");
		entry->is_signed = true;
		return OK;
	}
	return OK;
}

static enum err find_signer(const struct trust *trust, struct trust_entry *entry)
{
	size_t named = 0, others = 0;

	entry->is_signed = false;
	TRY(find_signer_of(trust, entry, true, &named));
	/* A CA's next certificate has the same key, and perhaps another identifier. */
	if (!entry->is_signed)
		TRY(find_signer_of(trust, entry, false, &others));
	return named > 0 && !entry->is_signed
		       ? useless(entry, "is not signed by that CA, or the CA may sign no CRL")
		       : OK;
}

enum err crl_examine(const struct trust *trust, struct trust_entry *entry)
{
	const X509_CRL *crl = entry->crl;

	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return useless(entry, "is a delta CRL, and only whole ones are taken");
	if (has_unknown_critical(crl) || has_broken_scope(crl))
		return useless(entry, "has a critical extension that is not known here");
	if (is_for_attributes(crl))
		return useless(entry, "is for attribute certificates");
	return find_signer(trust, entry);
}

static int64_t seconds_of(const ASN1_TIME *when)
{
	struct tm tm;

	return when != NULL && ASN1_TIME_to_tm(when, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

static const char *reason_of(X509_REVOKED *revoked)
{
	static const char *const words[] = {"unspecified", "key compromise", "CA compromise",
		"affiliation changed", "superseded", "cessation of operation", "certificate hold",
		"unspecified", "removed from the CRL", "privilege withdrawn", "AA compromise"};
	ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
	long which = code == NULL ? 0 : ASN1_ENUMERATED_get(code);

	ASN1_ENUMERATED_free(code);
	return which < 0 || which >= (long)COUNT(words) ? words[0] : words[which];
}

bool crl_has(const struct trust_entry *entry, X509 *cert, struct crl_revocation *out)
{
	X509_REVOKED *revoked = NULL;

	/* 2 is "removeFromCRL", which only delta CRLs may say: an entry it is all the same. */
	if (X509_CRL_get0_by_cert(entry->crl, &revoked, cert) == 0 || revoked == NULL)
		return false;
	out->at = seconds_of(X509_REVOKED_get0_revocationDate(revoked));
	out->reason = reason_of(revoked);
	return true;
}

/* The bytes of an extension, none when it is not there. */
static struct view extension_of(const X509_CRL *crl, int nid)
{
	int at = X509_CRL_get_ext_by_NID(crl, nid, -1);
	const ASN1_OCTET_STRING *value =
		at < 0 ? NULL : X509_EXTENSION_get_data(X509_CRL_get_ext(crl, at));

	return value == NULL ? (struct view){NULL, 0}
			     : (struct view){ASN1_STRING_get0_data(value),
				       (size_t)ASN1_STRING_length(value)};
}

static bool is_equal(const X509_CRL *one, const X509_CRL *other, int nid)
{
	struct view a = extension_of(one, nid), b = extension_of(other, nid);

	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool crl_replaces(const struct trust_entry *newer, const struct trust_entry *older, int64_t now)
{
	int64_t made = seconds_of(X509_CRL_get0_lastUpdate(newer->crl));

	/* Both signed by one key, or nobody knows yet: then the older one stands as well. */
	return newer != older && newer->is_signed && older->is_signed &&
	       memcmp(newer->signer, older->signer, SHA256_SIZE) == 0 &&
	       X509_NAME_cmp(X509_CRL_get_issuer(newer->crl), X509_CRL_get_issuer(older->crl)) ==
		       0 &&
	       is_equal(newer->crl, older->crl, NID_issuing_distribution_point) && made <= now &&
	       made > seconds_of(X509_CRL_get0_lastUpdate(older->crl));
}

bool crl_is_old(const X509_CRL *crl, int64_t now, int64_t *when)
{
	*when = seconds_of(X509_CRL_get0_nextUpdate(crl));
	return *when >= 0 && *when < now;
}
