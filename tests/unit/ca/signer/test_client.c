#include "ca/signer/client.h"

#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

static enum err open_signer(const struct issuer *issuer, const char *templates, struct signer **out)
{
	AUTO(problems_free) struct problems problems;
	const struct signer_files files = {
		issuer->certificate, issuer->key, issuer->passphrase, templates};

	problems_init(&problems);
	return signer_open(&files, &problems, out);
}

/* An open signer with the shipped templates, and a grant that it signs. */
struct fixture {
	struct issuer issuer;
	struct signer *signer;
	EVP_PKEY *key;
	struct buf bits;
	struct grant grant;
};

static void fixture_make(struct fixture *out)
{
	AUTO(mem_free) char *templates = source_path("templates");
	struct issuer_recipe recipe = issuer_good();

	*out = (struct fixture){.bits = BUF(1024)};
	issuer_make(&recipe, &out->issuer);
	assert_ok(open_signer(&out->issuer, templates, &out->signer));
	assert_ok(key_generate(&out->key));
	out->grant = (struct grant){.template = "ak",
		.template_version = signer_template_version(out->signer, "ak"),
		.host = "web-01.example.org",
		.device_id = "0123456789abcdef0123456789abcdef",
		.tpm_manufacturer = "id:00001014",
		.tpm_model = "swtpm",
		.tpm_version = "id:20191023"};
	assert_ok(key_public(out->key, &out->bits, &out->grant.key));
}

static void fixture_free(struct fixture *fixture)
{
	signer_close(&fixture->signer);
	issuer_free(&fixture->issuer);
	EVP_PKEY_free(fixture->key);
	buf_free(&fixture->bits);
}

static void a_grant_is_signed_by_the_ca(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(issued_free) struct issued issued = {0};
	AUTO(x509_free) X509 *cert = NULL;
	const uint8_t *p;

	(void)state;
	fixture_make(&fixture);
	assert_ok(signer_issue(fixture.signer, &fixture.grant, clock_now(), &issued));
	p = issued.der.p;
	cert = d2i_X509(NULL, &p, (long)issued.der.n);
	assert_int_equal(1, X509_verify(cert, fixture.issuer.pkey));
	assert_int_equal(1, EVP_PKEY_eq(fixture.key, X509_get0_pubkey(cert)));
}

static void the_signer_judges_a_grant_by_its_own_templates(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(issued_free) struct issued issued = {0};
	struct grant grant;

	(void)state;
	fixture_make(&fixture);
	assert_true(fixture.grant.template_version > 0);
	assert_int_equal(0, signer_template_version(fixture.signer, "tls"));
	grant = fixture.grant;
	grant.template = "tls";
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-unknown");
	grant = fixture.grant;
	grant.template_version++;
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-version");
	grant = fixture.grant;
	grant.tpm_model = NULL;
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-value");
	assert_refused(
		signer_issue(fixture.signer, &fixture.grant, clock_now() + 3651 * 86400, &issued),
		ERR_BUSY, "ca-expired");
	assert_refused(
		signer_issue(fixture.signer, &fixture.grant, clock_now() - 3 * 86400, &issued),
		ERR_BUSY, "ca-not-valid-yet");
	assert_int_equal(0, issued.der.n);
}

static void the_chain_begins_with_the_issuing_ca(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	(void)state;
	fixture_make(&fixture);
	n = i2d_X509(fixture.issuer.cert, &der);
	assert_view_equal(((struct view){der, (size_t)n}), signer_chain(fixture.signer, 0));
	assert_int_equal(0, signer_chain(fixture.signer, 1).n);
}

static void a_signer_that_can_sign_is_ready(void **state)
{
	EVP_PKEY *keys[] = {EVP_EC_gen("P-384"), EVP_RSA_gen(2048)};
	AUTO(fixture_free) struct fixture fixture;
	AUTO(mem_free) char *templates = source_path("templates");

	(void)state;
	fixture_make(&fixture);
	assert_ok(signer_ready(fixture.signer));
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct issuer_recipe recipe = issuer_good();
		AUTO(issuer_free) struct issuer issuer;
		AUTO(signer_close) struct signer *signer = NULL;

		recipe.key = keys[i];
		issuer_make(&recipe, &issuer);
		assert_ok(open_signer(&issuer, templates, &signer));
		assert_ok(signer_ready(signer));
		EVP_PKEY_free(keys[i]);
	}
}

static void what_cannot_be_opened_is_told(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(mem_free) char *templates = source_path("templates");
	struct signer *signer = NULL;

	(void)state;
	fixture_make(&fixture);
	assert_refused(open_signer(&fixture.issuer, fixture.issuer.dir, &signer), ERR_MALFORMED,
		"templates");
	assert_int_equal(0, unlink(fixture.issuer.key));
	assert_refused(
		open_signer(&fixture.issuer, templates, &signer), ERR_NOT_FOUND, "file-missing");
	assert_null(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_is_signed_by_the_ca),
		cmocka_unit_test(the_signer_judges_a_grant_by_its_own_templates),
		cmocka_unit_test(the_chain_begins_with_the_issuing_ca),
		cmocka_unit_test(a_signer_that_can_sign_is_ready),
		cmocka_unit_test(what_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
