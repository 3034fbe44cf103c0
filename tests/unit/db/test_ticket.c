#include "attempt.h"
#include "database.h"

#include "ca/base/clock.h"
#include "db/ticket.h"

static void only_tickets_older_than_asked_for_are_purged(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.now = clock_now();
	attempt_enroll(&a);
	assert_int_equal(OK, ticket_purge(*state, 3600));
	attempt_lookup(&a);
	assert_true(a.facts.ticket_used);
	database_do("UPDATE ticket SET used_at = used_at - interval '1 hour'");
	assert_int_equal(OK, ticket_purge(*state, 3600));
	attempt_lookup(&a);
	assert_false(a.facts.ticket_used);
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate"));
	enrollment_facts_free(&a.facts);
}

static void *purge(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	attempt->err = ticket_purge(attempt->db, 3600);
	return NULL;
}

static void servers_that_purge_at_once_do_not_mind_each_other(void **state)
{
	struct attempt servers[4];
	void *arguments[4];
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	database_do("UPDATE ticket SET used_at = now() - interval '2 hours'");
	database_do("INSERT INTO ticket SELECT sha256(i::text::bytea), request_digest, device_id,"
		    " host, ak_name, serials, used_at FROM ticket, generate_series(1, 12000) i");
	for (size_t i = 0; i < COUNT(servers); i++) {
		servers[i] = a;
		arguments[i] = &servers[i];
	}
	at_once(COUNT(servers), purge, arguments);
	for (size_t i = 0; i < COUNT(servers); i++)
		assert_int_equal(OK, servers[i].err);
	assert_int_equal(OK, ticket_purge(*state, 3600));
	assert_int_equal(0, database_count("SELECT count(*) FROM ticket"));
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_tickets_older_than_asked_for_are_purged),
		TEST(servers_that_purge_at_once_do_not_mind_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
