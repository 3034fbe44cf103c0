#include "ca/signer/client.h"

#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <pthread.h>

static enum err open_signer(const struct issuer *issuer, const char *templates, struct signer **out)
{
	AUTO(problems_free) struct problems problems;
	const struct signer_files files = {.certificate = issuer->certificate,
		.key = issuer->key,
		.passphrase = issuer->passphrase,
		.templates = templates};

	problems_init(&problems);
	return signer_open(&files, &problems, out);
}

/* An open signer with the shipped templates, and a grant that it signs. */
struct fixture {
	struct issuer issuer;
	struct signer *signer;
	EVP_PKEY *key;
	struct granted granted;
};

static void fixture_make_with(EVP_PKEY *ca, struct fixture *out)
{
	AUTO(mem_free) char *templates = source_path("templates");
	struct issuer_recipe recipe = issuer_good();

	*out = (struct fixture){0};
	recipe.key = ca;
	issuer_make(&recipe, &out->issuer);
	assert_ok(open_signer(&out->issuer, templates, &out->signer));
	assert_ok(key_generate(KEY_TYPE_P256, &out->key));
	granted_make(out->key, &out->granted);
}

static void fixture_make(struct fixture *out)
{
	AUTO(pkey_free) EVP_PKEY *ca = NULL;

	assert_ok(key_generate(KEY_TYPE_P256, &ca));
	fixture_make_with(ca, out);
}

static void fixture_free(struct fixture *fixture)
{
	signer_close(&fixture->signer);
	issuer_free(&fixture->issuer);
	EVP_PKEY_free(fixture->key);
	granted_free(&fixture->granted);
}

static void its_templates_can_be_gone_through(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	size_t n = 0;

	(void)state;
	fixture_make(&fixture);
	while (signer_template(fixture.signer, n) != NULL)
		n++;
	assert_int_equal(12, n);
	assert_string_equal("ak-named", signer_template(fixture.signer, 0)->name);
	assert_true(signer_not_after(fixture.signer) > clock_now());
}

static void a_grant_is_signed_by_the_ca(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(issued_free) struct issued issued = {0};
	AUTO(x509_free) X509 *cert = NULL;
	const uint8_t *p;

	(void)state;
	fixture_make(&fixture);
	assert_ok(signer_issue(fixture.signer, &fixture.granted.grant, clock_now(), &issued));
	p = issued.der.p;
	cert = d2i_X509(NULL, &p, (long)issued.der.n);
	assert_int_equal(1, X509_verify(cert, fixture.issuer.pkey));
	assert_int_equal(1, EVP_PKEY_eq(fixture.key, X509_get0_pubkey(cert)));
}

/* Both have one name, and only the key is another. */
static void what_another_ca_issued_is_not_ours(void **state)
{
	AUTO(fixture_free) struct fixture fixture, other;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	fixture_make(&fixture);
	fixture_make(&other);
	assert_ok(signer_issue(fixture.signer, &fixture.granted.grant, clock_now(), &issued));
	assert_true(signer_has_issued(fixture.signer, buf_view(&issued.der)));
	assert_false(signer_has_issued(other.signer, buf_view(&issued.der)));
	assert_false(signer_has_issued(fixture.signer, view_str("no certificate")));
}

static void the_signer_judges_a_grant_by_its_own_templates(void **state)
{
	static const struct grant_evidence evidence = {.ak_location = NULL};
	AUTO(fixture_free) struct fixture fixture;
	AUTO(issued_free) struct issued issued = {0};
	struct grant grant;

	(void)state;
	fixture_make(&fixture);
	assert_true(fixture.granted.grant.template_version > 0);
	assert_int_equal(0, signer_template_version(fixture.signer, "tls"));
	grant = fixture.granted.grant;
	grant.template = "tls";
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-unknown");
	grant = fixture.granted.grant;
	grant.template_version++;
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-version");
	grant = fixture.granted.grant;
	grant.evidence = &evidence;
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-key");
	grant.evidence = NULL;
	grant.template = "tls-server";
	grant.template_version = signer_template_version(fixture.signer, "tls-server");
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-key");
	grant = fixture.granted.grant;
	grant.device_id = NULL;
	assert_refused(signer_issue(fixture.signer, &grant, clock_now(), &issued), ERR_INTERNAL,
		"template-value");
	assert_refused(signer_issue(fixture.signer, &fixture.granted.grant,
			       clock_now() + 3651 * 86400, &issued),
		ERR_BUSY, "ca-expired");
	assert_refused(signer_issue(fixture.signer, &fixture.granted.grant, clock_now() - 3 * 86400,
			       &issued),
		ERR_BUSY, "ca-not-valid-yet");
	assert_int_equal(0, issued.der.n);
}

/* As it would be refused by signer_issue(), without a signature. */
static void a_grant_is_judged_before_it_is_signed(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	struct grant grant;

	(void)state;
	fixture_make(&fixture);
	assert_ok(signer_judge(fixture.signer, &fixture.granted.grant));
	grant = fixture.granted.grant;
	grant.template = "tls";
	assert_refused(signer_judge(fixture.signer, &grant), ERR_INTERNAL, "template-unknown");
	grant = fixture.granted.grant;
	grant.template_version++;
	assert_refused(signer_judge(fixture.signer, &grant), ERR_INTERNAL, "template-version");
	grant = fixture.granted.grant;
	grant.trust_class = NULL;
	assert_refused(signer_judge(fixture.signer, &grant), ERR_INTERNAL, "template-value");
}

#define THREADS 4
#define EACH 16

struct signing {
	const struct fixture *fixture;
	struct issued issued[EACH];
};

static void *sign(void *arg)
{
	struct signing *signing = arg;
	const struct fixture *fixture = signing->fixture;

	/* cmocka's assertions are for its own thread: one that failed has no bytes. */
	for (size_t i = 0; i < EACH; i++)
		if (signer_issue(fixture->signer, &fixture->granted.grant, clock_now(),
			    &signing->issued[i]) != OK)
			buf_free(&signing->issued[i].der);
	return NULL;
}

static void sign_at_once(const struct fixture *fixture)
{
	struct signing signing[THREADS];
	pthread_t threads[THREADS];

	memset(signing, 0, sizeof(signing));
	for (size_t i = 0; i < THREADS; i++) {
		signing[i].fixture = fixture;
		assert_int_equal(0, pthread_create(&threads[i], NULL, sign, &signing[i]));
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(0, pthread_join(threads[i], NULL));
	for (size_t i = 0; i < THREADS * EACH; i++) {
		struct issued *issued = &signing[i / EACH].issued[i % EACH];
		const uint8_t *p = issued->der.p;
		AUTO(x509_free) X509 *cert = d2i_X509(NULL, &p, (long)issued->der.n);

		assert_non_null(cert);
		assert_int_equal(1, X509_verify(cert, fixture->issuer.pkey));
		issued_free(issued);
	}
}

static void a_signer_of_each_kind_signs_for_four_threads_at_once(void **state)
{
	(void)state;
	for (enum key_type type = KEY_TYPE_P256; type <= KEY_TYPE_ED25519; type++) {
		AUTO(pkey_free) EVP_PKEY *key = NULL;
		AUTO(fixture_free) struct fixture fixture;

		assert_ok(key_generate(type, &key));
		fixture_make_with(key, &fixture);
		sign_at_once(&fixture);
	}
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
	(void)state;
	for (enum key_type type = KEY_TYPE_P256; type <= KEY_TYPE_ED25519; type++) {
		AUTO(pkey_free) EVP_PKEY *key = NULL;
		AUTO(fixture_free) struct fixture fixture;

		assert_ok(key_generate(type, &key));
		fixture_make_with(key, &fixture);
		assert_ok(signer_ready(fixture.signer));
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

/* It can be read, and is dated back by more than an hour. */
static void a_template_with_a_finding_is_not_opened(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(mem_free) char *path = source_path("templates/tls-client.yaml");
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(buf_free) struct buf text = BUF(1 << 16);
	struct signer *signer = NULL;

	(void)state;
	fixture_make(&fixture);
	assert_ok(file_read(path, &text));
	scratch_put(dir, "good.yaml", buf_view(&text));
	assert_ok(open_signer(&fixture.issuer, dir, &signer));
	signer_close(&signer);
	buf_str(&text, "backdate: 2h\n");
	assert_non_null(memmem(text.p, text.n, "backdate: 5m\n", 13));
	memcpy(memmem(text.p, text.n, "backdate: 5m\n", 13), "#backdate:5m\n", 13);
	scratch_put(dir, "good.yaml", buf_view(&text));
	assert_refused(open_signer(&fixture.issuer, dir, &signer), ERR_MALFORMED, "templates");
	assert_null(signer);
}

static void the_templates_are_told_one_by_one_with_the_digest_of_their_file(void **state)
{
	AUTO(mem_free) char *path = source_path("templates/ak.yaml");
	AUTO(fixture_free) struct fixture fixture;
	AUTO(buf_free) struct buf file = BUF(1 << 16);
	const struct template *one;
	uint8_t digest[SHA256_SIZE];
	size_t n = 0;

	(void)state;
	fixture_make(&fixture);
	while ((one = signer_template(fixture.signer, n)) != NULL && strcmp(one->name, "ak") != 0)
		n++;
	assert_non_null(one);
	assert_int_equal(signer_template_version(fixture.signer, "ak"), one->version);
	assert_ok(file_read(path, &file));
	assert_ok(SHA256_OF(digest, buf_view(&file)));
	assert_memory_equal(digest, one->digest, sizeof(digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_templates_can_be_gone_through),
		cmocka_unit_test(a_grant_is_signed_by_the_ca),
		cmocka_unit_test(what_another_ca_issued_is_not_ours),
		cmocka_unit_test(a_signer_of_each_kind_signs_for_four_threads_at_once),
		cmocka_unit_test(the_signer_judges_a_grant_by_its_own_templates),
		cmocka_unit_test(a_grant_is_judged_before_it_is_signed),
		cmocka_unit_test(the_chain_begins_with_the_issuing_ca),
		cmocka_unit_test(a_signer_that_can_sign_is_ready),
		cmocka_unit_test(a_template_with_a_finding_is_not_opened),
		cmocka_unit_test(the_templates_are_told_one_by_one_with_the_digest_of_their_file),
		cmocka_unit_test(what_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
