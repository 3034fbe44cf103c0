#include "attempt.h"
#include "database.h"
#include "db/labels.h"
#include "db/rebind.h"

#include <stdio.h>
#include <string.h>

static const struct act admin = {.who = "alice",
	.from = "2001:db8::7",
	.reason = "board swapped",
	.request_id = "r-9",
	.now = NOW + 10};

static void a_name_goes_on_with_another_tpm_in_one_act(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "a.example.org");
	struct rebound rebound;

	a.certificates_n = 2;
	attempt_enroll(&a);
	database_do("UPDATE device SET labels = '{\"rack\": \"7\"}'");
	assert_int_equal(OK, host_rebind(*state, "a.example.org", b.ek_digest, &admin, &rebound));
	assert_memory_equal(a.new_device_id, rebound.device_id, DEVICE_ID_SIZE);
	assert_int_equal(2, rebound.revoked);
	assert_int_equal(0, database_count("SELECT count(*) FROM host"));
	assert_int_equal(
		2, database_count("SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL"
				  " AND revocation_reason = 'superseded'"));
	assert_int_equal(3, database_count("SELECT revision FROM device") + 1);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM ek_allowed WHERE added_by = 'alice'"
				  " AND host = 'a.example.org' AND labels = '{\"rack\": \"7\"}'"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'host.rebound'"
				  " AND who = 'alice' AND detail = 'board swapped'"
				  " AND host = 'a.example.org' AND ek_digest IS NOT NULL"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE cardinality(serials) = 2"
				  " AND event = 'certificate.revoked' AND who = 'alice'"));
	/* The revocation is to be published. */
	assert_true(database_count("SELECT revision FROM revocation") > 1);
	attempt_enroll(&b);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM host JOIN device USING (device_id)"
				  " WHERE name = 'a.example.org' AND labels ->> 'rack' = '7'"));
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void certificates_of_other_names_and_ended_ones_stay(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt alias = attempt_of(*state, 1, "b.example.org");
	struct attempt b = attempt_of(*state, 2, NULL);
	struct rebound rebound;

	attempt_enroll(&a);
	alias.host_alias = true;
	attempt_enroll(&alias);
	assert_int_equal(OK, host_rebind(*state, "a.example.org", b.ek_digest, &admin, &rebound));
	assert_int_equal(1, rebound.revoked);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM certificate WHERE revoked_at IS NULL"
				  " AND host = 'b.example.org'"));
	assert_int_equal(1, database_count("SELECT count(*) FROM host"));
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&alias.facts);
}

static void what_cannot_be_rebound_is_told_and_changes_nothing(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");
	struct attempt c = attempt_of(*state, 3, NULL);
	const struct {
		const char *host;
		const uint8_t *ek;
		enum err err;
		const char *code;
	} rows[] = {
		{"free.example.org", c.ek_digest, ERR_NOT_FOUND, "host-unknown"},
		{"a.example.org", a.ek_digest, ERR_CONFLICT, "rebind-same-device"},
		{"a.example.org", b.ek_digest, ERR_CONFLICT, "rebind-ek-bound"},
		{"a.example.org", c.ek_digest, ERR_CONFLICT, "rebind-ek-registered"},
	};
	int64_t audited;

	attempt_enroll(&a);
	attempt_enroll(&b);
	database_do("INSERT INTO ek_allowed (ek_digest, host, source, added_at, added_by, why)"
		    " VALUES (sha256('ek 3'), 'c.example.org', 't', now(), 't', 't')");
	audited = database_count("SELECT count(*) FROM audit");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rebound rebound;

		assert_int_equal(rows[i].err,
			host_rebind(*state, rows[i].host, rows[i].ek, &admin, &rebound));
		assert_string_equal(rows[i].code, why()->code);
	}
	assert_int_equal(audited, database_count("SELECT count(*) FROM audit"));
	assert_int_equal(2, database_count("SELECT count(*) FROM host"));
	assert_int_equal(
		0, database_count("SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL"));
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void the_old_registration_of_the_name_goes(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, NULL);
	struct rebound rebound;

	database_do("INSERT INTO ek_allowed (ek_digest, host, source, added_at, added_by, why)"
		    " VALUES (sha256('ek 1'), 'a.example.org', 't', now(), 't', 't'),"
		    " (sha256('ek 2'), NULL, 't', now(), 't', 't')");
	attempt_enroll(&a);
	assert_int_equal(OK, host_rebind(*state, "a.example.org", b.ek_digest, &admin, &rebound));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM ek_allowed WHERE host = 'a.example.org'"
				  " AND ek_digest = sha256('ek 2')"));
	assert_int_equal(1, database_count("SELECT count(*) FROM ek_allowed"));
	enrollment_facts_free(&a.facts);
}

static void *rebind_once(void *of_attempt)
{
	struct attempt *attempt = of_attempt;
	struct rebound rebound;

	attempt->err =
		host_rebind(attempt->db, attempt->host, attempt->ek_digest, &admin, &rebound);
	return NULL;
}

/* The others find the name gone, or, where the same TPM is meant, nobody who has it. */
static void of_eight_admins_who_rebind_a_name_one_did_it(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt admins[8];
	void *arguments[8];
	unsigned done = 0;

	attempt_enroll(&a);
	for (unsigned i = 0; i < COUNT(admins); i++) {
		admins[i] = attempt_of(*state, 2 + i, "a.example.org");
		arguments[i] = &admins[i];
	}
	at_once(COUNT(admins), rebind_once, arguments);
	for (size_t i = 0; i < COUNT(admins); i++) {
		done += admins[i].err == OK;
		assert_true(admins[i].err == OK || admins[i].err == ERR_NOT_FOUND);
	}
	assert_int_equal(1, done);
	assert_int_equal(1, database_count("SELECT count(*) FROM ek_allowed"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'host.rebound'"));
	enrollment_facts_free(&a.facts);
}

static void label(struct db *db, const struct attempt *a, const char *set, const char *remove,
	const char *wanted)
{
	AUTO(buf_free) struct buf labels = BUF(8192);

	if (device_label(db, a->new_device_id, set, remove, &admin, &labels) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	assert_string_equal(wanted, buf_text(&labels));
}

static void labels_are_set_and_removed_and_others_stay(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	label(*state, &a, "{\"rack\":\"7\",\"site\":\"fra\"}", "[]",
		"{\"rack\": \"7\", \"site\": \"fra\"}");
	label(*state, &a, "{\"rack\":\"8\"}", "[\"site\",\"none\"]", "{\"rack\": \"8\"}");
	assert_int_equal(1, database_count("SELECT count(*) FROM device_label WHERE name = 'rack'"
					   " AND value = '8'"));
	assert_int_equal(1, database_count("SELECT count(*) FROM device_label"));
	assert_int_equal(3, database_count("SELECT revision FROM device"));
	assert_int_equal(
		2, database_count("SELECT count(*) FROM audit WHERE event = 'device.labels'"
				  " AND who = 'alice' AND detail LIKE 'board swapped: {%'"));
	/* What is so already is no change. */
	label(*state, &a, "{\"rack\":\"8\"}", "[]", "{\"rack\": \"8\"}");
	assert_int_equal(3, database_count("SELECT revision FROM device"));
	assert_int_equal(
		2, database_count("SELECT count(*) FROM audit WHERE event = 'device.labels'"));
	enrollment_facts_free(&a.facts);
}

static void too_many_labels_and_unknown_devices_are_refused(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	AUTO(buf_free) struct buf set = BUF(8192), labels = BUF(8192);

	attempt_enroll(&a);
	for (int i = 0; i < 33; i++)
		buf_fmt(&set, "%s\"l%d\":\"x\"", i == 0 ? "{" : ",", i);
	buf_str(&set, "}");
	assert_int_equal(ERR_REJECTED,
		device_label(*state, a.new_device_id, buf_text(&set), "[]", &admin, &labels));
	assert_string_equal("labels-too-many", why()->code);
	assert_int_equal(0, database_count("SELECT count(*) FROM device_label"));
	a.new_device_id[0] ^= 1;
	assert_int_equal(ERR_NOT_FOUND,
		device_label(*state, a.new_device_id, "{\"a\":\"b\"}", "[]", &admin, &labels));
	assert_string_equal("device-unknown", why()->code);
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_goes_on_with_another_tpm_in_one_act),
		TEST(certificates_of_other_names_and_ended_ones_stay),
		TEST(what_cannot_be_rebound_is_told_and_changes_nothing),
		TEST(the_old_registration_of_the_name_goes),
		TEST(of_eight_admins_who_rebind_a_name_one_did_it),
		TEST(labels_are_set_and_removed_and_others_stay),
		TEST(too_many_labels_and_unknown_devices_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
