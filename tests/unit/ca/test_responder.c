#include "ca/responder.h"

#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

static void load(
	const struct issuer_recipe *recipe, struct issuer *issuer, struct authority **authority)
{
	issuer_make(recipe, issuer);
	assert_ok(issuer_load(issuer, authority));
}

static bool has_extension(X509 *cert, const char *oid, bool *is_critical)
{
	ASN1_OBJECT *name = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(cert, name, -1);

	ASN1_OBJECT_free(name);
	*is_critical = at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(cert, at));
	return at >= 0;
}

static void its_certificate_is_a_delegated_responders(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(responder_free) struct responder *responder = NULL;
	int64_t now = clock_now();
	bool is_critical;
	char name[64];
	X509 *cert;

	(void)state;
	load(&recipe, &issuer, &authority);
	assert_ok(responder_make(authority, now, &responder));
	cert = responder_certificate(responder);
	assert_int_equal(1, X509_verify(cert, issuer.pkey));
	assert_int_equal(X509_V_OK, X509_check_issued(issuer.cert, cert));
	assert_int_equal(XKU_OCSP_SIGN, X509_get_extended_key_usage(cert));
	assert_int_equal(KU_DIGITAL_SIGNATURE, X509_get_key_usage(cert));
	assert_int_equal(0, X509_check_ca(cert));
	assert_true(has_extension(cert, "1.3.6.1.5.5.7.48.1.5", &is_critical));
	assert_false(is_critical);
	assert_true(has_extension(cert, "2.5.29.37", &is_critical));
	assert_false(is_critical);
	X509_NAME_oneline(X509_get_subject_name(cert), name, sizeof(name));
	assert_string_equal("/CN=OCSP responder", name);
	assert_int_equal(1, X509_check_private_key(cert, responder_key(responder)));
	assert_true(EVP_PKEY_is_a(responder_key(responder), "EC"));
	assert_int_equal(now + 7 * DAY, responder_not_after(responder));
	assert_memory_equal(responder_serial(responder),
		ASN1_STRING_get0_data(X509_get0_serialNumber(cert)), RESPONDER_SERIAL_SIZE);
}

static void each_has_a_key_of_its_own(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(responder_free) struct responder *first = NULL, *second = NULL;

	(void)state;
	load(&recipe, &issuer, &authority);
	assert_ok(responder_make(authority, clock_now(), &first));
	assert_ok(responder_make(authority, clock_now(), &second));
	assert_int_not_equal(1, EVP_PKEY_eq(responder_key(first), responder_key(second)));
	assert_memory_not_equal(
		responder_serial(first), responder_serial(second), RESPONDER_SERIAL_SIZE);
}

static void the_next_one_is_due_when_a_third_is_left(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(responder_free) struct responder *responder = NULL;
	int64_t now = clock_now();

	(void)state;
	load(&recipe, &issuer, &authority);
	assert_ok(responder_make(authority, now, &responder));
	assert_false(responder_is_due(responder, authority, now + 14 * DAY / 3 - 600));
	assert_true(responder_is_due(responder, authority, now + 14 * DAY / 3));
	assert_true(responder_is_valid(responder, now));
	assert_true(responder_is_valid(responder, now + 7 * DAY - 1));
	assert_false(responder_is_valid(responder, now + 7 * DAY));
	assert_false(responder_is_valid(responder, now - HOUR));
}

/* And then there is none to come: they would come thick and fast. */
static void it_ends_with_its_ca(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(responder_free) struct responder *responder = NULL;
	int64_t now = clock_now();

	(void)state;
	recipe.until = now + 3 * DAY;
	load(&recipe, &issuer, &authority);
	assert_ok(responder_make(authority, now, &responder));
	assert_int_equal(recipe.until, responder_not_after(responder));
	assert_false(responder_is_due(responder, authority, now + 3 * DAY - 1));
	responder_free(&responder);
	assert_refused(
		responder_make(authority, now + 3 * DAY, &responder), ERR_BUSY, "ca-expired");
	assert_refused(
		responder_make(authority, now - 3 * DAY, &responder), ERR_BUSY, "ca-not-valid-yet");
}

static void a_ca_that_may_name_some_hosts_only_has_one_all_the_same(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(responder_free) struct responder *responder = NULL;

	(void)state;
	recipe.names = "critical,permitted;DNS:example.org";
	load(&recipe, &issuer, &authority);
	assert_ok(responder_make(authority, clock_now(), &responder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_certificate_is_a_delegated_responders),
		cmocka_unit_test(each_has_a_key_of_its_own),
		cmocka_unit_test(the_next_one_is_due_when_a_third_is_left),
		cmocka_unit_test(it_ends_with_its_ca),
		cmocka_unit_test(a_ca_that_may_name_some_hosts_only_has_one_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
