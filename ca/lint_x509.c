#include "ca/base/clock.h"
#include "ca/base/oid.h"
#include "ca/lint_check.h"
#include "ca/usage.h"

#include <string.h>

/*
 * Verifiers of the greatest number refuse a TLS server's certificate that lasts longer, whoever's
 * CA made it.
 */
#define TLS_DAYS 825
#define BACKDATE_MAX HOUR

static const struct yaml_mark whole = {0};

static void look_usage_ca(const struct linting *x)
{
	static const char *const usages[] = {"keyCertSign", "cRLSign"};

	for (size_t i = 0; i < COUNT(usages); i++)
		if (lint_lists(&x->tmpl->key_usage, usages[i]))
			lint_found(x, x->tmpl->key_usage.mark, "%s is a CA's, and no device is one",
				usages[i]);
}

static void look_usage_decrypt(const struct linting *x)
{
	static const char *const usages[] = {"keyEncipherment", "dataEncipherment", "keyAgreement"};

	if (template_key(x->tmpl) == TEMPLATE_KEY_ANY || x->tmpl->decrypt)
		return;
	for (size_t i = 0; i < COUNT(usages); i++)
		if (lint_lists(&x->tmpl->key_usage, usages[i]))
			lint_found(x, x->tmpl->key_usage.mark,
				"%s is for a key that decrypts, and the keys of this template only "
				"sign (see decrypt)",
				usages[i]);
}

static void look_usage_only(const struct linting *x)
{
	static const char *const usages[] = {"encipherOnly", "decipherOnly"};

	for (size_t i = 0; i < COUNT(usages); i++)
		if (lint_lists(&x->tmpl->key_usage, usages[i]) &&
			!lint_lists(&x->tmpl->key_usage, "keyAgreement"))
			lint_found(x, x->tmpl->key_usage.mark,
				"%s means nothing without keyAgreement", usages[i]);
}

static void look_decrypt_unused(const struct linting *x)
{
	if (x->tmpl->decrypt && !lint_lists(&x->tmpl->key_usage, "keyEncipherment") &&
		!lint_lists(&x->tmpl->key_usage, "dataEncipherment") &&
		!lint_lists(&x->tmpl->key_usage, "keyAgreement"))
		lint_found(x, x->tmpl->key_usage.mark,
			"decrypt lets the key decrypt, and no key_usage says that it is for that");
}

static void look_eku_any(const struct linting *x)
{
	if (lint_has_usage(x->tmpl, OID_ANY_USAGE))
		lint_found(x, x->tmpl->extended_key_usage.mark,
			"anyExtendedKeyUsage stands for every purpose there is");
}

static void look_eku_ocsp(const struct linting *x)
{
	if (lint_has_usage(x->tmpl, EKU_OCSP))
		lint_found(x, x->tmpl->extended_key_usage.mark,
			"OCSPSigning would let a device answer for the CA which certificates are "
			"good");
}

static void look_eku_twice(const struct linting *x)
{
	char *const *oid = x->tmpl->extended_key_usage.item;

	for (size_t i = 1; i < x->tmpl->extended_key_usage.n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(oid[i], oid[j]) == 0)
				lint_found(x, x->tmpl->extended_key_usage.mark,
					"%s would be there twice", oid[i]);
}

static void look_tls_signature(const struct linting *x)
{
	if (lint_is_for_tls(x->tmpl) && x->tmpl->key_usage.n > 0 &&
		!lint_lists(&x->tmpl->key_usage, "digitalSignature"))
		lint_found(x, x->tmpl->key_usage.mark,
			"in TLS the key signs, and key_usage has no digitalSignature");
}

static void look_tls_name(const struct linting *x)
{
	if (lint_has_usage(x->tmpl, EKU_SERVER) && !lint_has_dns_name(x->tmpl))
		lint_found(x, x->tmpl->san.mark,
			"a TLS server's certificate without a dns_name is good for no name: "
			"clients do not look at the subject");
}

static void look_tls_lifetime(const struct linting *x)
{
	if (lint_has_usage(x->tmpl, EKU_SERVER) && x->tmpl->lifetime > (int64_t)TLS_DAYS * DAY)
		lint_found(x, whole,
			"of a TLS server, Apple's systems refuse what lasts more than %d days",
			TLS_DAYS);
}

static void look_backdate(const struct linting *x)
{
	if (x->tmpl->backdate > BACKDATE_MAX)
		lint_found(x, whole,
			"backdate is for clocks that are behind: more than an hour is no clock's "
			"fault, and lets what was signed before the key existed look good");
	else if (x->tmpl->backdate > x->tmpl->lifetime / 2)
		lint_found(x, whole,
			"backdate is more than half of the lifetime: devices would renew at once");
}

static void look_extension_critical(const struct linting *x)
{
	const struct template_extension *extension = x->tmpl->extensions.item;

	for (size_t i = 0; i < x->tmpl->extensions.n; i++)
		if (extension[i].critical && lint_is_for_tls(x->tmpl))
			lint_found(x, extension[i].mark,
				"no TLS stack knows the extension %s, and each has to refuse what "
				"is critical and unknown",
				extension[i].oid);
}

static void look_access(const struct linting *x)
{
	const char *const urls[] = {
		x->tmpl->authority_information.ca_issuers, x->tmpl->authority_information.ocsp};

	for (size_t i = 0; i < COUNT(urls); i++)
		if (urls[i] != NULL && strncmp(urls[i], "http://", 7) != 0)
			lint_found(x, x->tmpl->authority_information.mark,
				"\"%s\" is no http:// URL: with https a verifier could need the "
				"certificate to fetch it",
				urls[i]);
}

const struct lint_check lint_x509_checks[] = {
	{{"usage-ca", "RFC 5280 4.2.1.3", "No device's key signs certificates or CRLs."}, LINT_X509,
		look_usage_ca},
	{{"usage-decrypt", "RFC 5280 4.2.1.3",
		 "A key that only signs, as every AK does, has no usage of one that decrypts."},
		LINT_X509, look_usage_decrypt},
	{{"usage-only", "RFC 5280 4.2.1.3", "encipherOnly and decipherOnly go with keyAgreement."},
		LINT_X509, look_usage_only},
	{{"decrypt-unused", "TPM 2.0 Part 2, 8.3",
		 "A key that may decrypt has a key usage that needs it."},
		LINT_X509, look_decrypt_unused},
	{{"eku-any", "RFC 5280 4.2.1.12", "No certificate is for every purpose."}, LINT_X509,
		look_eku_any},
	{{"eku-ocsp", "RFC 6960 4.2.2.2", "No device answers for the CA."}, LINT_X509,
		look_eku_ocsp},
	{{"eku-twice", "RFC 5280 4.2.1.12", "Each purpose is there once."}, LINT_X509,
		look_eku_twice},
	{{"tls-signature", "RFC 8446 4.4.2.2",
		 "A TLS certificate's key usage has digitalSignature."},
		LINT_X509, look_tls_signature},
	{{"tls-name", "RFC 9525 6.3", "A TLS server's certificate has a DNS name."}, LINT_X509,
		look_tls_name},
	{{"tls-lifetime", "Apple HT210176", "A TLS server's certificate lasts at most 825 days."},
		LINT_X509, look_tls_lifetime},
	{{"backdate", "RFC 5280 4.1.2.5",
		 "Back-dating is an hour and half of the lifetime at most."},
		LINT_ANY, look_backdate},
	{{"extension-critical", "RFC 5280 4.2",
		 "A TLS certificate has no critical extension of its own."},
		LINT_X509, look_extension_critical},
	{{"access-http", "RFC 5280 8", "What verifiers fetch, they fetch by http."}, LINT_X509,
		look_access},
	{{0}, LINT_ANY, NULL},
};
