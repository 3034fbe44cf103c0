#include "tests/unit/ca/asker.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

void ocsp_id_make(X509 *issuer, long serial, const EVP_MD *digest, struct ocsp_id *out)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	struct ocsp_request parsed;
	OCSP_CERTID *id;
	int n;

	assert_int_equal(1, ASN1_INTEGER_set(number, serial));
	id = OCSP_cert_id_new(
		digest, X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer), number);
	assert_non_null(OCSP_request_add0_id(request, id));
	n = i2d_OCSP_REQUEST(request, &der);
	assert_ok(ocsp_request_parse((struct view){der, (size_t)n}, &parsed));
	*out = parsed.ids[0];
	OCSP_REQUEST_free(request);
	ASN1_INTEGER_free(number);
}

bool ocsp_verifies(struct view der, X509 *ca)
{
	const uint8_t *p = der.p;
	AUTO(store_free) X509_STORE *store = X509_STORE_new();
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);
	OCSP_BASICRESP *basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
	bool is_good;

	X509_STORE_add_cert(store, ca);
	is_good = p == der.p + der.n && basic != NULL &&
		  OCSP_basic_verify(basic, NULL, store, 0) == 1;
	ERR_clear_error();
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return is_good;
}
