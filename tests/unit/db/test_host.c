#include "attempt.h"
#include "database.h"
#include "db/host.h"

static const struct act admin = {.who = "admin-token",
	.from = "2001:db8::7",
	.reason = "the machine was replaced",
	.request_id = "r-9",
	.now = NOW + 10};

static void a_name_that_is_unbound_is_free_for_the_next_device(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "a.example.org");
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt_enroll(&a);
	assert_int_equal(OK, host_unbind(*state, "a.example.org", &admin, device_id));
	assert_memory_equal(a.new_device_id, device_id, DEVICE_ID_SIZE);
	attempt_enroll(&b);
	attempt_lookup(&a);
	assert_true(a.facts.host_bound && a.facts.ticket_revoked);
	assert_false(a.facts.host_is_ours);
	assert_int_equal(2, a.facts.revision);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void unbinding_is_audited_with_who_and_why(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt_enroll(&a);
	assert_int_equal(OK, host_unbind(*state, "a.example.org", &admin, device_id));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit JOIN device USING (device_id)"
				  " WHERE event = 'host.unbound' AND host = 'a.example.org'"
				  " AND who = 'admin-token' AND detail = 'the machine was replaced'"
				  " AND client_address = '2001:db8::7' AND request_id = 'r-9'"
				  " AND audit.trust_version IS NULL AND policy_version IS NULL"));
	enrollment_facts_free(&a.facts);
}

static void unbinding_a_name_that_nobody_has_is_told_and_not_audited(void **state)
{
	uint8_t device_id[DEVICE_ID_SIZE];

	assert_int_equal(ERR_NOT_FOUND, host_unbind(*state, "a.example.org", &admin, device_id));
	assert_string_equal("host-unknown", why()->code);
	assert_int_equal(0, database_count("SELECT count(*) FROM audit"));
}

static void *unbind(void *of_attempt)
{
	struct attempt *attempt = of_attempt;
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt->err = host_unbind(attempt->db, attempt->host, &admin, device_id);
	return NULL;
}

static void of_eight_admins_who_unbind_a_name_one_did_it(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt admins[8];
	void *arguments[8];
	unsigned done = 0;

	attempt_enroll(&a);
	for (size_t i = 0; i < COUNT(admins); i++) {
		admins[i] = attempt_of(*state, 1, "a.example.org");
		arguments[i] = &admins[i];
	}
	at_once(COUNT(admins), unbind, arguments);
	for (size_t i = 0; i < COUNT(admins); i++) {
		done += admins[i].err == OK;
		assert_true(admins[i].err == OK || admins[i].err == ERR_NOT_FOUND);
	}
	assert_int_equal(1, done);
	assert_int_equal(2, database_count("SELECT revision FROM device"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'host.unbound'"));
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_that_is_unbound_is_free_for_the_next_device),
		TEST(unbinding_is_audited_with_who_and_why),
		TEST(unbinding_a_name_that_nobody_has_is_told_and_not_audited),
		TEST(of_eight_admins_who_unbind_a_name_one_did_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
