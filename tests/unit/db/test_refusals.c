#include "attempt.h"
#include "database.h"
#include "db/refusals.h"

#include "ca/base/crypt.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

static void refuse_as(struct db *db, const char *host, const char *code, int64_t now)
{
	uint8_t ticket[DIGEST_SIZE];
	const struct refusal_record refusal = {.event = "enroll.refused",
		.ticket_digest = ticket,
		.host = host,
		.code = code,
		.sentence = "because",
		.request_id = "r-1",
		.client_address = "2001:db8::1",
		.now = now};

	assert_int_equal(OK, random_bytes(ticket, sizeof(ticket)));
	assert_int_equal(OK, enrollment_refused(db, &refusal));
}

static struct refusal_query forwards(int64_t from)
{
	return (struct refusal_query){.from = from, .limit = 100};
}

static struct refusal_query backwards(void)
{
	return (struct refusal_query){.backwards = true, .from = REFUSAL_LAST, .limit = 100};
}

static void read_page(struct db *db, const struct refusal_query *query, struct refusal_page *page)
{
	if (refusals_read(db, query, page) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
}

static size_t count(struct db *db, const struct refusal_query *query)
{
	AUTO(refusal_page_free) struct refusal_page page;

	read_page(db, query, &page);
	return page.n;
}

static void of_an_empty_audit_there_is_nothing_to_read(void **state)
{
	const struct refusal_query both[] = {forwards(REFUSAL_FIRST), backwards()};

	for (size_t i = 0; i < COUNT(both); i++) {
		AUTO(refusal_page_free) struct refusal_page page;

		read_page(*state, &both[i], &page);
		assert_int_equal(0, page.n);
		assert_false(page.more);
		assert_int_equal(both[i].from, page.next);
		assert_int_equal(0, page.horizon.id);
	}
}

static void a_refusal_is_told_with_all_that_was_kept_of_it(void **state)
{
	AUTO(refusal_page_free) struct refusal_page page;
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	const struct refusal_query query = forwards(REFUSAL_FIRST);
	struct refusal_record refusal = {.event = "enroll.refused",
		.ticket_digest = a.ticket_digest,
		.ek_digest = a.ek_digest,
		.host = "b.example.org",
		.code = "name-not-allowed",
		.sentence = "no rule",
		.request_id = "r-9",
		.client_address = "::1",
		.now = NOW};

	attempt_enroll(&a); /* its row in the audit is no refusal */
	attempt_anew(&a);
	assert_int_equal(OK, enrollment_refused(*state, &refusal));
	read_page(*state, &query, &page);
	assert_int_equal(1, page.n);
	assert_int_equal(NOW, page.items[0].at);
	assert_string_equal("b.example.org", page.items[0].host);
	assert_int_equal(32, strlen(page.items[0].device_id));
	assert_string_equal("name-not-allowed", page.items[0].code);
	assert_string_equal("no rule", page.items[0].sentence);
	assert_string_equal("::1", page.items[0].from);
	assert_string_equal("r-9", page.items[0].request_id);
	assert_int_equal(page.items[0].id, page.next);
	assert_int_equal(page.items[0].id, page.horizon.id);
	enrollment_facts_free(&a.facts);
}

static void pages_follow_each_other_without_gap_or_twin_in_both_directions(void **state)
{
	struct refusal_query ways[] = {forwards(REFUSAL_FIRST), backwards()};

	for (int i = 0; i < 25; i++) {
		char host[32];

		snprintf(host, sizeof(host), "h-%d.example.org", i);
		refuse_as(*state, host, "ek-untrusted", NOW + i);
	}
	for (size_t w = 0; w < COUNT(ways); w++) {
		int seen = 0;
		bool more = true;

		ways[w].limit = 10;
		while (more) {
			AUTO(refusal_page_free) struct refusal_page page;

			read_page(*state, &ways[w], &page);
			for (size_t i = 0; i < page.n; i++, seen++)
				assert_int_equal(
					w == 0 ? NOW + seen : NOW + 24 - seen, page.items[i].at);
			ways[w].from = page.next;
			more = page.more;
		}
		assert_int_equal(25, seen);
	}
}

static void reason_and_time_pick_rows(void **state)
{
	struct refusal_query query = forwards(REFUSAL_FIRST);

	refuse_as(*state, "a.example.org", "ek-untrusted", NOW);
	refuse_as(*state, "a.example.org", "ek-expired", NOW + 1000);
	query.code = "ek-expired";
	assert_int_equal(1, count(*state, &query));
	query.code = "ek-";
	assert_int_equal(0, count(*state, &query));
	query.code = NULL;
	query.since = NOW + 1000;
	assert_int_equal(1, count(*state, &query));
	query.since = NOW + 1001;
	assert_int_equal(0, count(*state, &query));
}

static void a_pattern_means_its_stars_and_nothing_else(void **state)
{
	static const struct {
		const char *pattern;
		size_t rows;
	} rows[] = {
		{"web-1.example.org", 1},
		{"WEB-1.Example.ORG", 1},
		{"web-*", 2},
		{"*.example.org", 3},
		{"*", 4},
		{"*1*", 2},
		{"web", 0},
		{"", 0},
		{"%", 0},
		{"web-_.example.org", 0},
		{"web__1.example.org", 0},
		{"\\*", 0},
		{"a\\b", 0},
		{"100%_\\", 1},
		{"*%*", 1},
		{"x' OR '1'='1", 0},
		{"'; DROP TABLE audit; --", 0},
	};

	refuse_as(*state, "web-1.example.org", "ek-untrusted", NOW);
	refuse_as(*state, "web-2.example.org", "ek-untrusted", NOW);
	refuse_as(*state, "db.example.org", "ek-untrusted", NOW);
	refuse_as(*state, "100%_\\", "host-name", NOW);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct refusal_query query = forwards(REFUSAL_FIRST);
		size_t found;

		query.host = rows[i].pattern;
		found = count(*state, &query);
		if (found != rows[i].rows)
			fail_msg("\"%s\": %zu rows, wanted %zu", rows[i].pattern, found,
				rows[i].rows);
	}
	assert_int_equal(4, database_count("SELECT count(*) FROM audit"));
}

static PGconn *begin(void)
{
	PGconn *connection = PQconnectdb(database_conninfo());

	PQclear(PQexec(connection, "BEGIN"));
	PQclear(PQexec(connection,
		"WITH first AS (INSERT INTO refusal VALUES (sha256('late'), now()) RETURNING 1)"
		" INSERT INTO audit (at, event, host, code) SELECT to_timestamp(1800000000),"
		" 'enroll.refused', 'late.example.org', 'ek-expired' WHERE EXISTS (SELECT FROM "
		"first)"));
	assert_int_equal(PQTRANS_INTRANS, PQtransactionStatus(connection));
	return connection;
}

/* What --follow stands on: until the horizon has settled, an older id may still come to light. */
static void a_row_that_commits_late_lies_beyond_what_has_settled(void **state)
{
	AUTO(refusal_page_free) struct refusal_page first, second, third;
	const struct refusal_query query = forwards(REFUSAL_FIRST);
	PGconn *late = begin();

	refuse_as(*state, "early.example.org", "ek-expired", NOW);
	read_page(*state, &query, &first);
	assert_int_equal(1, first.n);
	assert_string_equal("early.example.org", first.items[0].host);
	assert_int_equal(first.items[0].id, first.horizon.id);
	read_page(*state, &query, &second);
	assert_true(second.oldest_xid < first.horizon.xid); /* not settled: somebody is at work */
	PQclear(PQexec(late, "COMMIT"));
	PQfinish(late);
	read_page(*state, &query, &third);
	assert_true(third.oldest_xid >= first.horizon.xid);
	assert_int_equal(2, third.n);
	assert_string_equal("late.example.org", third.items[0].host);
	assert_true(third.items[0].id < first.horizon.id);
}

static void among_two_hundred_thousand_rows_a_page_reads_only_its_stretch(void **state)
{
	AUTO(refusal_page_free) struct refusal_page page;
	struct refusal_query query = forwards(REFUSAL_FIRST);
	AUTO(mem_free) char *plan = NULL;

	database_do(
		"INSERT INTO audit (at, event, host, code)"
		" SELECT to_timestamp(1800000000 + i), CASE WHEN i % 2 = 0 THEN 'enroll.refused'"
		" ELSE 'enroll.issued' END, 'h-' || i || '.example.org', 'ek-expired'"
		" FROM generate_series(1, 200000) AS i");
	query.host = "h-200000.example.org";
	read_page(*state, &query, &page);
	assert_int_equal(0, page.n);
	assert_true(page.more);
	assert_int_equal(2 * REFUSALS_STRETCH, page.next);
	/* The plan of the product's own shape of condition, without table scan and without sort. */
	plan = database_text("SET enable_seqscan = off; SET enable_bitmapscan = off;"
			     "SET plan_cache_mode = force_generic_plan;"
			     "PREPARE s (bigint) AS SELECT * FROM audit WHERE event IN "
			     "('enroll.refused', 'renew.refused') AND id > $1 ORDER BY id LIMIT "
			     "5000;"
			     "EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE s (100000)");
	assert_non_null(strstr(plan, "\"audit_refusal\""));
	assert_null(strstr(plan, "Seq Scan"));
	assert_null(strstr(plan, "Sort"));
	query = backwards();
	query.host = "h-199998.example.org";
	query.limit = 1;
	refusal_page_free(&page);
	read_page(*state, &query, &page);
	assert_int_equal(1, page.n);
}

static void going_back_ends_where_everything_is_too_old(void **state)
{
	AUTO(refusal_page_free) struct refusal_page page;
	struct refusal_query query = backwards();

	database_do("INSERT INTO audit (at, event, host, code)"
		    " SELECT to_timestamp(1800000000 + i), 'enroll.refused', 'h.example.org', "
		    "'ek-expired' FROM generate_series(1, 12000) AS i");
	query.since = 1800000000 + 11990;
	read_page(*state, &query, &page);
	assert_int_equal(11, page.n);
	assert_false(page.more);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_an_empty_audit_there_is_nothing_to_read),
		TEST(a_refusal_is_told_with_all_that_was_kept_of_it),
		TEST(pages_follow_each_other_without_gap_or_twin_in_both_directions),
		TEST(reason_and_time_pick_rows),
		TEST(a_pattern_means_its_stars_and_nothing_else),
		TEST(a_row_that_commits_late_lies_beyond_what_has_settled),
		TEST(among_two_hundred_thousand_rows_a_page_reads_only_its_stretch),
		TEST(going_back_ends_where_everything_is_too_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
