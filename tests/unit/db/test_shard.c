#include "attempt.h"
#include "database.h"

#include "ca/base/clock.h"
#include "db/crl.h"
#include "db/issuer.h"
#include "db/shard.h"

#include <stdlib.h>
#include <string.h>

#define BASE "https://ca.example.org"
#define DRAWERS 12

static const uint8_t issuer[DIGEST_SIZE] = "the CA that issues";

static void plan(struct db *db, int64_t capacity, const char *base)
{
	assert_int_equal(OK, shard_plan(db, capacity, base));
}

static void places_come_in_shards_of_the_plans_capacity(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	plan(*state, 3, BASE);
	a.crl_places = 8;
	attempt_lookup(&a);
	assert_string_equal(BASE, a.facts.crl_base);
	assert_int_equal(0, a.facts.crl_shards[0]);
	assert_int_equal(0, a.facts.crl_shards[2]);
	assert_int_equal(1, a.facts.crl_shards[3]);
	assert_int_equal(2, a.facts.crl_shards[7]);
	attempt_lookup(&a);
	assert_int_equal(2, a.facts.crl_shards[0]);
	assert_int_equal(3, a.facts.crl_shards[1]);
	enrollment_facts_free(&a.facts);
}

static void without_a_plan_nobody_draws(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.crl_places = 1;
	attempt_once(&a);
	assert_int_equal(ERR_BUSY, a.err);
	assert_string_equal("crl-plan", a.code);
	enrollment_facts_free(&a.facts);
}

static void a_plan_that_differs_begins_new_shards(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	plan(*state, 3, BASE);
	plan(*state, 3, BASE);
	assert_int_equal(1, database_count("SELECT count(*) FROM crl_plan"));
	a.crl_places = 4;
	attempt_lookup(&a);
	plan(*state, 5, BASE);
	attempt_lookup(&a);
	assert_true(a.facts.crl_shards[0] >= 1024);
	assert_int_equal(a.facts.crl_shards[0], a.facts.crl_shards[3]);
	plan(*state, 5, BASE "/elsewhere");
	attempt_lookup(&a);
	assert_true(a.facts.crl_shards[0] >= 2 * 1024);
	assert_string_equal(BASE "/elsewhere", a.facts.crl_base);
	enrollment_facts_free(&a.facts);
}

static void *enroll(void *of_attempt)
{
	attempt_enroll(of_attempt);
	return NULL;
}

/* Servers draw at once, and one of them begins a new plan meanwhile. */
static void no_shard_gets_more_than_its_capacity(void **state)
{
	struct attempt attempts[DRAWERS];
	void *arguments[DRAWERS];
	char host[DRAWERS][32];

	plan(*state, 5, BASE);
	for (unsigned i = 0; i < DRAWERS; i++) {
		snprintf(host[i], sizeof(host[i]), "web-%u.example.org", i);
		attempts[i] = attempt_of(*state, i, host[i]);
		attempts[i].certificates_n = attempts[i].crl_places = 3;
		attempts[i].issuer = issuer;
		arguments[i] = &attempts[i];
	}
	at_once(DRAWERS / 2, enroll, arguments);
	plan(*state, 4, BASE);
	at_once(DRAWERS / 2, enroll, arguments + DRAWERS / 2);
	assert_int_equal(3 * DRAWERS, database_count("SELECT count(*) FROM certificate"));
	assert_int_equal(
		0, database_count("SELECT count(*) FROM (SELECT count(*) AS n FROM certificate"
				  " WHERE shard < 1000 GROUP BY shard HAVING count(*) > 5)"
				  " AS over"));
	assert_int_equal(
		0, database_count("SELECT count(*) FROM (SELECT count(*) AS n FROM certificate"
				  " WHERE shard >= 1000 GROUP BY shard HAVING count(*) > 4)"
				  " AS over"));
	/* Each has a row as soon as a certificate names it. */
	assert_int_equal(
		0, database_count("SELECT count(*) FROM certificate WHERE NOT EXISTS (SELECT"
				  " FROM crl_shard WHERE crl_shard.issuer = certificate.issuer"
				  " AND crl_shard.shard = certificate.shard)"));
	for (unsigned i = 0; i < DRAWERS; i++)
		enrollment_facts_free(&attempts[i].facts);
}

static struct crl_key one_shard(struct db *db)
{
	struct attempt a = attempt_of(db, 1, "a.example.org");
	struct crl_key key = {.shard = 0};
	static const struct issuer_note note = {
		issuer, "x509", {(const uint8_t *)"a certificate", 13}, NOW};

	memcpy(key.issuer, issuer, sizeof(key.issuer));
	assert_int_equal(OK, issuer_note(db, &note, NOW));
	plan(db, 10, BASE);
	a.crl_places = 2;
	a.certificates_n = 2;
	a.issuer = issuer;
	attempt_enroll(&a);
	enrollment_facts_free(&a.facts);
	return key;
}

static bool published(struct db *db, const struct crl_key *key, const struct crl_work *work)
{
	const struct crl_made made = {work, NOW, NOW + 3600, {(const uint8_t *)"a CRL", 5}};
	bool is_ours;

	assert_int_equal(OK, crl_publish(db, key, &made, &is_ours));
	return is_ours;
}

static void of_two_that_make_a_crl_one_publishes(void **state)
{
	struct crl_key key = one_shard(*state);
	struct crl_work first, second;
	struct crl_due due;

	assert_int_equal(OK, crl_find_due(*state, issuer, 0, &due));
	assert_int_equal(1, due.n);
	assert_int_equal(OK, crl_look(*state, &key, NOW, &first));
	assert_int_equal(OK, crl_look(*state, &key, NOW, &second));
	assert_string_equal(BASE, first.base);
	assert_int_equal(0, first.n);
	assert_true(published(*state, &key, &first));
	assert_false(published(*state, &key, &second));
	assert_int_equal(OK, crl_find_due(*state, issuer, 0, &due));
	assert_int_equal(0, due.n);
	assert_int_equal(OK, crl_find_due(*state, issuer, NOW + 3601, &due));
	assert_int_equal(1, due.n);
	crl_work_free(&first);
	crl_work_free(&second);
}

/* What is revoked while a CRL is being signed is in the next one. */
static void a_revocation_meanwhile_is_not_forgotten(void **state)
{
	struct crl_key key = one_shard(*state);
	struct crl_work before, after;
	struct crl_due due;

	assert_int_equal(OK, crl_look(*state, &key, NOW, &before));
	database_do("UPDATE certificate SET revoked_at = to_timestamp(1800000000),"
		    " revocation_reason = 'superseded' WHERE template = 'tls'");
	assert_true(published(*state, &key, &before));
	assert_int_equal(OK, crl_find_due(*state, issuer, 0, &due));
	assert_int_equal(1, due.n);
	assert_int_equal(OK, crl_look(*state, &key, NOW, &after));
	assert_int_equal(1, after.n);
	assert_int_equal(REVOKED_SUPERSEDED, after.entries[0].reason);
	assert_int_equal(NOW, after.entries[0].at);
	assert_true(after.number > before.number);
	crl_work_free(&before);
	crl_work_free(&after);
}

/* RFC 5280 3.3 */
static void an_entry_stays_until_a_crl_was_made_after_the_certificates_end(void **state)
{
	struct crl_key key = one_shard(*state);
	struct crl_work work;

	database_do("UPDATE certificate SET revoked_at = to_timestamp(1800000000),"
		    " revocation_reason = 'superseded'");
	assert_int_equal(OK, crl_look(*state, &key, NOW + YEAR + 1, &work));
	assert_int_equal(0, work.n);
	crl_work_free(&work);
	assert_int_equal(OK, crl_look(*state, &key, NOW + YEAR, &work));
	assert_int_equal(2, work.n);
	assert_true(published(*state, &key, &work));
	crl_work_free(&work);
	/* That CRL was of NOW, before the end. */
	assert_int_equal(OK, crl_look(*state, &key, NOW + YEAR + 1, &work));
	assert_int_equal(2, work.n);
	assert_false(work.is_over);
	crl_work_free(&work);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(places_come_in_shards_of_the_plans_capacity),
		TEST(without_a_plan_nobody_draws),
		TEST(a_plan_that_differs_begins_new_shards),
		TEST(no_shard_gets_more_than_its_capacity),
		TEST(of_two_that_make_a_crl_one_publishes),
		TEST(a_revocation_meanwhile_is_not_forgotten),
		TEST(an_entry_stays_until_a_crl_was_made_after_the_certificates_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
