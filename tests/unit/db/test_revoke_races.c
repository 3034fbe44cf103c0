/* test_revoke_races.c - who enrolls while somebody revokes: nothing good is left behind, and nothing is missing where
 * CRLs are made from. Two pools stand for two servers. */
#include "database.h"
#include "db/bar.h"
#include "db/revoke.h"
#include "db/revoked_issuer.h"
#include "db/shard.h"
#include "standing.h"

#include <stdio.h>
#include <string.h>

#define HOST "web-1.example.org"
#define ENROLLERS 4
#define ENROLLMENTS 20 /* that each of them tries, but for the last three at a bar */
#define ROUNDS 5

static struct db *second; /* server */

static int open_both(void **state)
{
	return database_migrated(state) != 0 ||
	       db_open(database_conninfo(), 8, 5000, &second) != OK;
}

static int close_both(void **state)
{
	db_close(&second);
	return database_close(state);
}

/* One of those who act at once. */
struct player {
	void (*play)(struct player *player);
	struct db *db;
	struct attempt attempt; /* of who enrolls */
	int64_t after; /* how many certificates are there before who revokes does it */
	enum err err;
	char code[64];
	int64_t good, all; /* certificates when it was done */
};

static void *play(void *of)
{
	struct player *player = of;

	player->play(player);
	snprintf(player->code, sizeof(player->code), "%s", player->err == OK ? "" : why()->code);
	return NULL;
}

/* As a device does that repeats whatever it is told. */
static void enroll_on(struct player *x)
{
	const struct enrollment_facts *facts = &x->attempt.facts;
	unsigned barred = 0;

	for (unsigned i = 0; i < ENROLLMENTS && barred < 3; i++) {
		attempt_anew(&x->attempt);
		attempt_once(&x->attempt);
		barred += facts->device_state == DEVICE_REVOKED || facts->host_barred ||
			  facts->ca_revoked;
	}
	x->err = OK;
}

static int64_t certificates(void)
{
	return database_count("SELECT count(*) FROM certificate");
}

/* So many may never come: others revoke too. */
static void await(const struct player *x)
{
	for (unsigned looks = 0; looks < 60 && certificates() < x->after; looks++)
		;
}

static void count(struct player *x)
{
	x->good = standing_certificates();
	x->all = certificates();
}

static void revoke_device(struct player *x)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};

	await(x);
	x->err = device_revoke(x->db, &(struct device_key){.ek_digest = VIEW(x->attempt.ek_digest)},
		"keyCompromise", &standing_admin, &reached);
	count(x);
}

static void revoke_host(struct player *x)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};

	await(x);
	x->err = host_revoke(x->db, HOST, "keyCompromise", &standing_admin, &reached);
	count(x);
}

static void revoke_ca(struct player *x)
{
	struct issuer_state issuer;

	await(x);
	x->err = issuer_revoke(x->db, "07", "cACompromise", &standing_admin, &issuer);
	count(x);
}

/* Everybody of `tpms` TPMs wants the same name; two certificates each time, five to a shard. */
static void make_enrollers(void **state, struct player players[static ENROLLERS], unsigned tpms)
{
	standing_none(state);
	assert_int_equal(OK, shard_plan(*state, 5, "http://ca.example.org/crl/"));
	for (unsigned i = 0; i < ENROLLERS; i++) {
		struct db *db = i % 2 == 0 ? *state : second;

		players[i] = (struct player){.play = enroll_on, .db = db};
		players[i].attempt = attempt_of(db, 1 + i % tpms, HOST);
		players[i].attempt.certificates_n = 2;
		players[i].attempt.crl_places = 2;
		players[i].attempt.issuer = standing_issuer;
	}
}

static void all_at_once(struct player *players, unsigned n)
{
	void *arguments[16];

	for (unsigned i = 0; i < n; i++)
		arguments[i] = &players[i];
	at_once(n, play, arguments);
	for (unsigned i = 0; i < n; i++)
		enrollment_facts_free(&players[i].attempt.facts);
}

/* A publisher that made all CRLs just now, for what comes next to be behind. */
static void assert_all_are_listed(void)
{
	assert_int_equal(0, database_count("SELECT count(*) FROM certificate LEFT JOIN crl_shard"
					   " USING (issuer, shard) WHERE revoked_at IS NOT NULL"
					   " AND changed IS NULL"));
	/* The row begins with 1, and each revocation moves it. */
	assert_int_equal(0, database_count("SELECT count(*) FROM certificate JOIN crl_shard"
					   " USING (issuer, shard) WHERE revoked_at IS NOT NULL"
					   " AND changed < 2"));
}

static void race(void **state, void (*revoke)(struct player *x), unsigned tpms, unsigned round)
{
	struct player players[ENROLLERS + 2];

	make_enrollers(state, players, tpms);
	for (unsigned i = 0; i < 2; i++) {
		struct player *admin = &players[ENROLLERS + i];

		*admin = (struct player){
			.play = revoke, .db = i == 0 ? *state : second, .after = 2 + 3 * round};
		admin->attempt = attempt_of(admin->db, 1, HOST);
	}
	all_at_once(players, ENROLLERS + 2);
	for (unsigned i = ENROLLERS; i < ENROLLERS + 2; i++)
		if (players[i].err != OK)
			assert_string_equal("already-revoked", players[i].code);
	assert_int_equal(1, (players[ENROLLERS].err == OK) + (players[ENROLLERS + 1].err == OK));
	for (unsigned i = ENROLLERS; i < ENROLLERS + 2; i++)
		assert_int_equal(players[i].all, certificates());
	if (revoke != revoke_ca) {
		assert_int_equal(0, players[ENROLLERS].good + players[ENROLLERS + 1].good);
		assert_int_equal(0, standing_certificates());
		assert_all_are_listed();
	}
	assert_int_equal(0, database_count("SELECT count(*) FROM certificate_in_force"));
}

static void after_a_device_is_revoked_none_of_its_certificates_is_good(void **state)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		race(state, revoke_device, 1, round);
		assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE event ="
						   " 'device.revoked'"));
		assert_int_equal(certificates(),
			database_count("SELECT cardinality(serials) FROM audit WHERE event ="
				       " 'device.revoked'"));
	}
}

/* Several devices that take it one from another would be the same. */
static void after_a_name_is_revoked_no_certificate_of_it_is_good(void **state)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		race(state, revoke_host, 2, round);
		assert_int_equal(0, database_count("SELECT count(*) FROM host"));
	}
}

static void after_a_ca_is_revoked_nothing_of_it_is_recorded(void **state)
{
	for (unsigned round = 0; round < ROUNDS / 2; round++) {
		bool more = true;

		race(state, revoke_ca, 1, 2 * round);
		while (more)
			assert_int_equal(OK, revoked_issuer_round(*state, NOW + 20, 7, &more));
		assert_int_equal(0, standing_certificates());
		assert_all_are_listed();
	}
}

static void hold_and_unhold(struct player *x)
{
	AUTO(reached_free) struct reached held = {.x509 = 0}, given = {.x509 = 0};
	const struct device_key key = {.ek_digest = VIEW(x->attempt.ek_digest)};

	x->err = OK;
	for (unsigned i = 0; i < 6 && x->err == OK; i++) {
		reached_free(&held);
		reached_free(&given);
		x->err = device_hold(x->db, &key, &standing_admin, &held);
		if (x->err == OK)
			x->err = device_unhold(x->db, &key, &standing_admin, &given);
	}
	if (x->err != OK && strcmp(why()->code, "already-revoked") != 0 &&
		strcmp(why()->code, "not-held") != 0)
		fail_msg("%s: %s", why()->code, why()->sentence);
	x->err = OK;
}

static void sweep_ca(struct player *x)
{
	bool more = true;

	revoke_ca(x);
	while (x->err == OK && more)
		x->err = revoked_issuer_round(x->db, NOW + 20, 3, &more);
}

/* All acts on the same certificates: nobody waits in a circle, and what is final stays final. */
static void acts_that_cross_each_other_all_come_to_an_end(void **state)
{
	for (unsigned round = 0; round < ROUNDS / 2; round++) {
		struct player players[ENROLLERS + 4];
		void (*const acts[])(struct player * x) = {
			hold_and_unhold, revoke_host, sweep_ca, revoke_device};

		make_enrollers(state, players, 1);
		for (unsigned i = 0; i < COUNT(acts); i++) {
			struct player *admin = &players[ENROLLERS + i];

			*admin = (struct player){.play = acts[i],
				.db = i % 2 == 0 ? *state : second,
				.after = 2 + i * round};
			admin->attempt = attempt_of(admin->db, 1, HOST);
		}
		attempt_enroll(&players[0].attempt);
		all_at_once(players, COUNT(players));
		for (unsigned i = ENROLLERS; i < COUNT(players); i++)
			assert_string_equal("", players[i].code);
		assert_int_equal(0, standing_certificates());
		assert_int_equal(0, database_count("SELECT count(*) FROM certificate WHERE"
						   " revocation_reason = 'certificateHold'"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_device_is_revoked_none_of_its_certificates_is_good),
		cmocka_unit_test(after_a_name_is_revoked_no_certificate_of_it_is_good),
		cmocka_unit_test(after_a_ca_is_revoked_nothing_of_it_is_recorded),
		cmocka_unit_test(acts_that_cross_each_other_all_come_to_an_end),
	};

	return cmocka_run_group_tests(tests, open_both, close_both);
}
