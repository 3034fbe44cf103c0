#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/purpose.h"
#include "ca/crl.h"
#include "ca/lint_check.h"
#include "ca/specimen.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

static const struct yaml_mark whole = {0};

/* By its whole life, and not by what is left of it: an old CA's templates are as good as they were. */
static void look_lifetime(const struct linting *x)
{
	int64_t from, until;

	if (x->issuer != NULL && cert_validity(x->issuer, &from, &until) == OK &&
		x->tmpl->lifetime > until - from)
		lint_found(x, whole,
			"the CA itself is valid for %lld days only, so that every certificate "
			"would "
			"be cut short",
			(long long)((until - from) / DAY));
}

static void look_identifier(const struct linting *x)
{
	if (x->issuer != NULL && X509_get_ext_by_NID(x->issuer, NID_subject_key_identifier, -1) < 0)
		lint_found(x, whole,
			"the CA's certificate has no subjectKeyIdentifier, so that certificates "
			"would have no authorityKeyIdentifier");
}

static void look_crl_sign(const struct linting *x)
{
	if (x->issuer != NULL && template_tells_crl(x->tmpl) && !crl_may_sign(x->issuer))
		lint_found(x, whole,
			"the CA's certificate has no key usage cRLSign, so that nobody would "
			"believe the CRL that these certificates name: have one made with it, or "
			"say revocation: ocsp");
}

static void look_purposes(const struct linting *x)
{
	char *const *oid = x->tmpl->extended_key_usage.item;

	for (size_t i = 0; x->issuer != NULL && i < x->tmpl->extended_key_usage.n; i++)
		if (!purpose_is_within(oid[i], x->issuer))
			lint_found(x, x->tmpl->extended_key_usage.mark,
				"the CA's certificate has an extended key usage without %s, so "
				"that "
				"verifiers refuse it in those below",
				oid[i]);
}

static bool allows(const CERTIFICATEPOLICIES *policies, const char *oid)
{
	char text[128];

	for (int i = 0; i < sk_POLICYINFO_num(policies); i++)
		if (OBJ_obj2txt(text, sizeof(text), sk_POLICYINFO_value(policies, i)->policyid, 1) >
				0 &&
			(strcmp(text, oid) == 0 || strcmp(text, "2.5.29.32.0") == 0))
			return true;
	return false;
}

static void look_policies(const struct linting *x)
{
	const struct template_trust_policies *trust = &x->tmpl->trust_policies;
	const char *const by_class[] = {
		trust->manufacturer, trust->operator_import, trust->allow_list, trust->approved};
	char *const *oid = x->tmpl->policies.item;
	CERTIFICATEPOLICIES *of_ca =
		x->issuer == NULL
			? NULL
			: X509_get_ext_d2i(x->issuer, NID_certificate_policies, NULL, NULL);
	static const char sentence[] = "the CA's certificate has policies, and %s is none of them, "
				       "so that no verifier that asks for it finds it";

	for (size_t i = 0; of_ca != NULL && i < x->tmpl->policies.n; i++)
		if (!allows(of_ca, oid[i]))
			lint_found(x, x->tmpl->policies.mark, sentence, oid[i]);
	for (size_t i = 0; of_ca != NULL && i < COUNT(by_class); i++)
		if (by_class[i] != NULL && !allows(of_ca, by_class[i]))
			lint_found(x, trust->mark, sentence, by_class[i]);
	CERTIFICATEPOLICIES_free(of_ca);
}

/* Its host is one that the CA may name: what is refused is what the template adds. */
static bool is_permitted(X509 *cert, NAME_CONSTRAINTS *constraints)
{
	bool permitted;

	/* Has OpenSSL look at the names; what else it misses is no matter here. */
	(void)X509_check_purpose(cert, -1, 0);
	permitted = NAME_CONSTRAINTS_check(cert, constraints) == X509_V_OK &&
		    NAME_CONSTRAINTS_check_CN(cert, constraints) == X509_V_OK;
	ERR_clear_error();
	return permitted;
}

static void look_constraints(const struct linting *x)
{
	AUTO(specimen_free) struct specimen specimen = {0};
	AUTO(x509_free) X509 *cert = X509_new();
	NAME_CONSTRAINTS *constraints =
		x->issuer == NULL ? NULL
				  : X509_get_ext_d2i(x->issuer, NID_name_constraints, NULL, NULL);

	/* What cannot be made of the template is another rule's. */
	if (constraints != NULL && cert != NULL &&
		specimen_make(x->tmpl, x->issuer, &specimen) == OK &&
		specimen_names(x->tmpl, &specimen, cert) == OK && !is_permitted(cert, constraints))
		lint_found(x, x->tmpl->san.mark,
			"the CA's name constraints do not let it certify such names: not even for "
			"%s",
			specimen.host);
	NAME_CONSTRAINTS_free(constraints);
}

const struct lint_check lint_issuer_checks[] = {
	{{"issuer-lifetime", "RFC 5280 4.1.2.5", "No certificate is to outlive its CA."}, LINT_X509,
		look_lifetime},
	{{"issuer-identifier", "RFC 5280 4.2.1.1", "The CA has a key identifier."}, LINT_X509,
		look_identifier},
	{{"issuer-crl-sign", "RFC 5280 4.2.1.3", "The CA may sign the CRL that is named."},
		LINT_X509, look_crl_sign},
	{{"issuer-purposes", "RFC 5280 4.2.1.12",
		 "The CA's own extended key usage, where it has one, has the template's."},
		LINT_X509, look_purposes},
	{{"issuer-policies", "RFC 5280 6.1.3",
		 "The CA's policies, where it has any, have the template's."},
		LINT_X509, look_policies},
	{{"issuer-constraints", "RFC 5280 4.2.1.10", "The CA's name constraints permit the names."},
		LINT_X509, look_constraints},
	{{0}, LINT_ANY, NULL},
};
