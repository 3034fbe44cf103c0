/* test_judged.c - a claim that was judged a moment ago is not judged again, unless it might come out otherwise. */
#include "enroll/flow/judged.h"

#include "tests/unit/check.h"
#include "tests/unit/flow/device.h"
#include "tests/unit/tpm/area.h"

#include <pthread.h>

/* A device before a service that remembers so many claims. */
struct scene {
	struct device device;
	struct believer believer;
	struct buf claim;
	uint8_t key[SHA256_SIZE];
};

static void scene_claim(struct scene *scene)
{
	buf_free(&scene->claim);
	claim_bytes(&scene->device, &scene->claim);
	assert_ok(judged_key(&scene->believer.service, buf_view(&scene->claim), scene->key));
}

static void scene_make(struct scene *out, size_t slots)
{
	*out = (struct scene){.claim = BUF(1 << 16)};
	device_make(&out->device);
	believer_make(&out->device.world, SERVICE, &out->believer);
	out->believer.service.judged = judged_make(slots);
	assert_non_null(out->believer.service.judged);
	scene_claim(out);
}

static void scene_free(struct scene *scene)
{
	judged_free(&scene->believer.service.judged);
	believer_free(&scene->believer);
	device_free(&scene->device);
	buf_free(&scene->claim);
}

static enum err judge(const struct scene *scene, int64_t now, struct judgement *out)
{
	return claim_judge(&scene->believer.service, buf_view(&scene->claim), now, out);
}

static enum err judge_at(const struct scene *scene, int64_t now)
{
	AUTO(judgement_free) struct judgement judgement = {0};

	return judge(scene, now, &judgement);
}

static bool is_remembered(const struct scene *scene, int64_t now)
{
	AUTO(judgement_free) struct judgement judgement = {0};

	return judged_recall(scene->believer.service.judged, scene->key, now, &judgement);
}

static void what_is_recalled_is_what_was_judged(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(judgement_free) struct judgement first = {0}, second = {0};

	(void)state;
	scene_make(&scene, 4);
	assert_false(is_remembered(&scene, NOW));
	assert_ok(judge(&scene, NOW, &first));
	assert_true(is_remembered(&scene, NOW));
	assert_ok(judge(&scene, NOW + 1, &second));
	/* The very same AK and claim: so they were not judged again. */
	assert_ptr_equal(first.ak, second.ak);
	assert_ptr_equal(first.claim, second.claim);
	assert_string_equal(first.host, second.host);
	assert_memory_equal(
		identity_ek_digest(first.identity), identity_ek_digest(second.identity), 32);
	assert_view_equal(identity_public(first.identity), identity_public(second.identity));
	assert_view_equal(
		identity_certificate(first.identity), identity_certificate(second.identity));
	assert_memory_equal(identity_trust(first.identity), identity_trust(second.identity),
		sizeof(struct trust_verdict));
	assert_string_equal(identity_model(first.identity), identity_model(second.identity));
}

static void a_judgement_is_remembered_for_its_life_and_no_longer(void **state)
{
	static const struct {
		int64_t age;
		bool found;
	} rows[] = {{-1, false}, {0, true}, {JUDGED_LIFE, true}, {JUDGED_LIFE + 1, false}};
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(&scene, 4);
	assert_ok(judge_at(&scene, NOW));
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(is_remembered(&scene, NOW + rows[i].age), rows[i].found);
}

static void a_certificate_that_ends_meanwhile_is_not_believed(void **state)
{
	AUTO(scene_free) struct scene scene;
	struct recipe leaf;

	(void)state;
	scene_make(&scene, 4);
	leaf = recipe_ek(
		scene.device.world.ek_key, scene.device.world.ca, scene.device.world.ca_key);
	leaf.until = NOW + 10;
	world_leaf(&scene.device.world, &leaf);
	device_refresh(&scene.device);
	scene_claim(&scene);
	assert_ok(judge_at(&scene, NOW));
	assert_true(is_remembered(&scene, NOW + 9));
	assert_ok(judge_at(&scene, NOW + 9));
	assert_false(is_remembered(&scene, NOW + 10));
	assert_refused(judge_at(&scene, NOW + 10), ERR_REJECTED, "ek-expired");
}

/* The intermediate is the service's own, and its end is one of the set's moments. */
static void a_ca_that_ends_meanwhile_is_not_believed(void **state)
{
	AUTO(scene_free) struct scene scene;
	struct world *world = &scene.device.world;
	struct recipe ca;

	(void)state;
	scene_make(&scene, 4);
	ca = recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);
	ca.until = NOW + 10;
	world_ca(world, &ca);
	believer_free(&scene.believer);
	judged_free(&scene.believer.service.judged);
	believer_make(world, SERVICE, &scene.believer);
	scene.believer.service.judged = judged_make(4);
	scene_claim(&scene);
	assert_ok(judge_at(&scene, NOW));
	assert_ok(judge_at(&scene, NOW + 9));
	assert_refused(judge_at(&scene, NOW + 10), ERR_REJECTED, "ek-expired");
}

/* As if one service had changed what it judges by, and kept what it remembers. */
static void another_trust_set_judges_anew(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(world_free) struct world elsewhere;
	AUTO(trust_free) struct trust *other = NULL;

	(void)state;
	scene_make(&scene, 4);
	world_make(&elsewhere);
	other = world_trust(&elsewhere);
	assert_ok(judge_at(&scene, NOW));
	scene.believer.service.trust = other;
	assert_refused(judge_at(&scene, NOW), ERR_REJECTED, "ek-untrusted");
	scene.believer.service.trust = scene.believer.trust;
	assert_ok(judge_at(&scene, NOW));
}

#define RULE(more)                                                                                 \
	"rules:\n  - name: all\n    hosts: [{suffix: example.org}]\n    templates: [ak]\n" more

static void another_policy_judges_anew(void **state)
{
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(&scene, 4);
	believer_policy(&scene.believer, RULE("    untagged_aks: true\n"));
	scene.device.ak.authPolicy.size = 0;
	device_refresh(&scene.device);
	scene_claim(&scene);
	assert_ok(judge_at(&scene, NOW));
	believer_policy(&scene.believer, RULE(""));
	assert_refused(judge_at(&scene, NOW), ERR_REJECTED, "ak-not-for-this-service");
}

static void another_claim_or_service_has_another_key(void **state)
{
	AUTO(scene_free) struct scene scene;
	uint8_t key[SHA256_SIZE];
	AUTO(buf_free) struct buf longer = BUF(1 << 16);

	(void)state;
	scene_make(&scene, 4);
	buf_add(&longer, buf_view(&scene.claim));
	buf_u8(&longer, ' ');
	assert_ok(judged_key(&scene.believer.service, buf_view(&longer), key));
	assert_memory_not_equal(key, scene.key, sizeof(key));
	scene.believer.service.name = "https://other.example.org";
	assert_ok(judged_key(&scene.believer.service, buf_view(&scene.claim), key));
	assert_memory_not_equal(key, scene.key, sizeof(key));
}

static void another_claim_of_the_same_device_is_judged_itself(void **state)
{
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(&scene, 4);
	assert_ok(judge_at(&scene, NOW));
	area_tag(&scene.device.ak, "https://other.example.org");
	device_refresh(&scene.device);
	scene_claim(&scene);
	assert_refused(judge_at(&scene, NOW), ERR_REJECTED, "ak-not-for-this-service");
}

static void what_is_refused_is_not_remembered(void **state)
{
	AUTO(scene_free) struct scene scene;

	(void)state;
	scene_make(&scene, 4);
	scene.device.ak.objectAttributes &= ~TPMA_OBJECT_FIXEDTPM;
	device_refresh(&scene.device);
	scene_claim(&scene);
	assert_refused(judge_at(&scene, NOW), ERR_REJECTED, "ak-attributes");
	assert_false(is_remembered(&scene, NOW));
}

/* Whom somebody vouched for in one request is as unproven as before in the next. */
static void what_is_made_of_it_changes_nothing_for_others(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(judgement_free) struct judgement first = {0}, second = {0};
	AUTO(world_free) struct world elsewhere;

	(void)state;
	scene_make(&scene, 4);
	world_make(&elsewhere);
	believer_free(&scene.believer);
	judged_free(&scene.believer.service.judged);
	believer_make(&elsewhere, SERVICE, &scene.believer);
	believer_policy(&scene.believer, RULE("    unknown_ek: hold\n    trust: [approved]\n"));
	scene.believer.service.judged = judged_make(4);
	assert_ok(judge(&scene, NOW, &first));
	assert_ok(identity_vouch(first.identity, TRUST_APPROVED, "attempt 1"));
	assert_ok(judge(&scene, NOW, &second));
	assert_ptr_equal(first.ak, second.ak);
	assert_int_equal(TRUST_UNPROVEN, identity_trust(second.identity)->class);
	assert_string_equal("ek-untrusted", identity_doubt(second.identity)->code);
	/* And what it says is its own. */
	identity_free(&first.identity);
	assert_non_null(strstr(identity_doubt(second.identity)->sentence, "import"));
}

static void of_too_many_the_oldest_is_forgotten(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(judgement_free) struct judgement judgement = {0};
	struct judged *judged;
	uint8_t keys[5][SHA256_SIZE] = {{0}};

	(void)state;
	scene_make(&scene, 3);
	judged = scene.believer.service.judged;
	assert_ok(judge(&scene, NOW, &judgement));
	judged_free(&scene.believer.service.judged);
	scene.believer.service.judged = judged = judged_make(3);
	/* They begin alike, so that all are found through one place. */
	for (size_t i = 0; i < COUNT(keys); i++) {
		keys[i][31] = (uint8_t)i;
		judged_remember(judged, keys[i], NOW, &judgement);
		judged_remember(judged, keys[i], NOW, &judgement);
		for (size_t k = 0; k <= i; k++) {
			AUTO(judgement_free) struct judgement got = {0};

			assert_int_equal(judged_recall(judged, keys[k], NOW, &got), k + 3 > i);
		}
	}
}

#define CLAIMS 12

struct crowd {
	struct judged *judged;
	const struct judgement *judgement;
};

static void *one_of_many(void *arg)
{
	const struct crowd *crowd = arg;

	for (size_t i = 0; i < 400; i++) {
		AUTO(judgement_free) struct judgement got = {0};
		uint8_t key[SHA256_SIZE] = {(uint8_t)(i * 7 % CLAIMS)};

		if (!judged_recall(crowd->judged, key, NOW, &got))
			judged_remember(crowd->judged, key, NOW, crowd->judgement);
		else if (got.ak != crowd->judgement->ak || got.identity == NULL ||
			 identity_vouch(got.identity, TRUST_APPROVED, "x") == OK)
			return arg;
	}
	return NULL;
}

static void many_threads_remember_and_recall(void **state)
{
	AUTO(scene_free) struct scene scene;
	AUTO(judgement_free) struct judgement judgement = {0};
	pthread_t threads[8];
	struct crowd crowd;

	(void)state;
	scene_make(&scene, 4);
	assert_ok(judge(&scene, NOW, &judgement));
	crowd = (struct crowd){scene.believer.service.judged, &judgement};
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, one_of_many, &crowd));
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *end = &crowd;

		pthread_join(threads[i], &end);
		assert_null(end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_recalled_is_what_was_judged),
		cmocka_unit_test(a_judgement_is_remembered_for_its_life_and_no_longer),
		cmocka_unit_test(a_certificate_that_ends_meanwhile_is_not_believed),
		cmocka_unit_test(a_ca_that_ends_meanwhile_is_not_believed),
		cmocka_unit_test(another_trust_set_judges_anew),
		cmocka_unit_test(another_policy_judges_anew),
		cmocka_unit_test(another_claim_or_service_has_another_key),
		cmocka_unit_test(another_claim_of_the_same_device_is_judged_itself),
		cmocka_unit_test(what_is_refused_is_not_remembered),
		cmocka_unit_test(what_is_made_of_it_changes_nothing_for_others),
		cmocka_unit_test(of_too_many_the_oldest_is_forgotten),
		cmocka_unit_test(many_threads_remember_and_recall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
