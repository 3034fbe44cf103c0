#include "attempt.h"
#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "database.h"
#include "db/enrollment_batch.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#define ALL 24
#define RACES 10

static PGconn *rules; /* holds the rules still, and with them who records */

static void hold_still(void)
{
	rules = PQconnectdb(database_conninfo());
	PQclear(PQexec(rules, "SELECT pg_advisory_lock(7307984789958321523)"));
}

/* Two begin alone, the others are held up and share: until these wait too. */
static void let_go(void)
{
	database_until("SELECT count(*) FROM pg_locks WHERE NOT granted AND"
		       " locktype = 'advisory'",
		2 + (ALL - 2) / COMPANY_MAX);
	PQfinish(rules);
}

/* NULL: whoever lets them go. */
static void *record_only(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	if (attempt == NULL) {
		let_go();
		return NULL;
	}

	attempt->err = attempt_record(attempt);
	snprintf(attempt->code, sizeof(attempt->code), "%s", attempt->err == OK ? "" : why()->code);
	return NULL;
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

static void record_all(struct attempt attempts[static ALL])
{
	void *arguments[ALL + 1] = {NULL};

	for (unsigned i = 0; i < ALL; i++)
		arguments[i] = &attempts[i];
	hold_still();
	at_once(ALL + 1, record_only, arguments);
}

static void look_and_record_all(struct attempt attempts[static ALL])
{
	for (unsigned i = 0; i < ALL; i++)
		attempt_lookup(&attempts[i]);
	record_all(attempts);
}

static unsigned count_ok(const struct attempt attempts[static ALL])
{
	unsigned n = 0;

	for (unsigned i = 0; i < ALL; i++)
		n += attempts[i].err == OK;
	return n;
}

static void those_who_come_together_share_and_each_gets_his_own(void **state)
{
	for (unsigned round = 0; round < RACES; round++) {
		struct attempt attempts[ALL];

		database_do("TRUNCATE device, ticket CASCADE");
		name_all(*state, attempts);
		look_and_record_all(attempts);
		assert_int_equal(ALL, count_ok(attempts));
		assert_int_equal(ALL, database_count("SELECT count(*) FROM ticket"));
		assert_int_equal(ALL, database_count(ATTEMPTS_WHOLE));
		for (unsigned i = 0; i < ALL; i++) {
			attempt_lookup(&attempts[i]);
			assert_true(attempts[i].facts.host_is_ours);
			assert_memory_equal(attempts[i].new_device_id, attempts[i].facts.device_id,
				DEVICE_ID_SIZE);
		}
		assert_true(database_count(ATTEMPTS_SHARED) > 0);
		free_all(attempts);
	}
}

/* One name twice, one EK twice: whoever of the two is second is refused, and nobody else. */
static void one_that_conflicts_takes_nobody_with_it(void **state)
{
	for (unsigned round = 0; round < RACES; round++) {
		struct attempt attempts[ALL];

		database_do("TRUNCATE device, ticket CASCADE");
		name_all(*state, attempts);
		attempts[3].host = attempts[20].host;
		memcpy(attempts[5].ek_digest, attempts[17].ek_digest, DIGEST_SIZE);
		look_and_record_all(attempts);
		for (unsigned i = 0; i < ALL; i++)
			if (i != 3 && i != 20 && i != 5 && i != 17)
				assert_int_equal(OK, attempts[i].err);
			else if (attempts[i].err != OK)
				assert_string_equal("database-moved", attempts[i].code);
		assert_int_equal(1, (attempts[3].err == OK) + (attempts[20].err == OK));
		assert_int_equal(1, (attempts[5].err == OK) + (attempts[17].err == OK));
		assert_int_equal(ALL - 2, database_count(ATTEMPTS_WHOLE));
		free_all(attempts);
	}
}

/* Two services, each with batches, the same devices at both: one wins each, and nothing deadlocks. */
static void two_servers_with_the_same_devices_record_each_once(void **state)
{
	struct db *other;

	assert_int_equal(OK, db_open(database_conninfo(), 4, 5000, &other));
	for (unsigned round = 0; round < RACES; round++) {
		struct attempt attempts[ALL];

		database_do("TRUNCATE device, ticket CASCADE");
		name_all(*state, attempts);
		for (unsigned i = ALL / 2; i < ALL; i++) {
			attempts[i] = attempt_of(other, ALL - 1 - i, attempts[ALL - 1 - i].host);
			assert_memory_equal(attempts[i].ek_digest, attempts[ALL - 1 - i].ek_digest,
				DIGEST_SIZE);
		}
		look_and_record_all(attempts);
		for (unsigned i = 0; i < ALL / 2; i++)
			assert_int_equal(
				1, (attempts[i].err == OK) + (attempts[ALL - 1 - i].err == OK));
		assert_int_equal(ALL / 2, database_count(ATTEMPTS_WHOLE));
		free_all(attempts);
	}
	db_close(&other);
}

/* Who killed it: a database does that when it is stopped, and nobody knows what became of the commit. */
static void when_backends_die_nothing_is_there_by_halves(void **state)
{
	struct attempt attempts[ALL];
	int64_t ok;

	name_all(*state, attempts);
	for (unsigned i = 0; i < ALL; i++)
		attempt_lookup(&attempts[i]);
	database_do("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		    " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$");
	database_do("CREATE TRIGGER die BEFORE INSERT ON host FOR EACH ROW"
		    " WHEN (NEW.name = 'web-7.example.org') EXECUTE FUNCTION die()");
	record_all(attempts);
	ok = count_ok(attempts);
	assert_int_not_equal(OK, attempts[7].err);
	for (unsigned i = 0; i < ALL; i++)
		if (attempts[i].err != OK) {
			assert_int_equal(ERR_BUSY, attempts[i].err);
			assert_string_equal("database-unreachable", attempts[i].code);
		}
	assert_int_equal(ok, database_count(ATTEMPTS_WHOLE));
	assert_int_equal(ok, database_count("SELECT count(*) FROM device"));
	assert_true(ok >= ALL - 3 * COMPANY_MAX);
	free_all(attempts);
}

/* What the batch's statements say must be what those of one record say, refusal by refusal. */
static void refusals_are_those_of_a_record_alone(void **state)
{
	struct attempt attempts[ALL];

	name_all(*state, attempts);
	for (unsigned i = 0; i < ALL; i++)
		attempt_lookup(&attempts[i]);
	attempts[2].trust_class = "allow-list";
	database_do(
		"INSERT INTO ek_allowed (ek_digest, host, source, added_at, added_by, why)"
		" VALUES (sha256('another'), 'web-4.example.org', 'test', now(), 'test', 'test')");
	for (unsigned i = 0; i < ALL; i++)
		attempts[i].certificates_n = 1 + i % 3;
	record_all(attempts);

	for (unsigned i = 0; i < ALL; i++) {
		assert_int_equal(i == 2 || i == 4 ? ERR_CONFLICT : OK, attempts[i].err);
		if (attempts[i].err != OK)
			assert_string_equal("database-moved", attempts[i].code);
	}
	assert_int_equal(ALL - 2, database_count("SELECT count(*) FROM device"));
	assert_int_equal(database_count("SELECT sum(cardinality(serials)) FROM ticket"),
		database_count("SELECT count(*) FROM certificate"));
	assert_int_equal(
		0, database_count("SELECT count(*) FROM ticket WHERE serials <> ARRAY(SELECT"
				  " serial::bytea FROM certificate WHERE certificate.device_id = "
				  "ticket.device_id"
				  " ORDER BY place)"));
	free_all(attempts);
}

/* All that records write. Numbers that count are other ones: that they fit is ATTEMPTS_WHOLE's to say. */
static char *all_rows(void)
{
	static const char *const tables[] = {"device", "device_label", "ek", "host", "ak",
		"certificate", "ticket", "pending", "crl_shard", "audit"};
	AUTO(buf_free) struct buf sql = BUF(4096);

	buf_str(&sql, "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (SELECT '' AS line");
	for (size_t i = 0; i < COUNT(tables); i++)
		buf_fmt(&sql,
			" UNION ALL SELECT '%s ' || (to_jsonb(t) - 'id' - 'binding')::text FROM %s "
			"AS t",
			tables[i], tables[i]);
	buf_str(&sql, ") AS lines");
	return database_text(buf_text(&sql));
}

/* Everything that may be so or so with a new device, each with one of a batch. */
static void vary(struct attempt attempts[static COMPANY_MAX], const uint8_t *issuer)
{
	attempts[1].is_unnamed = attempts[1].is_bare = true;
	attempts[2].trust_class = "allow-list";
	attempts[3].issuer = issuer;
	attempts[3].certificates_n = 3;
	attempts[3].crl_places = 3;
	attempts[4].kind = "ssh-host";
	attempts[4].issuer = issuer;
	attempts[4].certificates_n = ENROLLMENT_CERTIFICATES;
	attempts[5].issuer = issuer;
	attempts[5].crl_places = 1;
	attempts[6].host_alias = true;
	attempts[7].now = NOW + 7;
	attempts[7].trust_class = "operator-import";
}

static void begin_anew(void)
{
	database_do("ALTER TABLE audit DISABLE TRIGGER audit_append_only;"
		    "TRUNCATE device, ticket, pending, crl_shard, ek_allowed, audit CASCADE;"
		    "ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_append_only");
	database_do("INSERT INTO ek_allowed (ek_digest, labels, source, added_at, added_by, why)"
		    " VALUES (sha256('ek 2'), '{\"rack\": \"7\", \"row\": \"b\"}', 's', "
		    "to_timestamp(1), 'w', 'y')");
	database_do(
		"INSERT INTO pending (attempt_id, ek_digest, ek_public, ak_name, host, code,"
		" sentence, first_at, last_at, state, decided_at, decided_by)"
		" SELECT substr(sha256(convert_to(ek || state, 'UTF8')), 1, 16),"
		"  sha256(convert_to(ek, 'UTF8')), '\\x000102', '\\x00', state || '.example.org',"
		"  'ek-untrusted', 's', to_timestamp(1), to_timestamp(1), state,"
		"  CASE WHEN state <> 'held' THEN to_timestamp(1) END,"
		"  CASE WHEN state <> 'held' THEN 'w' END"
		" FROM unnest(ARRAY['ek 0', 'ek 6', 'ek 99']) AS ek,"
		"  unnest(ARRAY['held', 'accepted', 'rejected']) AS state");
}

static void a_batch_writes_what_its_records_write_alone(void **state)
{
	AUTO(mem_free) char *alone = NULL;
	AUTO(mem_free) char *together = NULL;
	struct attempt attempts[COMPANY_MAX], *all[COMPANY_MAX];
	uint8_t issuer[DIGEST_SIZE];

	assert_int_equal(OK, sha256(&(struct view){(const uint8_t *)"issuer", 6}, 1, issuer));
	database_do("INSERT INTO crl_plan VALUES (0, 0, 3, 'http://crl.example.org/')");
	begin_anew();
	for (unsigned i = 0; i < COMPANY_MAX; i++) {
		static char names[COMPANY_MAX][32];

		snprintf(names[i], sizeof(names[i]), "web-%u.example.org", i);
		attempts[i] = attempt_of(*state, i, names[i]);
		all[i] = &attempts[i];
	}
	vary(attempts, issuer);
	for (unsigned i = 0; i < COMPANY_MAX; i++)
		attempt_lookup(all[i]);
	for (unsigned i = 0; i < COMPANY_MAX; i++)
		assert_int_equal(OK, attempt_record(all[i]));
	alone = all_rows();
	assert_int_equal(7, database_count("SELECT count(*) FROM pending"));
	assert_int_equal(2, database_count("SELECT count(*) FROM crl_shard"));
	begin_anew();
	assert_int_equal(OK, attempts_record(all, COMPANY_MAX));
	together = all_rows();
	assert_string_equal(alone, together);
	assert_int_equal(COMPANY_MAX - 2, database_count(ATTEMPTS_WHOLE));
	for (unsigned i = 0; i < COMPANY_MAX; i++)
		enrollment_facts_free(&attempts[i].facts);
}

static void a_batch_is_lost_when_a_certificate_ends_before_it_begins(void **state)
{
	struct attempt a = attempt_of(*state, 0, "a.example.org");
	struct attempt b = attempt_of(*state, 1, "b.example.org");
	struct attempt *const all[] = {&a, &b};

	b.is_over = true;
	attempt_lookup(&a);
	attempt_lookup(&b);
	assert_int_equal(ERR_INTERNAL, attempts_record(all, COUNT(all)));
	assert_int_equal(ERR_INTERNAL, attempt_record(&b));
	assert_int_equal(0, database_count("SELECT count(*) FROM device"));
	b.is_over = false;
	assert_int_equal(OK, attempts_record(all, COUNT(all)));
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

#define ISSUER "sha256('issuer')"

/* What happens between the two trips of the second of three; nothing else is wrong with the batch. */
static const struct {
	const char *class, *before, *between;
	bool learns;
} moves[] = {
	{NULL, NULL, NULL, false},
	{NULL, "", "UPDATE ek_allowed SET host = 'other.example.org'", false},
	{NULL, NULL,
		"INSERT INTO ek_allowed (ek_digest, host, source, added_at, added_by, why)"
		" VALUES (sha256('other'), 'b.example.org', 's', now(), 'w', 'y')",
		false},
	{NULL, "b.example.org", "UPDATE ek_allowed SET host = NULL", true},
	{"allow-list", NULL, "SELECT 1", false}, /* nothing moves: it never was on it */
	{NULL, "", "UPDATE ek_allowed SET labels = '{\"rack\": \"8\"}'", false},
	{NULL, NULL,
		"INSERT INTO ek_allowed (ek_digest, labels, source, added_at, added_by, why)"
		" VALUES (sha256('ek 1'), '{\"rack\": \"7\"}', 's', now(), 'w', 'y')",
		false},
	{NULL, NULL,
		"INSERT INTO pending_ticket VALUES"
		" (decode(repeat('05', 32), 'hex'), 'sixteen octets..', now())",
		false},
	{NULL, NULL,
		"INSERT INTO host_barred VALUES ('b.example.org', now(), 'unspecified', 'y', 'w')",
		false},
	{NULL, NULL,
		"UPDATE issuer SET revoked_at = now(), revocation_reason = 'cACompromise',"
		" revoked_by = 'w', revoked_why = 'y'",
		false},
};

static void allow(const char *host)
{
	AUTO(buf_free) struct buf sql = BUF(1024);

	buf_fmt(&sql,
		"INSERT INTO ek_allowed (ek_digest, host, labels, source, added_at, added_by, why)"
		" VALUES (sha256('ek 1'), nullif('%s', ''), '{\"rack\": \"7\"}', 's', now(), 'w', "
		"'y')",
		host);
	database_do(buf_text(&sql));
}

/* A clause of the batch's own statements each: who is alone has his in enrollment.c. */
static void a_batch_is_lost_when_what_one_of_it_stands_on_goes(void **state)
{
	uint8_t issuer[DIGEST_SIZE];

	assert_int_equal(OK, sha256(&(struct view){(const uint8_t *)"issuer", 6}, 1, issuer));
	for (size_t i = 0; i < COUNT(moves); i++) {
		struct attempt a = attempt_of(*state, 0, "a.example.org");
		struct attempt b = attempt_of(*state, 1, "b.example.org");
		struct attempt c = attempt_of(*state, 2, "c.example.org");
		struct attempt *const all[] = {&a, &b, &c};
		enum err err;

		database_do("TRUNCATE device, ek_allowed, pending, pending_ticket, host_barred,"
			    " issuer, ticket CASCADE");
		database_do("INSERT INTO issuer (issuer_id, kind, certificate, first_at)"
			    " VALUES (" ISSUER ", 'x509', 'der', now())");
		b.issuer = issuer;
		b.trust_class = moves[i].class;
		memset(b.ticket_digest, 5, DIGEST_SIZE);
		if (moves[i].before != NULL)
			allow(moves[i].before);
		if (moves[i].learns)
			b.host = NULL;
		for (size_t k = 0; k < COUNT(all); k++)
			attempt_lookup(all[k]);
		if (moves[i].between != NULL)
			database_do(moves[i].between);
		err = attempts_record(all, COUNT(all));
		if (err != (moves[i].between == NULL ? OK : ERR_CONFLICT))
			fail_msg("%zu: %s", i, moves[i].between);
		assert_int_equal(err == OK ? 3 : 0, database_count("SELECT count(*) FROM device"));
		for (size_t k = 0; k < COUNT(all); k++)
			enrollment_facts_free(&all[k]->facts);
	}
}

/* What is there before a batch whose statements are right about everything else. */
static void a_batch_is_lost_when_a_key_of_one_of_it_is_taken(void **state)
{
	static const char *const taken[] = {"ek", "host", "ak", "ticket", "serial"};

	for (size_t i = 0; i < COUNT(taken); i++) {
		struct attempt first = attempt_of(*state, 7, "first.example.org");
		struct attempt a = attempt_of(*state, 0, "a.example.org");
		struct attempt b = attempt_of(*state, 1, "b.example.org");
		struct attempt *const all[] = {&a, &b};

		database_do("TRUNCATE device, ticket CASCADE");
		attempt_lookup(&a);
		attempt_lookup(&b);
		if (i == 0)
			memcpy(first.ek_digest, b.ek_digest, DIGEST_SIZE);
		else if (i == 1)
			first.host = b.host;
		else if (i == 2)
			memcpy(first.ak_name, b.ak_name, sizeof(first.ak_name));
		else if (i == 3)
			memcpy(first.ticket_digest, b.ticket_digest, DIGEST_SIZE);
		else
			memcpy(first.serial, b.serial, sizeof(first.serial));
		attempt_enroll(&first);
		if (attempts_record(all, COUNT(all)) != ERR_CONFLICT)
			fail_msg("not lost by: %s", taken[i]);
		assert_string_equal("database-moved", why()->code);
		assert_int_equal(1, database_count("SELECT count(*) FROM device"));
		enrollment_facts_free(&first.facts);
		enrollment_facts_free(&a.facts);
		enrollment_facts_free(&b.facts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_batch_writes_what_its_records_write_alone,
			database_migrated, database_close),
		cmocka_unit_test_setup_teardown(
			a_batch_is_lost_when_a_certificate_ends_before_it_begins, database_migrated,
			database_close),
		cmocka_unit_test_setup_teardown(those_who_come_together_share_and_each_gets_his_own,
			database_migrated, database_close),
		cmocka_unit_test_setup_teardown(
			one_that_conflicts_takes_nobody_with_it, database_migrated, database_close),
		cmocka_unit_test_setup_teardown(two_servers_with_the_same_devices_record_each_once,
			database_migrated, database_close),
		cmocka_unit_test_setup_teardown(when_backends_die_nothing_is_there_by_halves,
			database_migrated, database_close),
		cmocka_unit_test_setup_teardown(
			refusals_are_those_of_a_record_alone, database_migrated, database_close),
		cmocka_unit_test_setup_teardown(a_batch_is_lost_when_what_one_of_it_stands_on_goes,
			database_migrated, database_close),
		cmocka_unit_test_setup_teardown(a_batch_is_lost_when_a_key_of_one_of_it_is_taken,
			database_migrated, database_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
