#include "asker.h"
#include "ca/base/clock.h"
#include "database.h"

#include <stdio.h>
#include <string.h>

static const struct act admin = {.who = "alice",
	.from = "2001:db8::7",
	.reason = "seen on the line",
	.request_id = "r-9",
	.now = NOW + 10};
static void refuse_to_hold(struct asker *asker, const char *what)
{
	asker_ask(asker);
	assert_int_equal(ERR_LIMITED, asker->err);
	assert_string_equal("pending-limit", why()->code);
	assert_non_null(strstr(why()->sentence, what));
}

static int64_t rows(void)
{
	return database_count("SELECT count(*) FROM pending");
}

static void an_attempt_is_kept_with_its_evidence_and_holds_no_name(void **state)
{
	AUTO(pending_free) struct pending found = {.state = PENDING_REJECTED};
	struct asker a;

	asker_init(&a, *state, 1, "a.example.org");
	asker_hold(&a);
	assert_true(a.out.is_new);
	assert_memory_equal(a.attempt_id, a.out.attempt_id, ATTEMPT_ID_SIZE);
	assert_int_equal(OK, pending_find(*state, a.attempt_id, &found));
	assert_int_equal(PENDING_HELD, found.state);
	assert_memory_equal(a.attempt.ek_digest, found.ek_digest, DIGEST_SIZE);
	assert_true(view_equal(asker_ek_public, buf_view(&found.ek_public)));
	assert_true(view_equal(asker_certificate, buf_view(&found.ek_certificate)));
	assert_int_equal(2, found.chain_n);
	assert_true(view_equal(asker_issuer, buf_view(&found.chain[0])));
	assert_true(view_equal(asker_root, buf_view(&found.chain[1])));
	assert_true(view_equal(VIEW(a.attempt.ak_name), buf_view(&found.ak_name)));
	assert_string_equal("a.example.org", found.host);
	assert_string_equal("id:49465800", found.manufacturer);
	assert_string_equal("SLB 9670", found.model);
	assert_string_equal("id:00070055", found.version);
	assert_string_equal("ek-untrusted", found.code);
	assert_string_equal("no issuer of that name is known", found.sentence);
	assert_string_equal("factory", found.rule);
	assert_string_equal("2001:db8::1", found.client_address);
	assert_true(found.first_at == NOW && found.last_at == NOW && found.asked == 1);
	assert_int_equal(0, found.decided_at);
	assert_string_equal("", found.decided_by);
	assert_int_equal(0, database_count("SELECT count(*) FROM host"));
	assert_int_equal(0, database_count("SELECT count(*) FROM device"));
	assert_int_equal(1,
		database_count("SELECT count(*) FROM audit WHERE event = 'attempt.held'"
			       " AND host = 'a.example.org' AND code = 'ek-untrusted'"
			       " AND ek_digest IS NOT NULL AND who IS NULL AND request_id = 'r-1'"
			       " AND client_address = '2001:db8::1' AND detail LIKE"
			       " 'attempt ________________________________: no issuer of%'"));
}

static void one_without_certificate_and_name_is_kept_too(void **state)
{
	AUTO(pending_free) struct pending found = {.state = PENDING_REJECTED};
	struct asker a;

	asker_init(&a, *state, 1, NULL);
	a.record.ek_certificate = (struct view){NULL, 0};
	a.record.chain_n = 0;
	a.record.manufacturer = a.record.model = a.record.version = NULL;
	asker_hold(&a);
	asker_anew(&a);
	asker_hold(&a);
	assert_false(a.out.is_new);
	assert_int_equal(OK, pending_find(*state, a.out.attempt_id, &found));
	assert_int_equal(0, found.ek_certificate.n + found.chain_n);
	assert_string_equal("", found.host);
	assert_string_equal("", found.manufacturer);
	assert_int_equal(2, found.asked);
}

static void the_same_ek_and_name_are_one_attempt_with_the_latest_evidence(void **state)
{
	AUTO(pending_free) struct pending found = {.state = PENDING_REJECTED};
	struct asker a;
	uint8_t first[ATTEMPT_ID_SIZE];

	asker_init(&a, *state, 1, "a.example.org");
	asker_hold(&a);
	memcpy(first, a.out.attempt_id, sizeof(first));
	asker_anew(&a);
	attempt_use_ak(&a.attempt, 77);
	a.record.now += 60;
	a.record.chain_n = 1;
	a.record.client_address = "2001:db8::2";
	asker_hold(&a);
	assert_false(a.out.is_new);
	assert_memory_equal(first, a.out.attempt_id, sizeof(first));
	assert_int_equal(1, rows());
	assert_int_equal(OK, pending_find(*state, first, &found));
	assert_true(found.first_at == NOW && found.last_at == NOW + 60 && found.asked == 2);
	assert_true(view_equal(VIEW(a.attempt.ak_name), buf_view(&found.ak_name)));
	assert_int_equal(1, found.chain_n);
	assert_string_equal("2001:db8::2", found.client_address);
	assert_int_equal(1, database_count("SELECT count(*) FROM audit"));
	assert_int_equal(2, database_count("SELECT count(*) FROM pending_ticket"));
}

static void a_held_ticket_enrolls_nothing_also_after_the_attempt_is_accepted(void **state)
{
	struct asker a;

	asker_init(&a, *state, 1, "a.example.org");
	asker_hold(&a);
	assert_int_equal(OK, pending_decide(*state, a.out.attempt_id, PENDING_ACCEPTED, &admin));
	attempt_lookup(&a.attempt);
	assert_true(a.attempt.facts.ticket_held && a.attempt.facts.attempt_accepted);
	a.attempt.trust_class = "approved";
	assert_int_equal(ERR_CONFLICT, attempt_record(&a.attempt));
	asker_anew(&a);
	attempt_enroll(&a.attempt);
	enrollment_facts_free(&a.attempt.facts);
}

static void a_ticket_that_enrolled_is_not_held(void **state)
{
	struct asker a;

	asker_init(&a, *state, 1, "a.example.org");
	attempt_enroll(&a.attempt);
	asker_ask(&a);
	assert_int_equal(ERR_CONFLICT, a.err);
	assert_string_equal("database-moved", why()->code);
	assert_int_equal(0, rows());
	enrollment_facts_free(&a.attempt.facts);
}

/* Each limit is the only one that is reached; the one in front of it has room for one more. */
static void each_limit_is_named_and_a_known_attempt_meets_none(void **state)
{
	struct asker a, b;

	asker_init(&a, *state, 1, "a.example.org");
	asker_hold(&a);
	asker_init(&b, *state, 1, "b.example.org");
	attempt_use_ak(&b.attempt, 77);
	b.record.source = "2001:db8:0:2::";
	b.limits.per_ek = 1;
	refuse_to_hold(&b, "1 attempts of this EK");
	attempt_use_ek(&b.attempt, 2);
	asker_hold(&b);

	asker_init(&b, *state, 3, "c.example.org");
	attempt_use_ak(&b.attempt, 1);
	b.record.source = "2001:db8:0:3::";
	b.limits.per_ek = 1;
	refuse_to_hold(&b, "1 attempts of this AK");

	asker_init(&b, *state, 3, "c.example.org");
	b.limits.per_address = 1;
	refuse_to_hold(&b, "1 attempts from this address");
	b.record.source = NULL;
	b.limits.attempts = 2;
	refuse_to_hold(&b, "2 attempts in all");
	assert_int_equal(2, rows());
	assert_int_equal(2, database_count("SELECT count(*) FROM pending_ticket"));

	asker_anew(&a);
	a.limits = (struct pending_limits){0, 0, 0, 0};
	asker_hold(&a);
	assert_false(a.out.is_new);
}

static void the_limit_of_the_ek_is_looked_at_before_the_address_and_the_whole(void **state)
{
	struct asker a;

	asker_init(&a, *state, 1, "a.example.org");
	a.limits = (struct pending_limits){0, 0, 0, 0};
	refuse_to_hold(&a, "of this EK");
	a.limits.per_ek = 1;
	refuse_to_hold(&a, "from this address");
	a.limits.per_address = 1;
	refuse_to_hold(&a, "in all");
	a.limits.attempts = 1;
	asker_hold(&a);
}

static void an_exempt_address_and_what_is_decided_count_for_nothing(void **state)
{
	struct asker a;

	for (unsigned i = 0; i < 3; i++) {
		asker_init(&a, *state, i, "a.example.org");
		a.limits.per_address = 1;
		a.record.source = i < 2 ? NULL : a.record.source;
		asker_hold(&a);
	}
	database_do("UPDATE pending SET state = 'rejected', decided_at = now(), decided_by = 'w'");
	asker_init(&a, *state, 2, "b.example.org");
	a.limits = (struct pending_limits){1, 1, 1, 7};
	asker_hold(&a);
	assert_int_equal(4, rows());
}

static void what_was_decided_keeps_its_state_and_evidence(void **state)
{
	AUTO(pending_free) struct pending found = {.state = PENDING_HELD};
	struct asker a;

	asker_init(&a, *state, 1, "a.example.org");
	asker_hold(&a);
	assert_int_equal(OK, pending_decide(*state, a.out.attempt_id, PENDING_REJECTED, &admin));
	asker_anew(&a);
	a.record.chain_n = 0;
	a.record.now++;
	asker_hold(&a);
	assert_false(a.out.is_new);
	assert_int_equal(OK, pending_find(*state, a.out.attempt_id, &found));
	assert_int_equal(PENDING_REJECTED, found.state);
	assert_int_equal(2, found.chain_n);
	assert_true(found.asked == 2 && found.last_at == NOW + 1);
}

static void a_decision_is_recorded_with_who_and_why_and_can_be_turned(void **state)
{
	AUTO(pending_free) struct pending found = {.state = PENDING_HELD};
	struct asker a;

	asker_init(&a, *state, 1, "a.example.org");
	asker_hold(&a);
	assert_int_equal(OK, pending_decide(*state, a.out.attempt_id, PENDING_ACCEPTED, &admin));
	assert_int_equal(OK, pending_find(*state, a.out.attempt_id, &found));
	assert_int_equal(PENDING_ACCEPTED, found.state);
	assert_int_equal(NOW + 10, found.decided_at);
	assert_string_equal("alice", found.decided_by);
	assert_string_equal("seen on the line", found.why);
	assert_int_equal(
		ERR_CONFLICT, pending_decide(*state, a.out.attempt_id, PENDING_ACCEPTED, &admin));
	assert_string_equal("attempt-decided", why()->code);
	assert_int_equal(OK, pending_decide(*state, a.out.attempt_id, PENDING_REJECTED, &admin));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM pending WHERE state = 'rejected'"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'attempt.accepted'"
				  " AND host = 'a.example.org' AND ek_digest IS NOT NULL"
				  " AND who = 'alice' AND client_address = '2001:db8::7'"
				  " AND request_id = 'r-9' AND detail LIKE"
				  " 'attempt ________________________________: seen on the line'"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'attempt.rejected'"));
}

static void an_attempt_that_is_not_there_is_told(void **state)
{
	AUTO(pending_free) struct pending found = {.state = PENDING_HELD};
	const uint8_t id[ATTEMPT_ID_SIZE] = {1};

	assert_int_equal(ERR_NOT_FOUND, pending_find(*state, id, &found));
	assert_string_equal("attempt-unknown", why()->code);
	assert_int_equal(ERR_NOT_FOUND, pending_decide(*state, id, PENDING_ACCEPTED, &admin));
	assert_string_equal("attempt-unknown", why()->code);
	assert_int_equal(0, database_count("SELECT count(*) FROM audit"));
}

static void a_list_has_those_that_asked_last_first(void **state)
{
	AUTO(pending_page_free) struct pending_page all = {.n = 0}, some = {.n = 0};
	AUTO(pending_page_free) struct pending_page accepted = {.n = 0};
	struct asker a;
	char host[32];

	for (unsigned i = 0; i < 5; i++) {
		snprintf(host, sizeof(host), "h%u.example.org", i);
		asker_init(&a, *state, i, host);
		a.record.now += i;
		asker_hold(&a);
	}
	assert_int_equal(OK, pending_decide(*state, a.out.attempt_id, PENDING_ACCEPTED, &admin));
	assert_int_equal(OK, pending_list(*state, -1, 5, &all));
	assert_true(all.n == 5 && !all.more);
	assert_string_equal("h4.example.org", all.items[0].host);
	assert_string_equal("h0.example.org", all.items[4].host);
	assert_int_equal(OK, pending_list(*state, PENDING_HELD, 3, &some));
	assert_true(some.n == 3 && some.more);
	assert_string_equal("h3.example.org", some.items[0].host);
	assert_int_equal(OK, pending_list(*state, PENDING_ACCEPTED, 3, &accepted));
	assert_true(accepted.n == 1 && !accepted.more);
}

static void what_nobody_decides_goes_and_what_was_decided_stays(void **state)
{
	struct asker a;

	for (unsigned i = 0; i < 3; i++) {
		asker_init(&a, *state, i, "a.example.org");
		a.record.now = clock_now();
		asker_hold(&a);
	}
	assert_int_equal(OK, pending_decide(*state, a.out.attempt_id, PENDING_ACCEPTED, &admin));
	assert_int_equal(OK, pending_purge(*state, 7));
	assert_int_equal(3, rows());
	assert_int_equal(3, database_count("SELECT count(*) FROM pending_ticket"));
	database_do("UPDATE pending SET first_at = first_at - interval '7 days';"
		    "UPDATE pending_ticket SET at = at - interval '1 hour'");
	assert_int_equal(OK, pending_purge(*state, 7));
	assert_int_equal(1, rows());
	assert_int_equal(0, database_count("SELECT count(*) FROM pending_ticket"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_attempt_is_kept_with_its_evidence_and_holds_no_name),
		TEST(one_without_certificate_and_name_is_kept_too),
		TEST(the_same_ek_and_name_are_one_attempt_with_the_latest_evidence),
		TEST(a_held_ticket_enrolls_nothing_also_after_the_attempt_is_accepted),
		TEST(a_ticket_that_enrolled_is_not_held),
		TEST(each_limit_is_named_and_a_known_attempt_meets_none),
		TEST(the_limit_of_the_ek_is_looked_at_before_the_address_and_the_whole),
		TEST(an_exempt_address_and_what_is_decided_count_for_nothing),
		TEST(what_was_decided_keeps_its_state_and_evidence),
		TEST(a_decision_is_recorded_with_who_and_why_and_can_be_turned),
		TEST(an_attempt_that_is_not_there_is_told),
		TEST(a_list_has_those_that_asked_last_first),
		TEST(what_nobody_decides_goes_and_what_was_decided_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
