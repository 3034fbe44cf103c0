#include "ca/base/clock.h"
#include "ca/lint_check.h"
#include "ca/usage.h"

#include <string.h>

/* Verifiers of the greatest number refuse a TLS server's certificate that lasts longer, whoever's CA made it. */
#define TLS_DAYS 825
#define BACKDATE_MAX HOUR

static const struct yaml_mark whole = {0};

static void look_nameless(const struct linting *x)
{
	if (x->tmpl->subject.n == 0 && x->tmpl->san.names.n == 0)
		lint_found(x, whole, "neither subject nor subject_alt_name says whose it is");
}

static void look_san_critical(const struct linting *x)
{
	if (x->tmpl->subject.n == 0 && x->tmpl->san.names.n > 0 && !x->tmpl->san.critical)
		lint_found(x, x->tmpl->san.mark,
			"without a subject the subject alternative name has to be critical");
}

static void look_usage_missing(const struct linting *x)
{
	if (x->tmpl->key_usage.n == 0)
		lint_found(x, whole, "without key_usage the key may be used for everything");
}

static void look_usage_ca(const struct linting *x)
{
	static const char *const usages[] = {"keyCertSign", "cRLSign"};

	for (size_t i = 0; i < COUNT(usages); i++)
		if (lint_lists(&x->tmpl->key_usage, usages[i]))
			lint_found(x, whole, "%s is a CA's, and no device is one", usages[i]);
}

static void look_usage_decrypt(const struct linting *x)
{
	static const char *const usages[] = {
		"keyEncipherment", "dataEncipherment", "keyAgreement"};

	if (template_key(x->tmpl) == TEMPLATE_KEY_ANY || x->tmpl->decrypt)
		return;
	for (size_t i = 0; i < COUNT(usages); i++)
		if (lint_lists(&x->tmpl->key_usage, usages[i]))
			lint_found(x, whole,
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
			lint_found(x, whole, "%s means nothing without keyAgreement", usages[i]);
}

static void look_decrypt_unused(const struct linting *x)
{
	if (x->tmpl->decrypt && !lint_lists(&x->tmpl->key_usage, "keyEncipherment") &&
		!lint_lists(&x->tmpl->key_usage, "dataEncipherment") &&
		!lint_lists(&x->tmpl->key_usage, "keyAgreement"))
		lint_found(x, whole,
			"decrypt lets the key decrypt, and no key_usage says that it is for that");
}

static void look_eku_missing(const struct linting *x)
{
	if (x->tmpl->extended_key_usage.n == 0)
		lint_found(x, whole,
			"without extended_key_usage it is good for everything, also as a TLS "
			"server's and a client's certificate");
}

static void look_eku_any(const struct linting *x)
{
	if (lint_has_usage(x->tmpl, EKU_ANY))
		lint_found(x, whole, "anyExtendedKeyUsage stands for every purpose there is");
}

static void look_eku_ocsp(const struct linting *x)
{
	if (lint_has_usage(x->tmpl, EKU_OCSP))
		lint_found(x, whole,
			"OCSPSigning would let a device answer for the CA which certificates are "
			"good");
}

static void look_eku_twice(const struct linting *x)
{
	char *const *oid = x->tmpl->extended_key_usage.item;

	for (size_t i = 1; i < x->tmpl->extended_key_usage.n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(oid[i], oid[j]) == 0)
				lint_found(x, whole, "%s would be there twice", oid[i]);
}

static void look_tls_signature(const struct linting *x)
{
	if (lint_is_for_tls(x->tmpl) && x->tmpl->key_usage.n > 0 &&
		!lint_lists(&x->tmpl->key_usage, "digitalSignature"))
		lint_found(x, whole, "in TLS the key signs, and key_usage has no digitalSignature");
}

static void look_tls_name(const struct linting *x)
{
	if (lint_has_usage(x->tmpl, EKU_SERVER) && !lint_has_dns_name(x->tmpl))
		lint_found(x, whole,
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

/* What a certificate has by another key of the template, or by itself. */
static void look_extension_ours(const struct linting *x)
{
	static const char *const ours[] = {"2.5.29.", "1.3.6.1.5.5.7.1.", "2.23.133.6.1"};
	const struct template_extension *extension = x->tmpl->extensions.item;

	for (size_t i = 0; i < x->tmpl->extensions.n; i++)
		for (size_t j = 0; j < COUNT(ours); j++)
			if (strncmp(extension[i].oid, ours[j], strlen(ours[j])) == 0)
				lint_found(x, extension[i].mark,
					"the extension %s is a standard's, whose value is none of "
					"the types here, or stands in the certificate already",
					extension[i].oid);
}

static void look_extension_twice(const struct linting *x)
{
	const struct template_extension *extension = x->tmpl->extensions.item;

	for (size_t i = 1; i < x->tmpl->extensions.n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(extension[i].oid, extension[j].oid) == 0)
				lint_found(x, extension[i].mark,
					"the extension %s would be there twice", extension[i].oid);
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
	const char *const urls[] = {x->tmpl->authority_information.ca_issuers,
		x->tmpl->authority_information.ocsp};

	for (size_t i = 0; i < COUNT(urls); i++)
		if (urls[i] != NULL && strncmp(urls[i], "http://", 7) != 0)
			lint_found(x, x->tmpl->authority_information.mark,
				"\"%s\" is no http:// URL: with https a verifier could need the "
				"certificate to fetch it",
				urls[i]);
}

const struct lint_check lint_x509_checks[] = {
	{{"nameless", "RFC 5280 4.1.2.6", "A certificate names somebody."}, LINT_X509,
		look_nameless},
	{{"san-critical", "RFC 5280 4.2.1.6",
		 "Where the subject is empty, the subject alternative name is critical."},
		LINT_X509, look_san_critical},
	{{"usage-missing", "RFC 5280 4.2.1.3", "There is a key usage."}, LINT_X509,
		look_usage_missing},
	{{"usage-ca", "RFC 5280 4.2.1.3", "No device's key signs certificates or CRLs."}, LINT_X509,
		look_usage_ca},
	{{"usage-decrypt", "RFC 5280 4.2.1.3",
		 "A key that only signs, as every AK does, has no usage of one that decrypts."},
		LINT_X509, look_usage_decrypt},
	{{"usage-only", "RFC 5280 4.2.1.3",
		 "encipherOnly and decipherOnly go with keyAgreement."},
		LINT_X509, look_usage_only},
	{{"decrypt-unused", "TPM 2.0 Part 2, 8.3",
		 "A key that may decrypt has a key usage that needs it."},
		LINT_X509, look_decrypt_unused},
	{{"eku-missing", "RFC 5280 4.2.1.12", "There is an extended key usage."}, LINT_X509,
		look_eku_missing},
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
	{{"tls-lifetime", "Apple HT210176",
		 "A TLS server's certificate lasts at most 825 days."},
		LINT_X509, look_tls_lifetime},
	{{"backdate", "RFC 5280 4.1.2.5",
		 "Back-dating is an hour and half of the lifetime at most."},
		LINT_ANY, look_backdate},
	{{"extension-ours", "RFC 5280 4.2",
		 "An extra extension is none that has a key of its own, or a standard's syntax."},
		LINT_X509, look_extension_ours},
	{{"extension-twice", "RFC 5280 4.2", "Each extension is there once."}, LINT_X509,
		look_extension_twice},
	{{"extension-critical", "RFC 5280 4.2",
		 "A TLS certificate has no critical extension of its own."},
		LINT_X509, look_extension_critical},
	{{"access-http", "RFC 5280 8", "What verifiers fetch, they fetch by http."}, LINT_X509,
		look_access},
	{{0}, LINT_ANY, NULL},
};
