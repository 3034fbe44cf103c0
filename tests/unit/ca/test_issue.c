#include "ca/issue.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/identifier.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define NOW 1800000000 /* 2027-01-15T08:00:00Z; the CA of the fixture was made in 2026 */

static X509 *parse(const struct issued *issued)
{
	const uint8_t *p = issued->der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)issued->der.n);

	assert_non_null(cert);
	assert_ptr_equal(issued->der.p + issued->der.n, p);
	return cert;
}

static EVP_PKEY *fixture_key(void)
{
	AUTO(mem_free) char *path = source_path("tests/data/ak-only-for-tests.pem");
	AUTO(bio_free) BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *key;

	assert_non_null(bio);
	key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	assert_non_null(key);
	return key;
}

static void a_serial_number_is_positive_of_16_bytes_and_never_the_same(void **state)
{
	uint8_t serials[200][ISSUED_SERIAL_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(serials); i++) {
		AUTO(x509_free) X509 *cert = X509_new();
		AUTO(ossl_free) uint8_t *der = NULL;

		assert_ok(serial_make(cert, INT64_C(20000) * 86400, serials[i]));
		assert_memory_equal("\x40\x4e\x20", serials[i], 3); /* 20000 is 4e20 */
		assert_int_equal(2 + ISSUED_SERIAL_SIZE,
			i2d_ASN1_INTEGER(X509_get_serialNumber(cert), &der));
		assert_memory_equal(serials[i], der + 2, ISSUED_SERIAL_SIZE);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(serials[i], serials[j], ISSUED_SERIAL_SIZE);
	}
}

static void the_serial_number_given_out_is_the_one_in_the_certificate(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0};
	AUTO(x509_free) X509 *cert = NULL;
	const ASN1_INTEGER *serial;

	(void)state;
	granted_make(key, &granted);
	assert_ok(certificate_issue(authority, granted.tmpl, &granted.grant, NOW, &issued));
	cert = parse(&issued);
	serial = X509_get0_serialNumber(cert);
	assert_view_equal(((struct view){issued.serial, issued.serial_n}),
		((struct view){serial->data, (size_t)serial->length}));
}

static void assert_time(const ASN1_TIME *time, int64_t wanted)
{
	assert_int_equal(0, ASN1_TIME_cmp_time_t(time, (time_t)wanted));
}

static void a_certificate_begins_early_and_ends_with_its_ca_at_the_latest(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(granted_free) struct granted granted;
	const int64_t day = 86400, now = clock_now(), ca_ends = now + 100 * day;
	const int64_t nows[] = {now, ca_ends - 90 * day, ca_ends - 90 * day + 1, ca_ends - 1};

	(void)state;
	recipe.until = ca_ends;
	issuer_make(&recipe, &issuer);
	assert_ok(issuer_load(&issuer, &authority));
	granted_make(key, &granted);
	for (size_t i = 0; i < COUNT(nows); i++) {
		AUTO(issued_free) struct issued issued = {0};
		AUTO(x509_free) X509 *cert = NULL;

		assert_ok(certificate_issue(
			authority, granted.tmpl, &granted.grant, nows[i], &issued));
		cert = parse(&issued);
		assert_true(issued.not_before == nows[i] - 300);
		assert_true(issued.not_after == (i < 2 ? nows[i] + 90 * day : ca_ends));
		assert_time(X509_get0_notBefore(cert), issued.not_before);
		assert_time(X509_get0_notAfter(cert), issued.not_after);
	}
}

static void a_ca_that_has_ended_issues_nothing(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	recipe.until = clock_now() + 1000;
	issuer_make(&recipe, &issuer);
	assert_ok(issuer_load(&issuer, &authority));
	granted_make(key, &granted);
	assert_refused(
		certificate_issue(authority, granted.tmpl, &granted.grant, recipe.until, &issued),
		ERR_BUSY, "ca-expired");
	assert_int_equal(0, issued.der.n);
}

static void a_ca_that_has_not_begun_issues_nothing_and_no_certificate_begins_before_it(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued early = {0}, first = {0};
	int64_t ca_begins;

	(void)state;
	issuer_make(&recipe, &issuer);
	assert_ok(issuer_load(&issuer, &authority));
	granted_make(key, &granted);
	ca_begins = authority_not_before(authority);
	assert_refused(
		certificate_issue(authority, granted.tmpl, &granted.grant, ca_begins - 1, &early),
		ERR_BUSY, "ca-not-valid-yet");
	assert_int_equal(0, early.der.n);
	assert_ok(certificate_issue(authority, granted.tmpl, &granted.grant, ca_begins, &first));
	assert_true(first.not_before == ca_begins);
}

static void a_grant_without_what_the_template_speaks_of_gets_nothing(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	granted_make(key, &granted);
	granted.grant.device_id = NULL;
	assert_refused(certificate_issue(authority, granted.tmpl, &granted.grant, NOW, &issued),
		ERR_INTERNAL, "template-value");
	assert_int_equal(0, issued.der.n);
}

/* Shipped templates name nothing of who vouches: what another wants is only refused by that one. */
static void a_tpm_of_which_nothing_is_proven_has_its_id_for_a_name(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0}, refused = {0};
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(general_names_free) GENERAL_NAMES *names = NULL;
	struct template strict;
	struct template_name strict_names[2];
	int critical = 0;

	(void)state;
	granted_make(key, &granted);
	granted.grant.trust_class = "allow-list";
	granted.grant.tpm_manufacturer = granted.grant.tpm_model = NULL;
	granted.grant.tpm_version = "";
	assert_ok(certificate_issue(authority, granted.tmpl, &granted.grant, NOW, &issued));
	cert = parse(&issued);
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	assert_int_equal(1, critical);
	assert_int_equal(1, sk_GENERAL_NAME_num(names));
	assert_true(identifier_says(sk_GENERAL_NAME_value(names, 0), granted.grant.device_id));
	assert_int_equal(0, X509_NAME_entry_count(X509_get_subject_name(cert)));

	strict = *granted.tmpl;
	assert_int_equal(COUNT(strict_names), strict.san.names.n);
	memcpy(strict_names, strict.san.names.item, sizeof(strict_names));
	strict.san.names.item = strict_names;
	strict_names[0].optional = false;
	assert_refused(certificate_judge(authority, &strict, &granted.grant), ERR_REJECTED,
		"template-needs-tpm-facts");
	assert_refused(certificate_issue(authority, &strict, &granted.grant, NOW, &refused),
		ERR_REJECTED, "template-needs-tpm-facts");
	assert_int_equal(0, refused.der.n);
}

#define ARC "1.3.6.1.4.1.99999." /* of nobody */
#define ALWAYS ARC "1"

static const struct {
	const char *trust_class, *policy;
} classes[] = {
	{"manufacturer", ARC "2.1"},
	{"operator-import", ARC "2.2"},
	{"allow-list", ARC "2.3"},
	{"approved", ARC "2.4"},
	{"unproven-root", NULL},
};

/* The text has `before` and one of the policies as often as it should, and in this order. */
static void assert_policies(const char *text, const char *before, const char *of_class)
{
	AUTO(buf_free) struct buf always = BUF(256), after = BUF(256), any = BUF(256);
	const char *first, *second;

	buf_fmt(&any, "%s" ARC, before);
	buf_fmt(&always, "%s" ALWAYS "\n", before);
	first = strstr(text, buf_text(&any));
	assert_non_null(first);
	assert_ptr_equal(first, strstr(text, buf_text(&always)));
	second = strstr(first + 1, buf_text(&any));
	if (of_class == NULL) {
		assert_null(second);
		return;
	}
	buf_fmt(&after, "%s%s\n", before, of_class);
	assert_non_null(second);
	assert_ptr_equal(second, strstr(first + 1, buf_text(&after)));
	assert_null(strstr(second + 1, buf_text(&any)));
}

static void assert_others_see(const struct issued *issued, const char *of_class)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *path = path_join(dir, "leaf.der");
	AUTO(buf_free) struct buf openssl = BUF(1 << 16), certtool = BUF(1 << 16);

	scratch_put(dir, "leaf.der", buf_view(&issued->der));
	assert_int_equal(0, PROGRAM_RUN(&openssl, "openssl", "x509", "-inform", "DER", "-in", path,
				    "-noout", "-ext", "certificatePolicies"));
	assert_policies(buf_text(&openssl), "Policy: ", of_class);
	assert_int_equal(0, PROGRAM_RUN(&certtool, "certtool", "--inder", "--certificate-info",
				    "--infile", path));
	assert_non_null(strstr(buf_text(&certtool), "Certificate Policies (not critical)"));
	assert_policies(buf_text(&certtool), "\t\t\t", of_class);
}

static void how_an_ek_came_to_be_trusted_is_a_policy_where_the_template_says_so(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;
	char *always[] = {(char *)ALWAYS};
	struct template tmpl;

	(void)state;
	granted_make(key, &granted);
	tmpl = *granted.tmpl;
	tmpl.policies = (struct yaml_list){.item = always, .n = 1};
	tmpl.trust_policies = (struct template_trust_policies){
		.manufacturer = (char *)(uintptr_t)classes[0].policy,
		.operator_import = (char *)(uintptr_t)classes[1].policy,
		.allow_list = (char *)(uintptr_t)classes[2].policy,
		.approved = (char *)(uintptr_t)classes[3].policy};
	for (size_t i = 0; i < COUNT(classes); i++) {
		AUTO(issued_free) struct issued issued = {0};

		granted.grant.trust_class = classes[i].trust_class;
		assert_ok(certificate_issue(authority, &tmpl, &granted.grant, NOW, &issued));
		assert_others_see(&issued, classes[i].policy);
	}
}

/* A template that names a policy for one class alone says nothing of the others. */
static void a_class_that_the_template_does_not_name_has_no_policy(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;
	struct template tmpl;

	(void)state;
	granted_make(key, &granted);
	tmpl = *granted.tmpl;
	tmpl.trust_policies.approved = (char *)(uintptr_t)classes[3].policy;
	for (size_t i = 0; i < COUNT(classes); i++) {
		AUTO(issued_free) struct issued issued = {0};
		AUTO(x509_free) X509 *cert = NULL;
		bool has;

		granted.grant.trust_class = classes[i].trust_class;
		assert_ok(certificate_issue(authority, &tmpl, &granted.grant, NOW, &issued));
		cert = parse(&issued);
		has = X509_get_ext_by_NID(cert, NID_certificate_policies, -1) >= 0;
		assert_int_equal(strcmp(classes[i].trust_class, "approved") == 0, has);
	}
}

static void the_profile_is_what_relying_parties_check(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0};
	AUTO(x509_free) X509 *cert = NULL;
	EXTENDED_KEY_USAGE *purposes;
	X509 *ca = authority_certificate(authority);
	char oid[32];
	int at;

	(void)state;
	granted_make(key, &granted);
	assert_ok(certificate_issue(authority, granted.tmpl, &granted.grant, NOW, &issued));
	cert = parse(&issued);
	assert_int_equal(X509_VERSION_3, X509_get_version(cert));
	assert_int_equal(0, X509_NAME_entry_count(X509_get_subject_name(cert)));
	assert_int_equal(0, X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(ca)));
	at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
	assert_int_equal(1, X509_EXTENSION_get_critical(X509_get_ext(cert, at)));
	assert_int_equal(0, ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(cert),
				    X509_get0_subject_key_id(ca)));
	assert_int_equal(0, X509_check_ca(cert));
	assert_int_equal(KU_DIGITAL_SIGNATURE, X509_get_key_usage(cert));
	purposes = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(purposes, 0), 1);
	EXTENDED_KEY_USAGE_free(purposes);
	assert_string_equal("2.23.133.8.3", oid);
	assert_int_equal(1, X509_verify(cert, authority_key(authority)));
}

#define OURS "http://ca.example.org/"
#define OWN "http://own.example.org/"

/* What the template says, and what a certificate then says of where to ask; NULL: nothing. */
static const struct {
	const char *revocation, *own_issuer, *own_ocsp;
	const char *crl, *issuer, *ocsp;
} told[] = {
	{NULL, NULL, NULL, OURS "crl", OURS "cer", OURS "ocsp"},
	{"both", NULL, NULL, OURS "crl", OURS "cer", OURS "ocsp"},
	{"crl", NULL, NULL, OURS "crl", OURS "cer", NULL},
	{"ocsp", NULL, NULL, NULL, OURS "cer", OURS "ocsp"},
	{"none", NULL, NULL, NULL, OURS "cer", NULL},
	{NULL, OWN "cer", NULL, OURS "crl", OWN "cer", OURS "ocsp"},
	{"ocsp", NULL, OWN "ocsp", NULL, OURS "cer", OWN "ocsp"},
	{"none", OWN "cer", NULL, NULL, OWN "cer", NULL},
};

static void assert_url(const GENERAL_NAME *name, const char *wanted)
{
	assert_int_equal(GEN_URI, name->type);
	assert_view_equal(
		view_str(wanted), ((struct view){name->d.ia5->data, (size_t)name->d.ia5->length}));
}

static void assert_access(X509 *cert, int method, const char *wanted)
{
	AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
	size_t n = 0;

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(all); i++) {
		const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(all, i);

		if (OBJ_obj2nid(access->method) != method)
			continue;
		assert_non_null(wanted);
		assert_url(access->location, wanted);
		n++;
	}
	AUTHORITY_INFO_ACCESS_free(all);
	assert_int_equal(wanted == NULL ? 0 : 1, n);
}

static void assert_point(X509 *cert, const char *wanted)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);

	assert_int_equal(wanted == NULL, points == NULL);
	if (wanted != NULL) {
		assert_int_equal(1, sk_DIST_POINT_num(points));
		assert_url(sk_GENERAL_NAME_value(
				   sk_DIST_POINT_value(points, 0)->distpoint->name.fullname, 0),
			wanted);
	}
	CRL_DIST_POINTS_free(points);
}

static void where_to_ask_is_the_templates_to_say_and_then_the_services(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;

	(void)state;
	granted_make(key, &granted);
	granted.grant.publication = (struct grant_publication){OURS "crl", OURS "ocsp", OURS "cer"};
	for (size_t i = 0; i < COUNT(told); i++) {
		AUTO(issued_free) struct issued issued = {0};
		AUTO(x509_free) X509 *cert = NULL;
		struct template tmpl = *granted.tmpl;

		tmpl.revocation = (char *)(uintptr_t)told[i].revocation;
		tmpl.authority_information.ca_issuers = (char *)(uintptr_t)told[i].own_issuer;
		tmpl.authority_information.ocsp = (char *)(uintptr_t)told[i].own_ocsp;
		assert_ok(certificate_issue(authority, &tmpl, &granted.grant, NOW, &issued));
		cert = parse(&issued);
		assert_point(cert, told[i].crl);
		assert_access(cert, NID_ad_ca_issuers, told[i].issuer);
		assert_access(cert, NID_ad_OCSP, told[i].ocsp);
	}
}

static void a_service_that_publishes_nothing_is_named_nowhere(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = fixture_key();
	AUTO(authority_free) struct authority *authority = issuer_of_fixture();
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0};
	AUTO(x509_free) X509 *cert = NULL;

	(void)state;
	granted_make(key, &granted);
	assert_ok(certificate_issue(authority, granted.tmpl, &granted.grant, NOW, &issued));
	cert = parse(&issued);
	assert_true(X509_get_ext_by_NID(cert, NID_crl_distribution_points, -1) < 0);
	assert_true(X509_get_ext_by_NID(cert, NID_info_access, -1) < 0);
	assert_memory_equal(authority_id(authority), issued.issuer, SHA256_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_serial_number_is_positive_of_16_bytes_and_never_the_same),
		cmocka_unit_test(the_serial_number_given_out_is_the_one_in_the_certificate),
		cmocka_unit_test(a_certificate_begins_early_and_ends_with_its_ca_at_the_latest),
		cmocka_unit_test(a_ca_that_has_ended_issues_nothing),
		cmocka_unit_test(
			a_ca_that_has_not_begun_issues_nothing_and_no_certificate_begins_before_it),
		cmocka_unit_test(a_grant_without_what_the_template_speaks_of_gets_nothing),
		cmocka_unit_test(a_tpm_of_which_nothing_is_proven_has_its_id_for_a_name),
		cmocka_unit_test(
			how_an_ek_came_to_be_trusted_is_a_policy_where_the_template_says_so),
		cmocka_unit_test(a_class_that_the_template_does_not_name_has_no_policy),
		cmocka_unit_test(the_profile_is_what_relying_parties_check),
		cmocka_unit_test(where_to_ask_is_the_templates_to_say_and_then_the_services),
		cmocka_unit_test(a_service_that_publishes_nothing_is_named_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
