#include "ca/base/purpose.h"

#include "ca/base/oid.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

static void usages_free(EXTENDED_KEY_USAGE **usages)
{
	EXTENDED_KEY_USAGE_free(*usages);
	*usages = NULL;
}

int purposes_read(const X509 *certificate, const char *oid, bool *has)
{
	int critical = -1;
	AUTO(usages_free)
	EXTENDED_KEY_USAGE *usages =
		X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, NULL);

	*has = false;
	ERR_clear_error();
	if (usages == NULL)
		return critical == -1 ? 0 : -1;
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		char text[128];

		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1);
		*has = *has || strcmp(text, oid) == 0;
	}
	return sk_ASN1_OBJECT_num(usages) > 0 ? sk_ASN1_OBJECT_num(usages) : -1;
}

bool purpose_is_among(const X509 *certificate, const char *oid)
{
	bool has;

	return purposes_read(certificate, oid, &has) > 0 && has;
}

bool purpose_is_alone(const X509 *certificate, const char *oid)
{
	bool has;

	return purposes_read(certificate, oid, &has) == 1 && has;
}

bool purpose_is_within(const char *oid, const X509 *ca)
{
	bool has;

	return purposes_read(ca, oid, &has) == 0 || has || purpose_is_among(ca, OID_ANY_USAGE);
}

bool purposes_are_within(const X509 *certificate, const X509 *ca)
{
	AUTO(usages_free)
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool has;

	ERR_clear_error();
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		char text[128];

		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1);
		if (!purpose_is_within(text, ca))
			return false;
	}
	/* Of a leaf without any, the CA's still has to be one that can be read. */
	return purposes_read(ca, OID_ANY_USAGE, &has) >= 0;
}
