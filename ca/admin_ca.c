#include "ca/admin_ca.h"

#include "ca/base/cert.h"
#include "ca/base/oid.h"
#include "ca/base/purpose.h"

#include <ctype.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define SECURITY_LEVEL 2 /* 112 bits: no SHA-1, no RSA below 2048 bits */

struct admin_ca {
	STACK_OF(X509) *certs;
	X509_STORE *store; /* of the same */
};

bool operator_name_is(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > OPERATOR_NAME || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((name[i] & 0x80) != 0 ||
			(!isalnum((unsigned char)name[i]) && strchr("._@-", name[i]) == NULL))
			return false;
	return true;
}

void admin_ca_free(struct admin_ca **ca)
{
	if (*ca == NULL)
		return;
	X509_STORE_free((*ca)->store);
	x509_stack_free(&(*ca)->certs);
	free(*ca);
	*ca = NULL;
}

enum err admin_ca_load(const char *path, struct admin_ca **out)
{
	AUTO(admin_ca_free) struct admin_ca *ca = calloc(1, sizeof(*ca));

	if (ca == NULL || (ca->store = X509_STORE_new()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "admin_ca_load");
	TRY(certs_read(path, "admin-ca", &ca->certs));
	for (int i = 0; i < sk_X509_num(ca->certs); i++) {
		X509 *cert = sk_X509_value(ca->certs, i);

		if (X509_check_ca(cert) != 1)
			return fail(ERR_INTERNAL, "admin-ca",
				"%s: certificate %d in it is not a CA's (RFC 5280 4.2.1.9)", path,
				i + 1);
		if (X509_STORE_add_cert(ca->store, cert) != 1)
			return fail(ERR_INTERNAL, "crypto", "X509_STORE_add_cert");
	}
	*out = MOVE(ca);
	return OK;
}

static bool has_id(X509 *cert, const uint8_t id[static SHA256_SIZE])
{
	uint8_t *der = NULL, own[SHA256_SIZE];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool has = n > 0 && SHA256_OF(own, ((struct view){der, (size_t)n})) == OK &&
		   memcmp(own, id, SHA256_SIZE) == 0;

	OPENSSL_free(der);
	return has;
}

bool admin_ca_has(const struct admin_ca *ca, const uint8_t id[static SHA256_SIZE])
{
	for (int i = 0; i < sk_X509_num(ca->certs); i++)
		if (has_id(sk_X509_value(ca->certs, i), id))
			return true;
	return false;
}

bool admin_ca_equal(const struct admin_ca *a, const struct admin_ca *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (sk_X509_num(a->certs) != sk_X509_num(b->certs))
		return false;
	for (int i = 0; i < sk_X509_num(a->certs); i++)
		if (X509_cmp(sk_X509_value(a->certs, i), sk_X509_value(b->certs, i)) != 0)
			return false;
	return true;
}

/* No certificate but these CAs' own: whoever signed it is one of them, and nobody below them. */
static X509_STORE_CTX *begin(const struct admin_ca *ca, X509 *cert, int64_t now)
{
	AUTO(store_ctx_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, ca->store, cert, NULL) != 1)
		return NULL;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1)
		return NULL;
	return MOVE(ctx);
}

static enum err judge_chain(const struct admin_ca *ca, X509 *cert, int64_t now)
{
	AUTO(store_ctx_free) X509_STORE_CTX *ctx = begin(ca, cert, now);
	int error;

	if (ctx == NULL)
		return fail(ERR_INTERNAL, "crypto", "X509_STORE_CTX_init");
	if (X509_verify_cert(ctx) == 1)
		return OK;
	ERR_clear_error();
	error = X509_STORE_CTX_get_error(ctx);
	if (X509_STORE_CTX_get_error_depth(ctx) == 0 &&
		(error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID))
		return refuse(ERR_DENIED, "operator-certificate-expired", "RFC 5280 4.1.2.5",
			"this operator's certificate %s: a new one comes from endorsectl ca "
			"operator",
			error == X509_V_ERR_CERT_HAS_EXPIRED ? "has expired" : "is not valid yet");
	return refuse(ERR_DENIED, "not-an-operator", "RFC 5280 6.1",
		"this certificate is none of the service's admin CA: %s",
		X509_verify_cert_error_string(error));
}

static enum err judge_purpose(X509 *cert)
{
	/* The first alone lets one pass whose key usage says that it signs no certificates. */
	if (X509_check_ca(cert) != 0 || (X509_get_extension_flags(cert) & EXFLAG_CA) != 0)
		return refuse(ERR_DENIED, "not-an-operator", "RFC 5280 4.2.1.9",
			"this certificate is a CA's, and no operator's");
	if (!purpose_is_among(cert, OID_CLIENT_AUTH))
		return refuse(ERR_DENIED, "not-an-operator", "RFC 5280 4.2.1.12",
			"this certificate is not for TLS clients (extended key usage clientAuth)");
	return OK;
}

static enum err read_name(X509 *cert, char out[static OPERATOR_NAME + 1])
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *text;
	size_t n;

	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return refuse(ERR_DENIED, "not-an-operator", "RFC 5280 4.1.2.6",
			"this certificate does not have exactly one common name");
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	n = (size_t)ASN1_STRING_length(text);
	if (n <= OPERATOR_NAME && memchr(ASN1_STRING_get0_data(text), '\0', n) == NULL) {
		memcpy(out, ASN1_STRING_get0_data(text), n);
		out[n] = '\0';
		if (operator_name_is(out))
			return OK;
	}
	return refuse(ERR_DENIED, "not-an-operator", "PROTOCOL roles",
		"the common name of this certificate is not a name that operators have");
}

enum err admin_ca_judge(
	const struct admin_ca *ca, struct view der, int64_t now, struct operator_certificate *out)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	int64_t from;

	if (cert == NULL)
		return refuse(
			ERR_DENIED, "not-an-operator", "RFC 5280 4.1", "this is not a certificate");
	TRY(judge_chain(ca, cert, now));
	TRY(judge_purpose(cert));
	TRY(read_name(cert, out->name));
	TRY(cert_validity(cert, &from, &out->not_after));
	return SHA256_OF(out->sha256, der);
}

const X509 *admin_ca_at(const struct admin_ca *ca, size_t index)
{
	if (ca == NULL || index >= (size_t)sk_X509_num(ca->certs))
		return NULL;
	return sk_X509_value(ca->certs, (int)index);
}
