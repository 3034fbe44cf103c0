#include "tests/unit/trust/lists.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <openssl/x509v3.h>

#define DAY 86400

static ASN1_TIME *time_of(int64_t when)
{
	ASN1_TIME *time = ASN1_TIME_adj(NULL, (time_t)when, 0, 0);

	assert_non_null(time);
	return time;
}

static GENERAL_NAMES *names_of(const X509_NAME *name)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *one = GENERAL_NAME_new();

	GENERAL_NAME_set0_value(one, GEN_DIRNAME, X509_NAME_dup(name));
	assert_true(sk_GENERAL_NAME_push(names, one) > 0);
	return names;
}

static void add_entry(X509_CRL *crl, X509 *revoked, int reason, const X509_NAME *issuer)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = time_of(NOW - 2 * DAY);

	assert_int_equal(1, X509_REVOKED_set_serialNumber(
				    entry, (ASN1_INTEGER *)X509_get0_serialNumber(revoked)));
	assert_int_equal(1, X509_REVOKED_set_revocationDate(entry, when));
	if (reason > 0) {
		ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

		ASN1_ENUMERATED_set(code, reason);
		assert_int_equal(1, X509_REVOKED_add1_ext_i2d(
					    entry, NID_crl_reason, code, 0, X509V3_ADD_APPEND));
		ASN1_ENUMERATED_free(code);
	}
	if (issuer != NULL) {
		GENERAL_NAMES *names = names_of(issuer);

		assert_int_equal(1, X509_REVOKED_add1_ext_i2d(entry, NID_certificate_issuer, names,
					    1, X509V3_ADD_APPEND));
		GENERAL_NAMES_free(names);
	}
	assert_int_equal(1, X509_CRL_add0_revoked(crl, entry));
	ASN1_TIME_free(when);
}

static void add_scope(X509_CRL *crl, const struct list_recipe *recipe)
{
	ISSUING_DIST_POINT *scope = ISSUING_DIST_POINT_new();

	scope->indirectCRL = recipe->is_indirect ? 0xff : 0;
	scope->onlyattr = recipe->is_for_attributes ? 0xff : 0;
	assert_int_equal(1, X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, scope, 1,
				    X509V3_ADD_APPEND));
	ISSUING_DIST_POINT_free(scope);
}

static void add_extension(X509_CRL *crl, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(1, X509_CRL_add_ext(crl, extension, -1));
	X509_EXTENSION_free(extension);
}

static void add_unknown_critical(X509_CRL *crl)
{
	static const uint8_t null[] = {0x05, 0x00};
	ASN1_OBJECT *type = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(value, null, sizeof(null));
	extension = X509_EXTENSION_create_by_OBJ(NULL, type, 1, value);
	assert_int_equal(1, X509_CRL_add_ext(crl, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(type);
}

static void add_delta(X509_CRL *crl)
{
	ASN1_INTEGER *base = ASN1_INTEGER_new();

	ASN1_INTEGER_set(base, 1);
	assert_int_equal(1, X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 1, X509V3_ADD_APPEND));
	ASN1_INTEGER_free(base);
}

static void add_times(X509_CRL *crl, const struct list_recipe *recipe)
{
	ASN1_TIME *made = time_of(recipe->made == 0 ? NOW - DAY : recipe->made);
	ASN1_TIME *due = time_of(recipe->due == 0 ? NOW + DAY : recipe->due);

	assert_int_equal(1, X509_CRL_set1_lastUpdate(crl, made));
	if (recipe->due >= 0)
		assert_int_equal(1, X509_CRL_set1_nextUpdate(crl, due));
	ASN1_TIME_free(made);
	ASN1_TIME_free(due);
}

X509_CRL *list_made(const struct list_recipe *recipe)
{
	X509_CRL *crl = X509_CRL_new();

	assert_int_equal(1, X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	assert_int_equal(1, X509_CRL_set_issuer_name(crl, X509_get_subject_name(recipe->issuer)));
	add_times(crl, recipe);
	if (!recipe->lacks_key_id)
		add_extension(crl, recipe->issuer, NID_authority_key_identifier, "keyid:always");
	if (recipe->is_indirect || recipe->is_for_attributes)
		add_scope(crl, recipe);
	if (recipe->is_delta)
		add_delta(crl);
	if (recipe->has_unknown_critical)
		add_unknown_critical(crl);
	if (recipe->decoy != NULL)
		add_entry(crl, recipe->decoy, 0, X509_get_issuer_name(recipe->decoy));
	if (recipe->revoked != NULL)
		add_entry(crl, recipe->revoked, recipe->reason,
			recipe->entry_issuer == NULL ? NULL
						     : X509_get_subject_name(recipe->entry_issuer));
	assert_true(X509_CRL_sign(crl, recipe->key, EVP_sha256()) > 0);
	return crl;
}

void world_list(struct world *world, const struct list_recipe *recipe)
{
	assert_true(sk_X509_CRL_push(world->crls, list_made(recipe)) > 0);
}
