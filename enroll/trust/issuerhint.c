#include "enroll/trust/issuerhint.h"

#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "ca/base/printable.h"

#include <stdio.h>
#include <string.h>

static void access_free(AUTHORITY_INFO_ACCESS **access)
{
	AUTHORITY_INFO_ACCESS_free(*access);
}

/* Nuvoton's have spaces in it. */
static void read_url(const X509 *cert, struct issuer_hint *out)
{
	AUTO(access_free)
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
		const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);
		char text[sizeof(out->url)];

		if (OBJ_obj2nid(one->method) != NID_ad_ca_issuers || one->location->type != GEN_URI)
			continue;
		snprintf(text, sizeof(text), "%.*s",
			ASN1_STRING_length(one->location->d.uniformResourceIdentifier),
			(const char *)ASN1_STRING_get0_data(
				one->location->d.uniformResourceIdentifier));
		printable(text, out->url, sizeof(out->url));
		return;
	}
}

void issuer_hint_of(const X509 *cert, struct issuer_hint *out)
{
	const ASN1_OCTET_STRING *key_id = X509_get0_authority_key_id((X509 *)cert);

	*out = (struct issuer_hint){0};
	name_text(X509_get_issuer_name(cert), out->name, sizeof(out->name));
	if (key_id != NULL && 2 * (size_t)ASN1_STRING_length(key_id) < sizeof(out->key_id))
		hex_write((struct view){ASN1_STRING_get0_data(key_id),
				  (size_t)ASN1_STRING_length(key_id)},
			out->key_id);
	read_url(cert, out);
}

void issuer_hint_read(struct view der, struct issuer_hint *out)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);

	*out = (struct issuer_hint){0};
	if (cert != NULL)
		issuer_hint_of(cert, out);
}
