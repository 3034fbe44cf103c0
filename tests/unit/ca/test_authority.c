#include "ca/authority.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/key.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

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

static void no_key_usage(struct issuer_recipe *recipe)
{
	recipe->key_usage = NULL;
}

static void constraints_not_critical(struct issuer_recipe *recipe)
{
	recipe->constraints = "CA:TRUE,pathlen:0";
}

static void no_identifier(struct issuer_recipe *recipe)
{
	recipe->identifier = NULL;
}

static void critical_identifier(struct issuer_recipe *recipe)
{
	recipe->identifier = "critical,hash";
}

static void issuer_not_identified(struct issuer_recipe *recipe)
{
	recipe->issuer = "Unit root";
}

static void no_subject(struct issuer_recipe *recipe)
{
	recipe->subject = recipe->issuer = "";
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

static void names_unread(struct issuer_recipe *recipe)
{
	recipe->names = "critical,DER:0500";
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
	{"no key usage", no_key_usage, ERR_INTERNAL, "ca-certificate"},
	{"constraints not critical", constraints_not_critical, ERR_INTERNAL, "ca-certificate"},
	{"no subject key identifier", no_identifier, ERR_INTERNAL, "ca-certificate"},
	{"a critical one", critical_identifier, ERR_INTERNAL, "ca-certificate"},
	{"no authority key identifier", issuer_not_identified, ERR_INTERNAL, "ca-certificate"},
	{"no subject", no_subject, ERR_INTERNAL, "ca-certificate"},
	{"name constraints that nobody can read", names_unread, ERR_INTERNAL, "ca-certificate"},
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

/* A CA without constraints of its own, below one that may name hosts of example.org only. */
static void put_below(struct issuer *below, const struct issuer *above)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	X509_set_issuer_name(below->cert, X509_get_subject_name(above->cert));
	assert_ok(extension_authority_key_identifier(below->cert, above->cert));
	assert_true(X509_sign(below->cert, above->pkey, EVP_sha256()) > 0);
	sk_X509_push(certs, below->cert);
	sk_X509_push(certs, above->cert);
	scratch_pem(below->dir, "ca.pem", certs);
	sk_X509_free(certs);
}

static enum err permits(const struct authority *authority, const char *host)
{
	AUTO(x509_free) X509 *cert = X509_new();

	assert_int_equal(1, X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
				    MBSTRING_UTF8, (const uint8_t *)host, -1, -1, 0));
	return authority_permits(authority, cert);
}

static void what_a_ca_above_may_not_name_this_one_may_not_either(void **state)
{
	struct issuer_recipe top = issuer_good(), good = issuer_good();
	AUTO(issuer_free) struct issuer above, below, free;
	AUTO(authority_free) struct authority *bound = NULL, *unbound = NULL;

	(void)state;
	top.names = "critical,permitted;DNS:example.org";
	top.constraints = "critical,CA:TRUE";
	good.subject = "Unit CA below";
	issuer_make(&top, &above);
	issuer_make(&good, &below);
	put_below(&below, &above);
	assert_ok(issuer_load(&below, &bound));
	assert_ok(permits(bound, "web.example.org"));
	assert_refused(permits(bound, "web.example.com"), ERR_REJECTED, "ca-name-constraints");
	good = issuer_good();
	issuer_make(&good, &free);
	assert_ok(issuer_load(&free, &unbound));
	assert_ok(permits(unbound, "web.example.com"));
}

static EVP_PKEY *named(const char *type)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, type);
}

/* Of as many primes as there may be: that is quicker, and nobody sees it from outside. */
static EVP_PKEY *rsa_of(const char *type, int bits, unsigned long exponent)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	AUTO(bn_free) BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	assert_int_equal(1, BN_set_word(e, exponent));
	assert_int_equal(1, EVP_PKEY_keygen_init(ctx));
	assert_int_equal(1, EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits));
	assert_int_equal(1, EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e));
	assert_int_equal(1, EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, bits < 4096 ? 3 : 4));
	assert_int_equal(1, EVP_PKEY_generate(ctx, &key));
	return key;
}

/* P-256 as RFC 3279 allowed it and RFC 5480 does not. */
static EVP_PKEY *spelled_out(void)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	AUTO(ossl_free) uint8_t *der = NULL;
	const uint8_t *p;
	int n;

	assert_int_equal(
		1, EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"));
	n = i2d_PrivateKey(key, &der);
	p = der;
	return d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, n);
}

static void a_key_is_one_that_every_verifier_knows_or_is_refused(void **state)
{
	const struct {
		const char *name;
		EVP_PKEY *key;
		enum err err;
	} keys[] = {
		{"P-256", EVP_EC_gen("P-256"), OK},
		{"P-384", EVP_EC_gen("P-384"), OK},
		{"P-521", EVP_EC_gen("P-521"), OK},
		{"RSA-2048", rsa_of("RSA", 2048, RSA_F4), OK},
		{"RSA-4096", rsa_of("RSA", 4096, RSA_F4), OK},
		{"Ed25519", named("ED25519"), OK},
		{"RSA-1024", rsa_of("RSA", 1024, RSA_F4), ERR_INTERNAL},
		{"RSA-2040", rsa_of("RSA", 2040, RSA_F4), ERR_INTERNAL},
		{"RSA-4104", rsa_of("RSA", 4104, RSA_F4), ERR_INTERNAL},
		{"RSA, exponent 3", rsa_of("RSA", 2048, 3), ERR_INTERNAL},
		{"RSA-PSS", rsa_of("RSA-PSS", 2048, RSA_F4), ERR_INTERNAL},
		{"P-224", EVP_EC_gen("P-224"), ERR_INTERNAL},
		{"secp256k1", EVP_EC_gen("secp256k1"), ERR_INTERNAL},
		{"brainpoolP256r1", EVP_EC_gen("brainpoolP256r1"), ERR_INTERNAL},
		{"SM2", named("SM2"), ERR_INTERNAL},
		{"P-256 spelled out", spelled_out(), ERR_INTERNAL},
		{"Ed448", named("ED448"), ERR_INTERNAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct issuer_recipe recipe = issuer_good();
		AUTO(issuer_free) struct issuer issuer;
		AUTO(authority_free) struct authority *authority = NULL;

		assert_non_null(keys[i].key);
		recipe.key = keys[i].key;
		issuer_make(&recipe, &issuer);
		assert_refused_in(
			keys[i].name, issuer_load(&issuer, &authority), keys[i].err, "ca-key");
		EVP_PKEY_free(keys[i].key);
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

static void a_certificate_of_another_chain_is_refused(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer, other;
	AUTO(buf_free) struct buf text = BUF(1 << 16);
	struct authority *authority = NULL;

	(void)state;
	issuer_make(&recipe, &issuer);
	recipe.subject = recipe.issuer = "Another CA";
	issuer_make(&recipe, &other);
	assert_ok(file_read(issuer.certificate, &text));
	assert_ok(file_read(other.certificate, &text));
	scratch_put(issuer.dir, "ca.pem", buf_view(&text));
	assert_refused(issuer_load(&issuer, &authority), ERR_INTERNAL, "ca-certificate");
	assert_non_null(strstr(why()->sentence, "did not issue"));
	assert_null(authority);
}

/* Of what is wrong with a CA, its end alone is no matter for one that issued once. */
static void a_former_ca_may_have_ended_and_is_whole_otherwise(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(issuer_free) struct issuer issuer, other;
	AUTO(authority_free) struct authority *authority = NULL, *none = NULL;

	(void)state;
	recipe.until = clock_now() - 60;
	issuer_make(&recipe, &issuer);
	assert_refused(issuer_load(&issuer, &none), ERR_INTERNAL, "ca-certificate");
	assert_ok(authority_load_former(
		issuer.certificate, issuer.key, issuer.passphrase, &authority));
	assert_true(authority_not_after(authority) == recipe.until);
	recipe.constraints = "critical,CA:FALSE";
	issuer_make(&recipe, &other);
	assert_refused(authority_load_former(other.certificate, other.key, other.passphrase, &none),
		ERR_INTERNAL, "ca-certificate");
	assert_refused(
		authority_load_former(issuer.certificate, other.key, other.passphrase, &none),
		ERR_INTERNAL, "ca-key");
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_former_ca_may_have_ended_and_is_whole_otherwise),
		cmocka_unit_test(what_a_ca_above_may_not_name_this_one_may_not_either),
		cmocka_unit_test(a_ca_and_what_is_above_it_are_loaded),
		cmocka_unit_test(a_certificate_that_is_no_cas_is_refused),
		cmocka_unit_test(a_key_is_one_that_every_verifier_knows_or_is_refused),
		cmocka_unit_test(a_key_of_another_ca_is_refused),
		cmocka_unit_test(files_that_are_missing_or_no_pem_are_refused),
		cmocka_unit_test(a_broken_certificate_above_is_refused_and_not_left_out),
		cmocka_unit_test(a_certificate_of_another_chain_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
