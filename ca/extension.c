#include "ca/extension.h"

#include "ca/base/crypt.h"

static enum err not_added(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot add the extension %s", what);
}

enum err extension_basic_constraints(X509 *cert, bool is_ca, long path_length)
{
	BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
	bool added = false;

	if (constraints != NULL) {
		constraints->ca = is_ca ? 0xff : 0;
		if (is_ca && (constraints->pathlen = ASN1_INTEGER_new()) != NULL)
			ASN1_INTEGER_set(constraints->pathlen, path_length);
		added = X509_add1_ext_i2d(cert, NID_basic_constraints, constraints, 1, 0) == 1;
	}
	BASIC_CONSTRAINTS_free(constraints);
	return added ? OK : not_added("basicConstraints");
}

enum err extension_key_usage(X509 *cert, const int *bits, size_t n)
{
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	bool good = usage != NULL;

	for (size_t i = 0; good && i < n; i++)
		good = ASN1_BIT_STRING_set_bit(usage, bits[i], 1) == 1;
	good = good && X509_add1_ext_i2d(cert, NID_key_usage, usage, 1, 0) == 1;
	ASN1_BIT_STRING_free(usage);
	return good ? OK : not_added("keyUsage");
}

static bool push_oid(EXTENDED_KEY_USAGE *usage, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

	if (object != NULL && sk_ASN1_OBJECT_push(usage, object) > 0)
		return true;
	ASN1_OBJECT_free(object);
	return false;
}

enum err extension_extended_key_usage(X509 *cert, char *const *oids, size_t n, bool is_critical)
{
	EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
	bool good = usage != NULL;

	for (size_t i = 0; good && i < n; i++)
		good = push_oid(usage, oids[i]);
	good = good && X509_add1_ext_i2d(cert, NID_ext_key_usage, usage, is_critical, 0) == 1;
	EXTENDED_KEY_USAGE_free(usage);
	return good ? OK : not_added("extKeyUsage");
}

static GENERAL_NAME *uri_of(const char *url)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	if (name == NULL || text == NULL || ASN1_STRING_set(text, url, -1) != 1) {
		GENERAL_NAME_free(name);
		ASN1_IA5STRING_free(text);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, GEN_URI, text);
	return name;
}

DIST_POINT_NAME *distribution_point_name(const char *url)
{
	DIST_POINT_NAME *point = DIST_POINT_NAME_new();
	GENERAL_NAME *name = uri_of(url);

	if (point != NULL && name != NULL && (point->name.fullname = GENERAL_NAMES_new()) != NULL) {
		point->type = 0; /* fullName */
		if (sk_GENERAL_NAME_push(point->name.fullname, name) > 0)
			return point;
	}
	GENERAL_NAME_free(name);
	DIST_POINT_NAME_free(point);
	return NULL;
}

enum err extension_crl_distribution_point(X509 *cert, const char *url)
{
	CRL_DIST_POINTS *all = CRL_DIST_POINTS_new();
	DIST_POINT *point = DIST_POINT_new();
	bool added = all != NULL && point != NULL &&
		     (point->distpoint = distribution_point_name(url)) != NULL &&
		     sk_DIST_POINT_push(all, point) > 0;

	if (!added)
		DIST_POINT_free(point);
	added = added && X509_add1_ext_i2d(cert, NID_crl_distribution_points, all, 0, 0) == 1;
	CRL_DIST_POINTS_free(all);
	return added ? OK : not_added("cRLDistributionPoints");
}

bool access_add(AUTHORITY_INFO_ACCESS *all, int method, const char *url)
{
	ACCESS_DESCRIPTION *access = ACCESS_DESCRIPTION_new();
	GENERAL_NAME *location = uri_of(url);

	if (access == NULL || location == NULL) {
		ACCESS_DESCRIPTION_free(access);
		GENERAL_NAME_free(location);
		return false;
	}
	ASN1_OBJECT_free(access->method);
	access->method = OBJ_nid2obj(method);
	GENERAL_NAME_free(access->location);
	access->location = location;
	if (sk_ACCESS_DESCRIPTION_push(all, access) > 0)
		return true;
	ACCESS_DESCRIPTION_free(access);
	return false;
}

enum err extension_authority_information(X509 *cert, const char *ca_issuers, const char *ocsp)
{
	AUTHORITY_INFO_ACCESS *all = sk_ACCESS_DESCRIPTION_new_null();
	bool good = all != NULL;

	if (ca_issuers != NULL)
		good = good && access_add(all, NID_ad_ca_issuers, ca_issuers);
	if (ocsp != NULL)
		good = good && access_add(all, NID_ad_OCSP, ocsp);
	good = good && X509_add1_ext_i2d(cert, NID_info_access, all, 0, 0) == 1;
	AUTHORITY_INFO_ACCESS_free(all);
	return good ? OK : not_added("authorityInfoAccess");
}

static bool push_policy(CERTIFICATEPOLICIES *policies, const char *oid)
{
	POLICYINFO *policy = POLICYINFO_new();

	if (policy != NULL && (policy->policyid = OBJ_txt2obj(oid, 1)) != NULL &&
		sk_POLICYINFO_push(policies, policy) > 0)
		return true;
	POLICYINFO_free(policy);
	return false;
}

enum err extension_certificate_policies(X509 *cert, const char *const *oids, size_t n)
{
	CERTIFICATEPOLICIES *policies = CERTIFICATEPOLICIES_new();
	bool good = policies != NULL;

	for (size_t i = 0; good && i < n; i++)
		good = push_policy(policies, oids[i]);
	good = good && X509_add1_ext_i2d(cert, NID_certificate_policies, policies, 0, 0) == 1;
	CERTIFICATEPOLICIES_free(policies);
	return good ? OK : not_added("certificatePolicies");
}

enum err extension_any(X509 *cert, const char *oid, bool is_critical, struct view der)
{
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	bool added;

	added = type != NULL && value != NULL &&
		ASN1_OCTET_STRING_set(value, der.p, (int)der.n) == 1 &&
		(extension = X509_EXTENSION_create_by_OBJ(NULL, type, is_critical, value)) !=
			NULL &&
		X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(type);
	return added ? OK : not_added(oid);
}

enum err extension_subject_key_identifier(X509 *cert)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert);
	ASN1_OCTET_STRING *identifier = ASN1_OCTET_STRING_new();
	uint8_t digest[SHA256_SIZE];
	bool good = false;

	if (key != NULL && identifier != NULL &&
		SHA256_OF(digest, ((struct view){key->data, (size_t)key->length})) == OK &&
		ASN1_OCTET_STRING_set(identifier, digest, 20) == 1)
		good = X509_add1_ext_i2d(cert, NID_subject_key_identifier, identifier, 0, 0) == 1;
	ASN1_OCTET_STRING_free(identifier);
	return good ? OK : not_added("subjectKeyIdentifier");
}

AUTHORITY_KEYID *authority_key_identifier(const X509 *issuer)
{
	AUTHORITY_KEYID *identifier = AUTHORITY_KEYID_new();

	if (identifier != NULL && (identifier->keyid = X509_get_ext_d2i(
					   issuer, NID_subject_key_identifier, NULL, NULL)) != NULL)
		return identifier;
	AUTHORITY_KEYID_free(identifier);
	return NULL;
}

enum err extension_authority_key_identifier(X509 *cert, const X509 *issuer)
{
	AUTHORITY_KEYID *identifier = authority_key_identifier(issuer);
	bool good = identifier != NULL &&
		    X509_add1_ext_i2d(cert, NID_authority_key_identifier, identifier, 0, 0) == 1;

	AUTHORITY_KEYID_free(identifier);
	return good ? OK : not_added("authorityKeyIdentifier");
}
