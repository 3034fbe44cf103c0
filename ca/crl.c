#include "ca/crl.h"

#include "ca/base/cert.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "ca/usage.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void revoked_free(X509_REVOKED **revoked)
{
	X509_REVOKED_free(*revoked);
	*revoked = NULL;
}

static void time_free(ASN1_TIME **time)
{
	ASN1_TIME_free(*time);
	*time = NULL;
}

static void integer_free(ASN1_INTEGER **integer)
{
	ASN1_INTEGER_free(*integer);
	*integer = NULL;
}

static enum err crypto_failed(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot set a CRL's %s", what);
}

static bool has_serial(const struct revoked *entry)
{
	return entry->serial_n > 0 && entry->serial_n <= sizeof(entry->serial);
}

static enum err set_serial(const struct revoked *entry, X509_REVOKED *out)
{
	AUTO(bn_free) BIGNUM *number = BN_bin2bn(entry->serial, (int)entry->serial_n, NULL);
	AUTO(integer_free)
	ASN1_INTEGER *serial = number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);

	if (serial == NULL || X509_REVOKED_set_serialNumber(out, serial) != 1)
		return crypto_failed("serial number");
	return OK;
}

static enum err set_time(X509_REVOKED *out, int64_t at)
{
	AUTO(time_free) ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)at);

	if (time == NULL || X509_REVOKED_set_revocationDate(out, time) != 1)
		return crypto_failed("revocation date");
	return OK;
}

/* RFC 5280 5.3.1: unspecified is said by saying nothing. */
static enum err set_reason(X509_REVOKED *out, enum revoked_reason reason)
{
	ASN1_ENUMERATED *value;
	bool added;

	if (reason == REVOKED_UNSPECIFIED)
		return OK;
	value = ASN1_ENUMERATED_new();
	added = value != NULL && ASN1_ENUMERATED_set(value, (long)reason) == 1 &&
		X509_REVOKED_add1_ext_i2d(out, NID_crl_reason, value, 0, 0) == 1;
	ASN1_ENUMERATED_free(value);
	return added ? OK : crypto_failed("reason");
}

static enum err add_entry(X509_CRL *crl, const struct revoked *entry)
{
	AUTO(revoked_free) X509_REVOKED *revoked = X509_REVOKED_new();

	if (!has_serial(entry))
		return fail(
			ERR_INTERNAL, "crl-entry", "a serial number of %zu bytes", entry->serial_n);
	if (revoked == NULL)
		return crypto_failed("entry");
	TRY(set_serial(entry, revoked));
	TRY(set_time(revoked, entry->at));
	TRY(set_reason(revoked, entry->reason));
	if (X509_CRL_add0_revoked(crl, revoked) != 1)
		return crypto_failed("entry");
	revoked = NULL; /* the CRL has it now */
	return OK;
}

/* Sorted they are: two of the same serial are neighbours. */
static enum err must_be_distinct(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);

	for (int i = 1; i < sk_X509_REVOKED_num(all); i++)
		if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i)),
			    X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i - 1))) == 0)
			return fail(ERR_INTERNAL, "crl-entry", "a serial number is there twice");
	return OK;
}

static enum err set_entries(X509_CRL *crl, const struct crl_content *content)
{
	for (size_t i = 0; i < content->n; i++)
		TRY(add_entry(crl, &content->entries[i]));
	if (X509_CRL_sort(crl) != 1)
		return crypto_failed("order");
	return must_be_distinct(crl);
}

static enum err set_times(X509_CRL *crl, const struct crl_content *content)
{
	AUTO(time_free) ASN1_TIME *last = ASN1_TIME_set(NULL, (time_t)content->this_update);
	AUTO(time_free) ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)content->next_update);

	if (last == NULL || next == NULL || X509_CRL_set1_lastUpdate(crl, last) != 1 ||
		X509_CRL_set1_nextUpdate(crl, next) != 1)
		return crypto_failed("times");
	return OK;
}

static enum err set_number(X509_CRL *crl, uint64_t value)
{
	AUTO(integer_free) ASN1_INTEGER *number = ASN1_INTEGER_new();

	if (number == NULL || ASN1_INTEGER_set_uint64(number, value) != 1 ||
		X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) != 1)
		return crypto_failed("number");
	return OK;
}

static enum err set_authority_key(X509_CRL *crl, const X509 *ca)
{
	AUTHORITY_KEYID *identifier = authority_key_identifier(ca);
	bool added = identifier != NULL && X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier,
						   identifier, 0, 0) == 1;

	AUTHORITY_KEYID_free(identifier);
	return added ? OK : crypto_failed("authorityKeyIdentifier");
}

/* RFC 5280 5.2.5; what is no shard is of all scopes and has none. */
static enum err set_scope(X509_CRL *crl, const char *url)
{
	ISSUING_DIST_POINT *scope;
	bool added;

	if (url == NULL)
		return OK;
	scope = ISSUING_DIST_POINT_new();
	added = scope != NULL && (scope->distpoint = distribution_point_name(url)) != NULL;
	if (added) {
		scope->onlyuser = 0xff;
		added = X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, scope, 1, 0) ==
			1;
	}
	ISSUING_DIST_POINT_free(scope);
	return added ? OK : crypto_failed("issuingDistributionPoint");
}

static enum err sign(X509_CRL *crl, EVP_PKEY *key, struct buf *der)
{
	AUTO(ossl_free) uint8_t *bytes = NULL;
	const EVP_MD *md;
	int n;

	if (!key_signs_with(key, &md) || X509_CRL_sign(crl, key, md) <= 0 ||
		(n = i2d_X509_CRL(crl, &bytes)) <= 0)
		return crypto_failed("signature");
	buf_add(der, (struct view){bytes, (size_t)n});
	return buf_ok(der);
}

bool crl_may_sign(const X509 *ca)
{
	int critical;
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(ca, NID_key_usage, &critical, NULL);
	/* -1: it has none, and so may do all; another number with NULL is one that cannot be read. */
	bool may = usage == NULL ? critical == -1
				 : ASN1_BIT_STRING_get_bit(usage, usage_bit("cRLSign")) == 1;

	ASN1_BIT_STRING_free(usage);
	return may;
}

enum err crl_build(
	const struct authority *authority, const struct crl_content *content, struct buf *der)
{
	AUTO(crl_free) X509_CRL *crl = X509_CRL_new();
	X509 *ca = authority_certificate(authority);

	if (!crl_may_sign(ca))
		return fail(ERR_INTERNAL, "ca-crl-sign",
			"RFC 5280 4.2.1.3: the CA's certificate has no key usage cRLSign, so that "
			"nobody would believe its CRL");
	if (crl == NULL || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
		X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) != 1)
		return crypto_failed("issuer");
	TRY(set_times(crl, content));
	TRY(set_entries(crl, content));
	TRY(set_authority_key(crl, ca));
	TRY(set_number(crl, content->number));
	TRY(set_scope(crl, content->url));
	return sign(crl, authority_key(authority), der);
}

/*
 * All but entries, name, URL, key identifier and signature: three times the headers of lengths below
 * 16 MiB, version, twice the algorithm (17 with OpenSSL's longest), two times, the extensions.
 */
#define FIXED 192

size_t crl_capacity(const struct authority *authority, size_t url_n, size_t bytes)
{
	X509 *ca = authority_certificate(authority);
	const ASN1_OCTET_STRING *identifier = X509_get0_subject_key_id(ca);
	const int name = i2d_X509_NAME(X509_get_subject_name(ca), NULL);
	const size_t fixed = FIXED + url_n + (name < 0 ? bytes : (size_t)name) +
			     (size_t)ASN1_STRING_length(identifier) +
			     (size_t)EVP_PKEY_get_size(authority_key(authority));

	return bytes < fixed ? 0 : (bytes - fixed) / CRL_ENTRY_MAX;
}

X509_CRL *crl_from_bytes(struct view bytes)
{
	AUTO(bio_free) BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
	const uint8_t *end = bytes.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &end, (long)bytes.n);

	if (crl != NULL && end != bytes.p + bytes.n) {
		X509_CRL_free(crl);
		crl = NULL;
	}
	if (crl == NULL && bio != NULL)
		crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	ERR_clear_error();
	return crl;
}

static bool is_above(const X509_NAME *name, const struct authority *authority)
{
	struct view der;

	for (size_t i = 0; (der = authority_chain(authority, i)).n > 0; i++) {
		AUTO(x509_free) X509 *cert = cert_from_der(der);

		if (cert != NULL && X509_NAME_cmp(name, X509_get_issuer_name(cert)) == 0)
			return true;
	}
	return false;
}

enum err crl_above_read(const struct authority *authority, const char *path, struct buf *der)
{
	AUTO(buf_free) struct buf bytes = BUF(CRL_FILE_MAX);
	AUTO(ossl_free) uint8_t *out = NULL;
	AUTO(crl_free) X509_CRL *crl = NULL;
	int n;

	TRY(file_read(path, &bytes));
	if ((crl = crl_from_bytes(buf_view(&bytes))) == NULL || (n = i2d_X509_CRL(crl, &out)) <= 0)
		return fail(ERR_INTERNAL, "ca-crl", "%s: no CRL, neither as DER nor as PEM", path);
	if (!is_above(X509_CRL_get_issuer(crl), authority))
		return fail(ERR_INTERNAL, "ca-crl",
			"%s: a CRL of another CA than the one that issued the issuing CA's "
			"certificate",
			path);
	buf_add(der, (struct view){out, (size_t)n});
	return buf_ok(der);
}
