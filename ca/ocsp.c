#include "ca/ocsp.h"

#include "ca/base/ossl.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#define OID_EXTENDED_REVOKE "1.3.6.1.5.5.7.48.1.9"

OSSL_FREE(basic_free, OCSP_BASICRESP, OCSP_BASICRESP_free)
OSSL_FREE(response_free, OCSP_RESPONSE, OCSP_RESPONSE_free)
OSSL_FREE(id_free, OCSP_CERTID, OCSP_CERTID_free)
OSSL_FREE(time_free, ASN1_TIME, ASN1_TIME_free)
OSSL_FREE(octets_free, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
OSSL_FREE(object_free, ASN1_OBJECT, ASN1_OBJECT_free)
OSSL_FREE(extension_free, X509_EXTENSION, X509_EXTENSION_free)

static enum err crypto_failed(void)
{
	ERR_clear_error();
	return fail(ERR_INTERNAL, "crypto", "cannot build an OCSP response");
}

static const int statuses[] = {[OCSP_IS_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
	[OCSP_IS_GOOD] = V_OCSP_CERTSTATUS_GOOD,
	[OCSP_IS_REVOKED] = V_OCSP_CERTSTATUS_REVOKED};

static enum err add_answer(OCSP_BASICRESP *basic, const struct ocsp_answer *answer,
	ASN1_TIME *this_update, ASN1_TIME *next_update)
{
	const uint8_t *p = answer->id->der;
	AUTO(id_free) OCSP_CERTID *id = d2i_OCSP_CERTID(NULL, &p, (long)answer->id->der_n);
	AUTO(time_free) ASN1_TIME *revoked = NULL;
	int reason = answer->reason == REVOKED_UNSPECIFIED ? OCSP_REVOKED_STATUS_NOSTATUS
							   : (int)answer->reason;

	if (answer->status == OCSP_IS_REVOKED)
		revoked = ASN1_GENERALIZEDTIME_set(NULL, (time_t)answer->revoked_at);
	if (id == NULL || (answer->status == OCSP_IS_REVOKED && revoked == NULL) ||
		OCSP_basic_add1_status(basic, id, statuses[answer->status], reason, revoked,
			this_update, next_update) == NULL)
		return crypto_failed();
	return OK;
}

static enum err add_extension(OCSP_BASICRESP *basic, const char *oid, struct view der)
{
	AUTO(octets_free) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	AUTO(object_free) ASN1_OBJECT *name = OBJ_txt2obj(oid, 1);
	AUTO(extension_free) X509_EXTENSION *extension = NULL;

	if (value == NULL || name == NULL || ASN1_OCTET_STRING_set(value, der.p, (int)der.n) != 1 ||
		(extension = X509_EXTENSION_create_by_OBJ(NULL, name, 0, value)) == NULL ||
		OCSP_BASICRESP_add_ext(basic, extension, -1) != 1)
		return crypto_failed();
	return OK;
}

static enum err add_nonce(OCSP_BASICRESP *basic, struct view nonce)
{
	/* It takes what it only reads as if it wrote it. */
	if (nonce.n > 0 &&
		OCSP_basic_add1_nonce(basic, (unsigned char *)nonce.p, (int)nonce.n) != 1)
		return crypto_failed();
	return OK;
}

/* RFC 6960 4.4.8: the response says "revoked" also of what was never issued. */
static enum err add_extended_revoke(OCSP_BASICRESP *basic, const struct ocsp_content *content)
{
	static const uint8_t null[] = {5, 0};
	bool is_wanted = false;

	for (size_t i = 0; i < content->n; i++)
		is_wanted = is_wanted || (content->answers[i].status == OCSP_IS_REVOKED &&
						 !content->answers[i].is_issued);
	return is_wanted ? add_extension(basic, OID_EXTENDED_REVOKE, VIEW(null)) : OK;
}

static enum err add_der(OCSP_RESPONSE *response, struct buf *der)
{
	AUTO(ossl_free) uint8_t *bytes = NULL;
	int n = response == NULL ? 0 : i2d_OCSP_RESPONSE(response, &bytes);

	if (n <= 0)
		return crypto_failed();
	buf_add(der, (struct view){bytes, (size_t)n});
	return buf_ok(der);
}

enum err ocsp_response(
	const struct responder *responder, const struct ocsp_content *content, struct buf *der)
{
	AUTO(basic_free) OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	AUTO(response_free) OCSP_RESPONSE *response = NULL;
	AUTO(time_free)
	ASN1_TIME *this_update = ASN1_GENERALIZEDTIME_set(NULL, (time_t)content->this_update);
	AUTO(time_free)
	ASN1_TIME *next_update = ASN1_GENERALIZEDTIME_set(NULL, (time_t)content->next_update);

	if (basic == NULL || this_update == NULL || next_update == NULL)
		return crypto_failed();
	for (size_t i = 0; i < content->n; i++)
		TRY(add_answer(basic, &content->answers[i], this_update, next_update));
	TRY(add_nonce(basic, content->nonce));
	TRY(add_extended_revoke(basic, content));
	if (OCSP_basic_sign(basic, responder_certificate(responder), responder_key(responder),
		    EVP_sha256(), NULL, OCSP_RESPID_KEY) != 1)
		return crypto_failed();
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	return add_der(response, der);
}

enum err ocsp_refuse(enum ocsp_refusal refusal, struct buf *der)
{
	AUTO(response_free) OCSP_RESPONSE *response = OCSP_response_create((int)refusal, NULL);

	return add_der(response, der);
}
