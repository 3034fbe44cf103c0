#include "attempt.h"
#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "database.h"
#include "db/company.h"
#include "db/health.h"
#include "db/pool_connection.h"
#include "db/shard.h"

#include <libpq-fe.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL 24
#define POOL 8 /* of database_migrated() */
#define ROUNDS 5
#define BASE "https://ca.example.org"

static PGconn *holder; /* holds a table, and with it who looks */

static void hold_still(void)
{
	holder = PQconnectdb(database_conninfo());
	PQclear(PQexec(holder, "BEGIN"));
	PQclear(PQexec(holder, "LOCK TABLE ticket IN ACCESS EXCLUSIVE MODE"));
}

#define WAITING "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ticket'::regclass"

/* Two begin alone, the others are held up and share: until these wait too. */
static void wait_for_all(void)
{
	int64_t end = clock_ms() + 20000;

	while (database_count(WAITING) < 2 + (ALL - 2) / COMPANY_MAX)
		assert_true(clock_ms() < end);
}

static void let_go(void)
{
	wait_for_all();
	PQfinish(holder);
}

static void kill_and_let_go(void)
{
	wait_for_all();
	database_do("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
		    " AND relation = 'ticket'::regclass");
	PQfinish(holder);
}

static void (*holder_ends)(void);

/* NULL: whoever lets them go. */
static void *look_only(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	if (attempt == NULL) {
		holder_ends();
		return NULL;
	}
	attempt->err = attempt_look(attempt);
	snprintf(attempt->code, sizeof(attempt->code), "%s", attempt->err == OK ? "" : why()->code);
	return NULL;
}

/* How many trips it took. */
static uint64_t look_all(struct db *db, struct attempt attempts[static ALL], void (*ends)(void))
{
	void *arguments[ALL + 1] = {NULL};
	uint64_t before = db_trips(db);

	for (unsigned i = 0; i < ALL; i++)
		arguments[i] = &attempts[i];
	holder_ends = ends;
	hold_still();
	at_once(ALL + 1, look_only, arguments);
	return db_trips(db) - before;
}

static void free_all(struct attempt attempts[static ALL])
{
	for (unsigned i = 0; i < ALL; i++)
		enrollment_facts_free(&attempts[i].facts);
}

/* Each another device with another name. */
static void name_all(struct db *db, struct attempt attempts[static ALL])
{
	static char names[ALL][32];

	for (unsigned i = 0; i < ALL; i++) {
		snprintf(names[i], sizeof(names[i]), "web-%u.example.org", i);
		attempts[i] = attempt_of(db, i, names[i]);
	}
}

/* Something about each device that is known; the rest is as with one that never came. */
#define OF(ek) "(SELECT device_id FROM ek WHERE ek_digest = sha256('ek " ek "'))"
#define ALLOWED                                                                                    \
	"INSERT INTO ek_allowed (ek_digest, host, labels, source, added_at, added_by, why) "       \
	"VALUES "
#define HELD                                                                                       \
	"INSERT INTO pending (attempt_id, ek_digest, ek_public, ak_name, host, code, sentence,"    \
	" source, first_at, last_at) VALUES "
enum {
	KNOWN,
	REVOKED,
	ON_HOLD,
	LABELLED,
	SUPERSEDED,
	USED_TICKET, /* up to here they enrolled before */
	ALLOWED_BY_NAME,
	LEARNS,
	NAME_OF_ANOTHER_EK,
	HELD_BEFORE,
	HELD_TICKET,
	BARRED,
	HOST_OF_ANOTHER,
	AK_OF_ANOTHER,
	SECOND_EK,
	REVOKED_CA,
	RENEWS,
	STRANGERS,
};
static const char changes[] =
	"UPDATE device SET state = 'revoked', revision = 7 WHERE device_id = " OF(
		"1") ";"
		     "UPDATE device SET state = 'held' WHERE device_id = " OF(
			     "2") ";"
				  "UPDATE device SET labels = '{\"rack\": \"7\", \"row\": \"b\"}' "
				  "WHERE device_id = " OF(
					  "3") ";"
					       "UPDATE ak SET state = 'superseded', dialect = "
					       "'keylime' WHERE device_id = " OF(
						       "4") ";" ALLOWED
							    "(sha256('ek 6'), 'web-6.example.org', "
							    "'{\"rack\": \"8\"}', 'f', now(), 'w', "
							    "'y'),"
							    " (sha256('ek 7'), "
							    "'web-7.example.org', '{}', 'g', "
							    "now(), 'w', 'y'),"
							    " (sha256('other'), "
							    "'web-8.example.org', '{}', 'g', "
							    "now(), 'w', 'y');" HELD
							    "('sixteen octets.1', sha256('ek 9'), "
							    "'key', 'ak', 'web-9.example.org', "
							    "'ek-untrusted',"
							    " '', '192.0.2.7', now(), now());"
							    "INSERT INTO pending_ticket VALUES"
							    " (decode(repeat('05', 32), 'hex'), "
							    "'sixteen octets.2', now());"
							    "INSERT INTO host_barred VALUES "
							    "('web-11.example.org', now(), "
							    "'unspecified', 'y', 'w');"
							    "INSERT INTO issuer (issuer_id, kind, "
							    "certificate, first_at, revoked_at, "
							    "revocation_reason,"
							    " revoked_by, revoked_why) VALUES"
							    " (sha256('good'), 'x509', 'der', "
							    "now(), NULL, NULL, NULL, NULL),"
							    " (sha256('bad'), 'x509', 'der', "
							    "now(), now(), 'cACompromise', 'w', "
							    "'y')";

static void name_issuer(const char *name, uint8_t out[static DIGEST_SIZE])
{
	assert_int_equal(OK, sha256(&(struct view){(const uint8_t *)name, strlen(name)}, 1, out));
}

/* All that may be said of somebody; from STRANGERS on they are new, and nothing is. */
static void prepare(struct db *db, struct attempt attempts[static ALL])
{
	static uint8_t good[DIGEST_SIZE], bad[DIGEST_SIZE], renews[DEVICE_ID_SIZE];

	name_issuer("good", good);
	name_issuer("bad", bad);
	name_all(db, attempts);
	attempts[KNOWN].certificates_n = attempts[USED_TICKET].certificates_n = 2;
	for (unsigned i = 0; i <= USED_TICKET; i++)
		attempt_enroll(&attempts[i]);
	attempt_enroll(&attempts[RENEWS]);
	memcpy(renews, attempts[RENEWS].new_device_id, DEVICE_ID_SIZE);
	for (unsigned i = 0; i < ALL; i++) {
		if (i != USED_TICKET)
			attempt_anew(&attempts[i]);
		attempts[i].issuer = i % 3 == 0 ? NULL : good;
	}
	database_do(changes);
	attempts[LEARNS].host = NULL;
	memset(attempts[HELD_TICKET].ticket_digest, 5, DIGEST_SIZE);
	attempts[HOST_OF_ANOTHER].host = attempts[KNOWN].host;
	attempt_use_ak(&attempts[AK_OF_ANOTHER], REVOKED);
	attempt_use_ek(&attempts[AK_OF_ANOTHER], KNOWN);
	attempt_use_ak(&attempts[SECOND_EK], LABELLED);
	attempts[REVOKED_CA].issuer = bad;
	attempts[RENEWS].device_id = renews;
	attempts[KNOWN].wants_ak_certificates = true;
}

#define FIELD(name)                                                                                \
	{                                                                                          \
#name, offsetof(struct enrollment_facts, name),                                    \
			sizeof(((struct enrollment_facts *)NULL)->name)                            \
	}
/* But for the clock, and for what nobody else gets. */
static const struct {
	const char *name;
	size_t at, n;
} fields[] = {FIELD(device_known), FIELD(ek_known), FIELD(device_id), FIELD(device_state),
	FIELD(revision), FIELD(ak_of_other_device), FIELD(ak_device_id), FIELD(ak_known),
	FIELD(ak_live), FIELD(ak_other_dialect), FIELD(host_barred), FIELD(host_bound),
	FIELD(host_is_ours), FIELD(device_hosts), FIELD(ek_allowed), FIELD(allowed_source),
	FIELD(registered_host), FIELD(host_of_other_ek), FIELD(has_labels), FIELD(labels_n),
	FIELD(allowed_labels), FIELD(attempt_known), FIELD(attempt_id), FIELD(attempt_accepted),
	FIELD(attempt_rejected), FIELD(ticket_held), FIELD(ticket_used),
	FIELD(ticket_request_digest), FIELD(ticket_revoked), FIELD(ca_revoked), FIELD(revoked_ca),
	FIELD(certificates_n), FIELD(grant_digest), FIELD(ak_certificates_n),
	FIELD(ak_certificates)};

static void assert_same(
	unsigned number, const struct enrollment_facts *a, const struct enrollment_facts *b)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (memcmp((const char *)a + fields[i].at, (const char *)b + fields[i].at,
			    fields[i].n) != 0)
			fail_msg("%u: %s", number, fields[i].name);
	for (size_t i = 0; i < a->labels_n; i++) {
		assert_string_equal(a->labels[i].name, b->labels[i].name);
		assert_string_equal(a->labels[i].value, b->labels[i].value);
	}
	for (size_t i = 0; i < a->certificates_n; i++) {
		const struct stored_certificate *x = &a->certificates[i], *y = &b->certificates[i];

		assert_true(view_equal((struct view){x->serial, x->serial_n},
			(struct view){y->serial, y->serial_n}));
		assert_string_equal(x->template, y->template);
		assert_true(view_equal(buf_view(&x->der), buf_view(&y->der)));
	}
	assert_in_range(b->clock, a->clock, a->clock + 60);
}

/* Were they told what this test is about? */
static void assert_various(const struct attempt attempts[static ALL])
{
	const struct enrollment_facts *of[STRANGERS];

	for (unsigned i = 0; i < STRANGERS; i++)
		of[i] = &attempts[i].facts;
	assert_int_equal(2, of[KNOWN]->certificates_n);
	assert_int_equal(1, of[KNOWN]->ak_certificates_n);
	assert_int_equal(DEVICE_REVOKED, of[REVOKED]->device_state);
	assert_int_equal(DEVICE_HELD, of[ON_HOLD]->device_state);
	assert_int_equal(2, of[LABELLED]->labels_n);
	assert_true(of[SUPERSEDED]->ak_other_dialect && !of[SUPERSEDED]->ak_live);
	assert_true(of[USED_TICKET]->ticket_used && of[USED_TICKET]->certificates_n == 2);
	assert_true(of[ALLOWED_BY_NAME]->ek_allowed && of[ALLOWED_BY_NAME]->labels_n == 1);
	assert_string_equal("web-7.example.org", of[LEARNS]->registered_host);
	assert_true(of[NAME_OF_ANOTHER_EK]->host_of_other_ek);
	assert_true(of[HELD_BEFORE]->attempt_known && of[HELD_TICKET]->ticket_held);
	assert_true(of[BARRED]->host_barred && of[HOST_OF_ANOTHER]->host_bound);
	assert_true(of[AK_OF_ANOTHER]->ak_of_other_device);
	assert_true(of[SECOND_EK]->device_known && !of[SECOND_EK]->ek_known);
	assert_true(of[REVOKED_CA]->ca_revoked && of[RENEWS]->certificates_n == 1);
}

static void each_hears_in_company_what_he_hears_alone(void **state)
{
	static struct attempt alone[ALL], together[ALL];

	prepare(*state, alone);
	memcpy(together, alone, sizeof(together));
	for (unsigned i = 0; i < ALL; i++) {
		together[i].facts = (struct enrollment_facts){.device_known = false};
		enrollment_facts_free(&alone[i].facts);
		attempt_lookup(&alone[i]);
	}
	assert_various(alone);
	for (unsigned round = 0; round < ROUNDS; round++) {
		look_all(*state, together, let_go);
		for (unsigned i = 0; i < ALL; i++) {
			assert_int_equal(OK, together[i].err);
			assert_same(i, &alone[i].facts, &together[i].facts);
		}
	}
	free_all(alone);
	free_all(together);
}

/* The unusual ones each beside strangers, whose rows are to stay as they are. */
static void one_row_says_nothing_about_another(void **state)
{
	static struct attempt alone[ALL], together[ALL];

	prepare(*state, alone);
	memcpy(together, alone, sizeof(together));
	for (unsigned i = 0; i < ALL; i++) {
		struct attempt *one = &alone[i];

		together[i].facts = (struct enrollment_facts){.device_known = false};
		assert_int_equal(OK, attempts_look(&one, 1));
	}
	for (unsigned i = 0; i < STRANGERS; i++) {
		struct attempt *const group[] = {
			&together[STRANGERS], &together[i], &together[STRANGERS + 1]};

		assert_int_equal(OK, attempts_look(group, COUNT(group)));
		assert_same(i, &alone[i].facts, &together[i].facts);
		assert_same(STRANGERS, &alone[STRANGERS].facts, &together[STRANGERS].facts);
		assert_same(
			STRANGERS + 1, &alone[STRANGERS + 1].facts, &together[STRANGERS + 1].facts);
	}
	free_all(alone);
	free_all(together);
}

static int compare_numbers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void assert_all_differ(int64_t *numbers, size_t n)
{
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	for (size_t i = 1; i < n; i++)
		assert_int_not_equal(numbers[i - 1], numbers[i]);
}

static void no_place_and_no_serial_is_anybody_elses(void **state)
{
	int64_t shards[ALL * ENROLLMENT_CERTIFICATES], serials[ALL * ENROLLMENT_CERTIFICATES];
	size_t shards_n = 0, serials_n = 0;
	struct attempt attempts[ALL];

	assert_int_equal(OK, shard_plan(*state, 1, BASE));
	name_all(*state, attempts);
	for (unsigned i = 0; i < ALL; i++) {
		attempts[i].crl_places = i % (ENROLLMENT_CERTIFICATES + 1);
		attempts[i].ssh_serials = (i + 3) % (ENROLLMENT_CERTIFICATES + 1);
	}
	assert_true(look_all(*state, attempts, let_go) < ALL);
	for (unsigned i = 0; i < ALL; i++) {
		const struct attempt *one = &attempts[i];

		assert_int_equal(OK, one->err);
		assert_string_equal(one->crl_places == 0 ? "" : BASE, one->facts.crl_base);
		for (unsigned k = 0; k < one->crl_places; k++)
			shards[shards_n++] = one->facts.crl_shards[k];
		for (unsigned k = 0; k < one->ssh_serials; k++)
			serials[serials_n++] = (int64_t)one->facts.ssh_serials[k];
	}
	assert_all_differ(shards, shards_n);
	assert_all_differ(serials, serials_n);
	free_all(attempts);
}

static void without_a_plan_those_are_refused_who_want_a_place(void **state)
{
	struct attempt attempts[ALL];

	name_all(*state, attempts);
	for (unsigned i = 0; i < ALL; i++)
		attempts[i].crl_places = i % 2;
	look_all(*state, attempts, let_go);
	for (unsigned i = 0; i < ALL; i++) {
		assert_int_equal(i % 2 == 0 ? OK : ERR_BUSY, attempts[i].err);
		assert_string_equal(i % 2 == 0 ? "" : "crl-plan", attempts[i].code);
	}
	free_all(attempts);
}

/* No name that passed our edge; but what the server would not read, it refuses for the whole group. */
static void one_who_cannot_be_answered_harms_nobody(void **state)
{
	struct attempt attempts[ALL];

	name_all(*state, attempts);
	attempts[5].host = attempts[20].host = "\xff.example.org";
	look_all(*state, attempts, let_go);
	for (unsigned i = 0; i < ALL; i++) {
		bool is_bad = i == 5 || i == 20;

		assert_int_equal(is_bad ? ERR_INTERNAL : OK, attempts[i].err);
		assert_string_equal(is_bad ? "database-error" : "", attempts[i].code);
		assert_true(is_bad || attempts[i].facts.clock > 0);
	}
	free_all(attempts);
}

/* Who dies while his connection is being made is not asked again. */
static void open_all(struct db *db)
{
	PGconn *connections[POOL];

	for (unsigned i = 0; i < POOL; i++)
		assert_int_equal(OK, db_take(db, &connections[i]));
	for (unsigned i = 0; i < POOL; i++)
		db_give(db, connections[i], true);
}

static void when_backends_die_all_are_asked_again(void **state)
{
	struct attempt attempts[ALL];

	name_all(*state, attempts);
	open_all(*state);
	look_all(*state, attempts, kill_and_let_go);
	for (unsigned i = 0; i < ALL; i++) {
		assert_int_equal(OK, attempts[i].err);
		assert_true(attempts[i].facts.clock > 0);
	}
	free_all(attempts);
}

static void those_who_come_together_share_their_trips(void **state)
{
	struct attempt attempts[ALL];

	name_all(*state, attempts);
	assert_in_range(look_all(*state, attempts, let_go), 2 + (ALL - 2) / COMPANY_MAX, ALL / 2);
	free_all(attempts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_hears_in_company_what_he_hears_alone),
		TEST(one_row_says_nothing_about_another),
		TEST(no_place_and_no_serial_is_anybody_elses),
		TEST(without_a_plan_those_are_refused_who_want_a_place),
		TEST(one_who_cannot_be_answered_harms_nobody),
		TEST(when_backends_die_all_are_asked_again),
		TEST(those_who_come_together_share_their_trips),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
