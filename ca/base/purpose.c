#include "ca/base/purpose.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define ANY_PURPOSE "2.5.29.37.0"

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
	return sk_ASN1_OBJECT_num(usages);
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

bool purposes_are_within(const X509 *certificate, const X509 *ca)
{
	AUTO(usages_free)
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool has_any = false;
	int n = purposes_read(ca, ANY_PURPOSE, &has_any);

	ERR_clear_error();
	if (n <= 0 || has_any)
		return n >= 0;
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		char text[128];

		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1);
		if (!purpose_is_among(ca, text))
			return false;
	}
	return true;
}
