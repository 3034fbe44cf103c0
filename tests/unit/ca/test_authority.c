#include "ca/authority.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

static void a_ca_and_what_is_above_it_are_loaded(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(ossl_free) uint8_t *der = NULL;
	size_t n;

	(void)state;
	recipe.copies = 4;
	recipe.until = clock_now() + 1000;
	issuer_make(&recipe, &issuer);
	n = (size_t)i2d_X509(issuer.cert, &der);
	assert_ok(issuer_load(&issuer, &authority));
	assert_int_equal(0, X509_cmp(issuer.cert, authority_certificate(authority)));
	assert_int_equal(1, EVP_PKEY_eq(issuer.pkey, authority_key(authority)));
	assert_true(authority_not_after(authority) == recipe.until);
	assert_view_equal(((struct view){der, n}), authority_chain(authority, 0));
	/* The copies are self-signed, as roots are: none of them is handed out. */
	assert_int_equal(0, authority_chain(authority, 1).n);
}

static void no_ca(struct issuer_recipe *recipe)
{
	recipe->constraints = "critical,CA:FALSE";
}

static void no_constraints(struct issuer_recipe *recipe)
{
	recipe->constraints = NULL;
}

static void may_not_sign(struct issuer_recipe *recipe)
{
	recipe->key_usage = "critical,cRLSign";
}

static void expired(struct issuer_recipe *recipe)
{
	recipe->until = clock_now() - 60;
}

static void too_many(struct issuer_recipe *recipe)
{
	recipe->copies = 5;
}

static void none(struct issuer_recipe *recipe)
{
	recipe->copies = 0;
}

static void nothing(struct issuer_recipe *recipe)
{
	(void)recipe;
}

static const struct {
	const char *name;
	void (*change)(struct issuer_recipe *recipe);
	enum err err;
	const char *code;
} rows[] = {
	{"base", nothing, OK, ""},
	{"not a CA", no_ca, ERR_INTERNAL, "ca-certificate"},
	{"no constraints", no_constraints, ERR_INTERNAL, "ca-certificate"},
	{"may not sign certificates", may_not_sign, ERR_INTERNAL, "ca-certificate"},
	{"expired", expired, ERR_INTERNAL, "ca-certificate"},
	{"five certificates", too_many, ERR_INTERNAL, "ca-certificate"},
	{"an empty file", none, ERR_INTERNAL, "ca-certificate"},
};

static void a_certificate_that_is_no_cas_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(issuer_free) struct issuer issuer;
		AUTO(authority_free) struct authority *authority = NULL;
		struct issuer_recipe recipe = issuer_good();

		rows[i].change(&recipe);
		issuer_make(&recipe, &issuer);
		assert_refused_in(
			rows[i].name, issuer_load(&issuer, &authority), rows[i].err, rows[i].code);
	}
}

static void a_key_of_another_ca_is_refused(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer a, b;
	struct authority *authority = NULL;

	(void)state;
	issuer_make(&recipe, &a);
	issuer_make(&recipe, &b);
	assert_refused(authority_load(a.certificate, b.key, b.passphrase, &authority), ERR_INTERNAL,
		"ca-key");
	assert_null(authority);
}

static void files_that_are_missing_or_no_pem_are_refused(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	struct authority *authority = NULL;

	(void)state;
	issuer_make(&recipe, &issuer);
	assert_refused(authority_load("/nowhere", issuer.key, issuer.passphrase, &authority),
		ERR_NOT_FOUND, "file-missing");
	scratch_put(issuer.dir, "ca.pem", view_str("no certificate\n"));
	assert_refused(issuer_load(&issuer, &authority), ERR_INTERNAL, "ca-certificate");
	assert_null(authority);
}

static void a_broken_certificate_above_is_refused_and_not_left_out(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer;
	AUTO(buf_free) struct buf text = BUF(1 << 16);
	struct authority *authority = NULL;

	(void)state;
	issuer_make(&recipe, &issuer);
	assert_ok(file_read(issuer.certificate, &text));
	buf_str(&text, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
	scratch_put(issuer.dir, "ca.pem", buf_view(&text));
	assert_refused(issuer_load(&issuer, &authority), ERR_INTERNAL, "ca-certificate");
	assert_null(authority);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ca_and_what_is_above_it_are_loaded),
		cmocka_unit_test(a_certificate_that_is_no_cas_is_refused),
		cmocka_unit_test(a_key_of_another_ca_is_refused),
		cmocka_unit_test(files_that_are_missing_or_no_pem_are_refused),
		cmocka_unit_test(a_broken_certificate_above_is_refused_and_not_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
