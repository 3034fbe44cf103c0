/* test_crl.c - what CAs of the signer tell of certificates: the one that issues, and former ones. */
#include "ca/crl.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/hierarchy.h"
#include "ca/hierarchy_crl.h"
#include "ca/key.h"
#include "ca/signer/client.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <pthread.h>

/* A CA that issues, and two that issued once, of which the second one's certificate has ended. */
struct scene {
	struct issuer present, former, ended;
	struct signer *signer;
	char *templates, *ssh_key, *ssh_passphrase;
};

static struct signer_former former_of(const struct issuer *issuer)
{
	return (struct signer_former){issuer->certificate, issuer->key, issuer->passphrase};
}

static enum err open_signer(const struct scene *scene, const struct signer_former *former, size_t n,
	struct signer **out)
{
	AUTO(problems_free) struct problems problems;

	problems_init(&problems);
	return signer_open(&(struct signer_files){.certificate = scene->present.certificate,
				   .key = scene->present.key,
				   .passphrase = scene->present.passphrase,
				   .templates = scene->templates,
				   .ssh_host_key = scene->ssh_key,
				   .ssh_host_passphrase = scene->ssh_passphrase,
				   .former = former,
				   .former_n = n},
		&problems, out);
}

static void put_ssh_ca(struct scene *scene)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;

	scene->ssh_key = path_join(scene->present.dir, "ssh.key");
	scene->ssh_passphrase = path_join(scene->present.dir, "ssh.passphrase");
	assert_ok(key_generate(KEY_TYPE_ED25519, &key));
	assert_ok(key_save(key, scene->ssh_key, scene->ssh_passphrase));
}

static void scene_make(struct scene *out)
{
	struct issuer_recipe recipe = issuer_good();
	struct signer_former both[2];

	*out = (struct scene){.templates = source_path("templates")};
	issuer_make(&recipe, &out->present);
	issuer_make(&recipe, &out->former);
	recipe.until = clock_now() - 60;
	issuer_make(&recipe, &out->ended);
	put_ssh_ca(out);
	both[0] = former_of(&out->former);
	both[1] = former_of(&out->ended);
	assert_ok(open_signer(out, both, COUNT(both), &out->signer));
}

static void scene_free(struct scene *scene)
{
	signer_close(&scene->signer);
	issuer_free(&scene->present);
	issuer_free(&scene->former);
	issuer_free(&scene->ended);
	free(scene->templates);
	free(scene->ssh_key);
	free(scene->ssh_passphrase);
}

/* The id of the CA at a place. */
static struct signer_issuer issuer_at(const struct scene *scene, size_t index)
{
	struct signer_issuer issuer;

	assert_true(signer_issuer(scene->signer, index, &issuer));
	return issuer;
}

static struct view der_of(const struct issuer *issuer, uint8_t **der)
{
	int n = i2d_X509(issuer->cert, der);

	assert_true(n > 0);
	return (struct view){*der, (size_t)n};
}

static void every_ca_is_told_of_and_one_of_a_kind_issues(void **state)
{
	AUTO(scene_free) struct scene scene;
	const struct issuer *const wanted[] = {&scene.present, NULL, &scene.former, &scene.ended};
	struct signer_issuer none;

	(void)state;
	scene_make(&scene);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		const struct signer_issuer issuer = issuer_at(&scene, i);
		AUTO(ossl_free) uint8_t *der = NULL;

		assert_true(issuer.issues == (i < 2));
		assert_int_equal(i == 1 ? TEMPLATE_SSH_HOST : TEMPLATE_X509, issuer.kind);
		if (wanted[i] != NULL)
			assert_view_equal(der_of(wanted[i], &der), issuer.certificate);
		assert_true((issuer.not_after == 0) == (i == 1));
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(issuer.id, issuer_at(&scene, k).id, SHA256_SIZE);
	}
	assert_true(issuer_at(&scene, 3).not_after < clock_now());
	assert_false(signer_issuer(scene.signer, COUNT(wanted), &none));
}

static enum err make_crl(struct signer *signer, const uint8_t *id, struct buf *der)
{
	const int64_t now = clock_now();
	const struct revoked entry = {.serial = {0x55}, .serial_n = 1, .at = now};

	return signer_crl(signer, id,
		&(struct crl_content){.url = "http://ca.example.org/crl/0.crl",
			.number = 9,
			.this_update = now,
			.next_update = now + DAY,
			.entries = &entry,
			.n = 1},
		der);
}

/* RFC 5280 3.3: also after its end, for an entry is to be in one CRL after its certificate's end. */
static void each_ca_signs_its_own_crl(void **state)
{
	AUTO(scene_free) struct scene scene;
	const struct issuer *const wanted[] = {&scene.present, NULL, &scene.former, &scene.ended};

	(void)state;
	scene_make(&scene);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		AUTO(buf_free) struct buf der = BUF(1 << 16);
		AUTO(crl_free) X509_CRL *crl = NULL;
		const uint8_t *id = issuer_at(&scene, i).id;

		if (wanted[i] == NULL) {
			assert_refused(
				make_crl(scene.signer, id, &der), ERR_INTERNAL, "issuer-unknown");
			continue;
		}
		assert_ok(make_crl(scene.signer, id, &der));
		crl = crl_from_bytes(buf_view(&der));
		assert_non_null(crl);
		for (size_t k = 0; k < COUNT(wanted); k++)
			if (wanted[k] != NULL)
				assert_int_equal(k == i, X509_CRL_verify(crl, wanted[k]->pkey));
	}
}

#define THREADS 4

struct signing {
	struct signer *signer;
	const uint8_t *id;
	struct buf der;
};

static void *sign(void *arg)
{
	struct signing *signing = arg;

	/* cmocka's assertions are for its own thread: what failed has no bytes. */
	for (size_t i = 0; i < 8; i++) {
		buf_free(&signing->der);
		if (make_crl(signing->signer, signing->id, &signing->der) != OK)
			return NULL;
	}
	return NULL;
}

static void crls_are_signed_for_four_threads_at_once(void **state)
{
	struct signing signing[THREADS];
	AUTO(scene_free) struct scene scene;
	pthread_t threads[THREADS];

	(void)state;
	scene_make(&scene);
	for (size_t i = 0; i < THREADS; i++) {
		signing[i] = (struct signing){
			scene.signer, issuer_at(&scene, i % 2 == 0 ? 0 : 2).id, BUF(1 << 16)};
		assert_int_equal(0, pthread_create(&threads[i], NULL, sign, &signing[i]));
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(0, pthread_join(threads[i], NULL));
	for (size_t i = 0; i < THREADS; i++) {
		AUTO(crl_free) X509_CRL *crl = crl_from_bytes(buf_view(&signing[i].der));

		assert_non_null(crl);
		assert_int_equal(1,
			X509_CRL_verify(crl, i % 2 == 0 ? scene.present.pkey : scene.former.pkey));
		buf_free(&signing[i].der);
	}
}

static void a_ca_that_the_signer_does_not_have_signs_none(void **state)
{
	const uint8_t nobody[SHA256_SIZE] = {1};
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(&scene);
	assert_refused(make_crl(scene.signer, nobody, &der), ERR_INTERNAL, "issuer-unknown");
	assert_int_equal(0, der.n);
}

/* What is issued is by the present CA, and what former ones issued is not taken for its own. */
static void former_cas_issue_nothing(void **state)
{
	AUTO(authority_free) struct authority *former = NULL;
	AUTO(issued_free) struct issued issued = {0}, before = {0};
	AUTO(granted_free) struct granted granted;
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(&scene);
	assert_ok(key_generate(KEY_TYPE_P256, &key));
	granted_make(key, &granted);
	assert_ok(signer_issue(scene.signer, &granted.grant, clock_now(), &issued));
	assert_memory_equal(issuer_at(&scene, 0).id, issued.issuer, SHA256_SIZE);
	assert_true(signer_has_issued(scene.signer, buf_view(&issued.der)));
	assert_ok(issuer_load(&scene.former, &former));
	assert_ok(certificate_issue(former, granted.tmpl, &granted.grant, clock_now(), &before));
	assert_memory_equal(issuer_at(&scene, 2).id, before.issuer, SHA256_SIZE);
	assert_false(signer_has_issued(scene.signer, buf_view(&before.der)));
	assert_ok(signer_ready(scene.signer));
}

static void a_ca_is_known_by_its_key_and_is_there_once(void **state)
{
	AUTO(scene_free) struct scene scene;
	struct signer *signer = NULL;
	struct signer_former two[2];

	(void)state;
	scene_make(&scene);
	two[0] = former_of(&scene.present);
	assert_refused(open_signer(&scene, two, 1, &signer), ERR_INTERNAL, "ca-former");
	two[0] = two[1] = former_of(&scene.former);
	assert_refused(open_signer(&scene, two, 2, &signer), ERR_INTERNAL, "ca-former");
	two[1].key = scene.ended.key;
	assert_refused(open_signer(&scene, two, 2, &signer), ERR_INTERNAL, "ca-key");
	assert_null(signer);
}

static void a_shard_has_as_many_places_as_the_ca_that_issues_can_sign_for(void **state)
{
	AUTO(authority_free) struct authority *present = NULL;
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(&scene);
	assert_ok(issuer_load(&scene.present, &present));
	assert_int_equal(
		crl_capacity(present, 60, 102400), signer_crl_capacity(scene.signer, 60, 102400));
	assert_in_range(signer_crl_capacity(scene.signer, 60, 102400), 1900, 2008);
}

static void the_crl_of_the_root_is_handed_out_as_der(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *certificate = path_join(dir, "issuing.pem");
	AUTO(mem_free) char *key = path_join(dir, "issuing.key");
	AUTO(mem_free) char *passphrase = path_join(dir, "issuing.passphrase");
	AUTO(mem_free) char *path = path_join(dir, "root.crl");
	AUTO(mem_free) char *templates = source_path("templates");
	AUTO(problems_free) struct problems problems;
	AUTO(signer_close) struct signer *signer = NULL;
	AUTO(crl_free) X509_CRL *crl = NULL;
	struct signer_files files = {.certificate = certificate,
		.key = key,
		.passphrase = passphrase,
		.templates = templates};
	struct hierarchy_crl made;

	(void)state;
	problems_init(&problems);
	assert_ok(hierarchy_make(dir, "Unit tests", KEY_TYPE_P256));
	assert_ok(hierarchy_crl_make(dir, NULL, REVOKED_UNSPECIFIED, 1, path, &made));
	assert_ok(signer_open(&files, &problems, &signer));
	assert_int_equal(0, signer_root_crl(signer).n);
	signer_close(&signer);
	files.root_crl = path;
	assert_ok(signer_open(&files, &problems, &signer));
	assert_int_equal(0x30, signer_root_crl(signer).p[0]);
	crl = crl_from_bytes(signer_root_crl(signer));
	assert_non_null(crl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ca_is_told_of_and_one_of_a_kind_issues),
		cmocka_unit_test(each_ca_signs_its_own_crl),
		cmocka_unit_test(crls_are_signed_for_four_threads_at_once),
		cmocka_unit_test(a_ca_that_the_signer_does_not_have_signs_none),
		cmocka_unit_test(former_cas_issue_nothing),
		cmocka_unit_test(a_ca_is_known_by_its_key_and_is_there_once),
		cmocka_unit_test(a_shard_has_as_many_places_as_the_ca_that_issues_can_sign_for),
		cmocka_unit_test(the_crl_of_the_root_is_handed_out_as_der),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
