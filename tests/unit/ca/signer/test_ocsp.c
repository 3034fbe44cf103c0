/* test_ocsp.c - the OCSP responders of a signer: of which CA, when they are made, and when they sign. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/signer/client.h"
#include "tests/unit/ca/asker.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"

#include <openssl/ocsp.h>
#include <pthread.h>

/* A signer that issues by the first CA; the second one did once. */
struct fixture {
	struct issuer present, former, stranger;
	struct signer *signer;
	const uint8_t *ids[2];
	struct ocsp_id of[2]; /* a serial number of each, as requests have it */
};

static void issuer_named(const char *name, struct issuer *out)
{
	struct issuer_recipe recipe = issuer_good();

	recipe.subject = recipe.issuer = name;
	issuer_make(&recipe, out);
}

static void fixture_make(struct fixture *out)
{
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *templates = source_path("templates");
	struct signer_former former;
	struct signer_files files = {.templates = templates, .former = &former, .former_n = 1};

	*out = (struct fixture){.signer = NULL};
	issuer_named("Unit CA", &out->present);
	issuer_named("Former CA", &out->former);
	issuer_named("Unit CA", &out->stranger);
	files.certificate = out->present.certificate;
	files.key = out->present.key;
	files.passphrase = out->present.passphrase;
	former = (struct signer_former){
		out->former.certificate, out->former.key, out->former.passphrase};
	problems_init(&problems);
	assert_ok(signer_open(&files, &problems, &out->signer));
	ocsp_id_make(out->present.cert, 0x17, EVP_sha1(), &out->of[0]);
	ocsp_id_make(out->former.cert, 0x17, EVP_sha256(), &out->of[1]);
	for (size_t i = 0; i < 2; i++)
		out->ids[i] = signer_ocsp_issuer(out->signer, &out->of[i]);
}

static void fixture_free(struct fixture *fixture)
{
	signer_close(&fixture->signer);
	issuer_free(&fixture->present);
	issuer_free(&fixture->former);
	issuer_free(&fixture->stranger);
}

static enum err ask(struct fixture *fixture, size_t whose, int64_t now, struct buf *der)
{
	const struct ocsp_answer answer = {.id = &fixture->of[whose], .status = OCSP_IS_GOOD};
	struct ocsp_content content = {
		.answers = &answer, .n = 1, .this_update = now, .next_update = now + HOUR};

	return signer_ocsp(fixture->signer, fixture->ids[whose], &content, der);
}

static void make_and_take(
	struct fixture *fixture, size_t whose, int64_t now, struct signer_responder *out)
{
	assert_ok(signer_responder_make(fixture->signer, fixture->ids[whose], now, out));
	signer_responder_take(fixture->signer, fixture->ids[whose], out->serial);
}

static void a_ca_is_found_by_its_name_and_key(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	struct ocsp_id id;

	(void)state;
	fixture_make(&fixture);
	assert_non_null(fixture.ids[0]);
	assert_non_null(fixture.ids[1]);
	assert_memory_not_equal(fixture.ids[0], fixture.ids[1], SHA256_SIZE);
	/* One has the name, and only the key is another. */
	ocsp_id_make(fixture.stranger.cert, 0x17, EVP_sha1(), &id);
	assert_null(signer_ocsp_issuer(fixture.signer, &id));
	/* And the other way round. */
	memcpy(id.key_hash, fixture.of[0].key_hash, sizeof(id.key_hash));
	id.name_hash[0] ^= 1;
	assert_null(signer_ocsp_issuer(fixture.signer, &id));
	ocsp_id_make(fixture.present.cert, 0x17, EVP_sha384(), &id);
	assert_null(signer_ocsp_issuer(fixture.signer, &id));
}

static void what_it_issued_is_told_by_the_signature(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	fixture_make(&fixture);
	granted_make(fixture.former.pkey, &granted);
	assert_ok(signer_issue(fixture.signer, &granted.grant, clock_now(), &issued));
	assert_true(signer_has_issued_by(fixture.signer, fixture.ids[0], buf_view(&issued.der)));
	assert_false(signer_has_issued_by(fixture.signer, fixture.ids[1], buf_view(&issued.der)));
	issued.der.p[issued.der.n - 1] ^= 1;
	assert_false(signer_has_issued_by(fixture.signer, fixture.ids[0], buf_view(&issued.der)));
	assert_false(signer_has_issued_by(fixture.signer, fixture.ids[0], view_str("none")));
}

static void nothing_is_signed_before_a_responder_was_taken(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(signer_responder_free)
	struct signer_responder first = {.not_before = 0}, second = {.not_before = 0};
	AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
	int64_t now = clock_now();

	(void)state;
	fixture_make(&fixture);
	assert_true(signer_responder_is_due(fixture.signer, fixture.ids[0], now));
	assert_int_equal(0, signer_responder_ends(fixture.signer, fixture.ids[0]));
	assert_refused(ask(&fixture, 0, now, &der), ERR_BUSY, "responder");
	assert_ok(signer_responder_make(fixture.signer, fixture.ids[0], now, &first));
	assert_refused(ask(&fixture, 0, now, &der), ERR_BUSY, "responder");
	assert_ok(signer_responder_make(fixture.signer, fixture.ids[0], now, &second));
	/* The one before it is nobody's any more. */
	signer_responder_take(fixture.signer, fixture.ids[0], first.serial);
	assert_refused(ask(&fixture, 0, now, &der), ERR_BUSY, "responder");
	signer_responder_take(fixture.signer, fixture.ids[0], second.serial);
	assert_ok(ask(&fixture, 0, now, &der));
	assert_int_equal(second.not_after, signer_responder_ends(fixture.signer, fixture.ids[0]));
	assert_false(signer_responder_is_due(fixture.signer, fixture.ids[0], now));
	assert_true(signer_responder_is_due(fixture.signer, fixture.ids[1], now));
}

static void the_present_one_goes_on_while_the_next_is_made(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(signer_responder_free)
	struct signer_responder first = {.not_before = 0}, second = {.not_before = 0};
	AUTO(buf_free) struct buf der = BUF(3 * OCSP_RESPONSE_MAX);
	int64_t now = clock_now(), later = now + 5 * DAY;

	(void)state;
	fixture_make(&fixture);
	make_and_take(&fixture, 0, now, &first);
	assert_false(signer_responder_is_due(fixture.signer, fixture.ids[0], now + 4 * DAY));
	assert_true(signer_responder_is_due(fixture.signer, fixture.ids[0], later));
	assert_ok(signer_responder_make(fixture.signer, fixture.ids[0], later, &second));
	assert_ok(ask(&fixture, 0, later, &der));
	assert_int_equal(first.not_after, signer_responder_ends(fixture.signer, fixture.ids[0]));
	signer_responder_take(fixture.signer, fixture.ids[0], second.serial);
	assert_false(signer_responder_is_due(fixture.signer, fixture.ids[0], later));
	assert_ok(ask(&fixture, 0, now + 10 * DAY, &der));
	assert_refused(ask(&fixture, 0, now + 13 * DAY, &der), ERR_BUSY, "responder");
}

static void each_ca_answers_for_itself(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	int64_t now = clock_now();

	(void)state;
	fixture_make(&fixture);
	for (size_t i = 0; i < 2; i++) {
		AUTO(signer_responder_free) struct signer_responder its = {.not_before = 0};
		AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);

		make_and_take(&fixture, i, now, &its);
		assert_ok(ask(&fixture, i, now, &der));
		assert_true(ocsp_verifies(buf_view(&der), fixture.present.cert) == (i == 0));
		assert_true(ocsp_verifies(buf_view(&der), fixture.former.cert) == (i == 1));
	}
}

static void a_ca_that_has_ended_says_nothing(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);
	int64_t beyond = clock_now() + 3651 * DAY;

	(void)state;
	fixture_make(&fixture);
	assert_false(signer_responder_is_due(fixture.signer, fixture.ids[0], beyond));
	assert_refused(ask(&fixture, 0, beyond, &der), ERR_NOT_FOUND, "ca-ended");
}

static void a_stranger_has_no_responder(void **state)
{
	static const uint8_t nobody[SHA256_SIZE] = {0};
	AUTO(fixture_free) struct fixture fixture;
	AUTO(signer_responder_free) struct signer_responder made = {.not_before = 0};
	AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);

	(void)state;
	fixture_make(&fixture);
	fixture.ids[0] = nobody;
	assert_false(signer_responder_is_due(fixture.signer, nobody, clock_now()));
	assert_refused(signer_responder_make(fixture.signer, nobody, clock_now(), &made),
		ERR_INTERNAL, "issuer-unknown");
	assert_refused(ask(&fixture, 0, clock_now(), &der), ERR_INTERNAL, "issuer-unknown");
}

#define THREADS 4
#define EACH 50

struct signing {
	struct fixture *fixture;
	size_t good;
};

static void *sign(void *arg)
{
	struct signing *signing = arg;

	/* cmocka's assertions are for its own thread. */
	for (size_t i = 0; i < EACH; i++) {
		AUTO(buf_free) struct buf der = BUF(OCSP_RESPONSE_MAX);

		if (ask(signing->fixture, 0, clock_now(), &der) == OK &&
			ocsp_verifies(buf_view(&der), signing->fixture->present.cert))
			signing->good++;
	}
	return NULL;
}

static void four_threads_sign_while_responders_change(void **state)
{
	AUTO(fixture_free) struct fixture fixture;
	AUTO(signer_responder_free) struct signer_responder first = {.not_before = 0};
	struct signing signing[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	fixture_make(&fixture);
	make_and_take(&fixture, 0, clock_now(), &first);
	for (size_t i = 0; i < THREADS; i++) {
		signing[i] = (struct signing){&fixture, 0};
		assert_int_equal(0, pthread_create(&threads[i], NULL, sign, &signing[i]));
	}
	for (size_t i = 0; i < EACH; i++) {
		AUTO(signer_responder_free) struct signer_responder next = {.not_before = 0};

		make_and_take(&fixture, 0, clock_now(), &next);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(0, pthread_join(threads[i], NULL));
		assert_int_equal(EACH, signing[i].good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ca_is_found_by_its_name_and_key),
		cmocka_unit_test(what_it_issued_is_told_by_the_signature),
		cmocka_unit_test(nothing_is_signed_before_a_responder_was_taken),
		cmocka_unit_test(the_present_one_goes_on_while_the_next_is_made),
		cmocka_unit_test(each_ca_answers_for_itself),
		cmocka_unit_test(a_ca_that_has_ended_says_nothing),
		cmocka_unit_test(a_stranger_has_no_responder),
		cmocka_unit_test(four_threads_sign_while_responders_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
