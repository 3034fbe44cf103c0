#include "asker.h"
#include "database.h"
#include "db/allowed.h"
#include "db/revoke.h"
#include "db/revoked_issuer.h"
#include "standing.h"

#include <string.h>

#define HOST "web-1.example.org"

static void revoking_a_device_reaches_all_of_it_and_says_so(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	assert_int_equal(0, standing_behind());
	assert_int_equal(OK, device_revoke(*state, &(struct device_key){.host = HOST},
				     "keyCompromise", &standing_admin, &reached));
	assert_memory_equal(a.new_device_id, reached.device_id, DEVICE_ID_SIZE);
	assert_int_equal(2, reached.x509);
	assert_int_equal(1, reached.ssh_host);
	assert_int_equal(0, reached.ssh_user);
	assert_int_equal(0, reached.unlisted);
	assert_int_equal(2, reached.crls);
	assert_int_equal(NOW + 7200, reached.crls_until);
	assert_int_equal(1, reached.names);
	assert_string_equal(HOST, reached.name[0]);
	assert_int_equal(1, reached.eks);
	assert_int_equal(1, reached.aks);
	assert_int_equal(3, reached.certificates_n);
	assert_string_equal("ak", reached.certificates[0].template);
	assert_int_equal(NOW + YEAR, reached.certificates[0].not_after);
	assert_int_equal(3, standing_behind());
	assert_int_equal(0, standing_certificates());
	assert_int_equal(3, database_count("SELECT count(*) FROM certificate WHERE revoked_at ="
					   " to_timestamp(1800000010) AND revocation_reason ="
					   " 'keyCompromise' AND revoked_with = 'device'"));
	assert_int_equal(1, database_count("SELECT count(*) FROM device WHERE state = 'revoked' AND"
					   " barred_by = 'admin-token' AND barred_reason ="
					   " 'keyCompromise' AND revision = 2"));
	assert_int_equal(0, database_count("SELECT count(*) FROM host"));
	enrollment_facts_free(&a.facts);
}

static void it_is_audited_with_who_why_and_every_serial(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	assert_int_equal(OK, device_revoke(*state, &(struct device_key){.host = HOST},
				     "keyCompromise", &standing_admin, &reached));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit JOIN device USING (device_id)"
				  " WHERE event = 'device.revoked' AND host = '" HOST "'"
				  " AND detail = 'keyCompromise: stolen from line 4'"
				  " AND who = 'admin-token' AND cardinality(serials) = 3"
				  " AND client_address = '2001:db8::7' AND request_id = 'r-9'"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit JOIN device USING "
				  "(device_id) WHERE event = 'host.unbound' AND host = '" HOST
				  "' AND detail = 'its device is revoked: stolen from "
				  "line 4'"));
	enrollment_facts_free(&a.facts);
}

static void any_one_thing_that_is_known_of_a_device_finds_it(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		AUTO(reached_free) struct reached reached = {.x509 = 0};
		struct attempt a;
		struct device_key keys[] = {{.device_id = VIEW(a.new_device_id)},
			{.ek_digest = VIEW(a.ek_digest)}, {.serial = VIEW(a.serial)},
			{.host = HOST}};

		standing_none(state);
		a = standing_device(*state, 1, HOST);
		assert_int_equal(OK,
			device_revoke(*state, &keys[i], "superseded", &standing_admin, &reached));
		assert_memory_equal(a.new_device_id, reached.device_id, DEVICE_ID_SIZE);
		enrollment_facts_free(&a.facts);
	}
}

static void what_nobody_knows_is_told_and_not_audited(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};

	assert_int_equal(ERR_NOT_FOUND, device_revoke(*state, &(struct device_key){.host = HOST},
						"keyCompromise", &standing_admin, &reached));
	assert_string_equal("device-unknown", why()->code);
	assert_int_equal(0, database_count("SELECT count(*) FROM audit"));
}

static enum err revoke_host_of(struct db *db)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};

	return device_revoke(
		db, &(struct device_key){.host = HOST}, "keyCompromise", &standing_admin, &reached);
}

static void who_comes_second_is_told_since_when_by_whom_and_why(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	assert_int_equal(OK, revoke_host_of(*state));
	assert_int_equal(ERR_CONFLICT, revoke_host_of(*state));
	assert_string_equal("already-revoked", why()->code);
	assert_non_null(strstr(why()->sentence, "is revoked since 2027-01-15T08:00:10Z, by "
						"admin-token (keyCompromise): stolen from line 4"));
	assert_int_equal(ERR_CONFLICT,
		device_hold(*state, &(struct device_key){.host = HOST}, &standing_admin, &reached));
	assert_string_equal("already-revoked", why()->code);
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE event = "
					   "'device.revoked'"));
	assert_int_equal(2, database_count("SELECT revision FROM device"));
	enrollment_facts_free(&a.facts);
}

/* Neither the machine that has the name now, nor one that had it once and is good, is cut off by
 * mistake. */
static void a_name_that_is_nobodys_cuts_off_nobody(void **state)
{
	struct attempt a = standing_device(*state, 1, HOST);
	uint8_t device_id[DEVICE_ID_SIZE];

	assert_int_equal(OK, host_unbind(*state, HOST, &standing_admin, device_id));
	assert_int_equal(ERR_NOT_FOUND, revoke_host_of(*state));
	assert_string_equal("device-unknown", why()->code);
	assert_non_null(strstr(why()->sentence, "the last one that had it is "));
	assert_int_equal(3, standing_certificates());
	enrollment_facts_free(&a.facts);
}

static void what_ended_or_was_revoked_before_stays_as_it_is(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	database_do("UPDATE certificate SET not_after = to_timestamp(1800000010) WHERE place = 0;"
		    "UPDATE certificate SET revoked_at = to_timestamp(1800000001),"
		    " revocation_reason = 'superseded', revoked_with = 'host' WHERE place = 1");
	assert_int_equal(OK, device_revoke(*state, &(struct device_key){.host = HOST},
				     "keyCompromise", &standing_admin, &reached));
	assert_int_equal(1, reached.x509);
	assert_int_equal(0, reached.ssh_host);
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate WHERE place = 0 AND"
					   " revoked_at IS NULL"));
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate WHERE place = 1 AND"
					   " revocation_reason = 'superseded'"));
	enrollment_facts_free(&a.facts);
}

static void a_revoked_device_has_no_attempts_and_keeps_a_rejection(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);
	static const char *const hosts[] = {"b.example.org", "c.example.org", "d.example.org"};
	struct asker asker[3];

	for (unsigned i = 0; i < 3; i++) {
		asker_init(&asker[i], *state, 1, hosts[i]);
		asker_hold(&asker[i]);
	}
	assert_int_equal(
		OK, pending_decide(*state, asker[1].attempt_id, PENDING_ACCEPTED, &standing_admin));
	assert_int_equal(
		OK, pending_decide(*state, asker[2].attempt_id, PENDING_REJECTED, &standing_admin));
	assert_int_equal(OK, device_revoke(*state, &(struct device_key){.host = HOST},
				     "keyCompromise", &standing_admin, &reached));
	assert_int_equal(2, reached.attempts);
	assert_int_equal(1, database_count("SELECT count(*) FROM pending WHERE state ="
					   " 'rejected'"));
	assert_int_equal(1, database_count("SELECT count(*) FROM pending"));
	assert_int_equal(2, database_count("SELECT count(*) FROM audit WHERE event ="
					   " 'attempt.withdrawn'"));
	enrollment_facts_free(&a.facts);
}

static void a_registration_of_its_ek_is_told(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);
	struct allowed entry = {.host = HOST};
	enum allowed_fate fate;

	memcpy(entry.ek_digest, a.ek_digest, DIGEST_SIZE);
	assert_int_equal(OK,
		allowed_add(*state, &entry, 1, "by hand", false, false, &standing_admin, &fate));
	assert_int_equal(OK, device_revoke(*state, &(struct device_key){.host = HOST},
				     "keyCompromise", &standing_admin, &reached));
	assert_int_equal(1, reached.registered);
	assert_string_equal(HOST, reached.registered_host);
	enrollment_facts_free(&a.facts);
}

static enum device_state state_seen(struct attempt *a)
{
	attempt_lookup(a);
	return a->facts.device_state;
}

static void holding_takes_certificates_and_no_name_and_unholding_gives_back_just_those(void **state)
{
	AUTO(reached_free) struct reached held = {.x509 = 0}, given = {.x509 = 0};
	const struct device_key key = {.host = HOST};
	struct attempt a = standing_device(*state, 1, HOST);

	database_do("UPDATE certificate SET revoked_at = now(), revocation_reason ="
		    " 'certificateHold', revoked_with = 'certificate' WHERE place = 0");
	assert_int_equal(OK, device_hold(*state, &key, &standing_admin, &held));
	assert_int_equal(1, held.x509);
	assert_int_equal(1, held.ssh_host);
	assert_int_equal(0, standing_certificates());
	assert_int_equal(1, database_count("SELECT count(*) FROM host"));
	assert_int_equal(DEVICE_HELD, state_seen(&a));
	assert_true(a.facts.ticket_revoked && a.facts.host_is_ours);
	assert_int_equal(ERR_CONFLICT, device_hold(*state, &key, &standing_admin, &given));
	assert_string_equal("already-held", why()->code);
	assert_int_equal(ERR_CONFLICT, device_reinstate(*state, &key, &standing_admin, &given));
	assert_string_equal("not-revoked", why()->code);
	assert_int_equal(OK, device_unhold(*state, &key, &standing_admin, &given));
	assert_int_equal(1, given.x509);
	assert_int_equal(1, given.ssh_host);
	assert_int_equal(2, standing_certificates());
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate WHERE revoked_with ="
					   " 'certificate'"));
	assert_int_equal(DEVICE_ACTIVE, state_seen(&a));
	reached_free(&given);
	assert_int_equal(ERR_CONFLICT, device_unhold(*state, &key, &standing_admin, &given));
	assert_string_equal("not-held", why()->code);
	enrollment_facts_free(&a.facts);
}

/* Between the CA's revocation and the round that takes what it signed. */
static void what_a_revoked_ca_signed_is_not_given_back(void **state)
{
	AUTO(reached_free) struct reached held = {.x509 = 0}, given = {.x509 = 0};
	const struct device_key key = {.host = HOST};
	struct attempt a = standing_device(*state, 1, HOST);
	struct issuer_state issuer;

	assert_int_equal(OK, device_hold(*state, &key, &standing_admin, &held));
	assert_int_equal(OK, issuer_revoke(*state, "07", "cACompromise", &standing_admin, &issuer));
	assert_int_equal(2, issuer.remaining);
	assert_int_equal(OK, device_unhold(*state, &key, &standing_admin, &given));
	assert_int_equal(0, given.x509);
	assert_int_equal(1, given.ssh_host);
	assert_int_equal(1, standing_certificates());
	enrollment_facts_free(&a.facts);
}

static void what_is_held_can_be_revoked_from_the_day_it_was_held(void **state)
{
	AUTO(reached_free) struct reached held = {.x509 = 0}, taken = {.x509 = 0};
	const struct device_key key = {.host = HOST};
	struct act later = standing_admin;
	struct attempt a = standing_device(*state, 1, HOST);

	later.now += 60;
	assert_int_equal(OK, device_hold(*state, &key, &standing_admin, &held));
	assert_int_equal(OK, device_revoke(*state, &key, "keyCompromise", &later, &taken));
	assert_int_equal(2, taken.x509);
	assert_int_equal(3, database_count("SELECT count(*) FROM certificate WHERE"
					   " revocation_reason = 'keyCompromise' AND revoked_at ="
					   " to_timestamp(1800000010)"));
	reached_free(&held);
	assert_int_equal(ERR_CONFLICT, device_unhold(*state, &key, &standing_admin, &held));
	assert_string_equal("not-held", why()->code);
	enrollment_facts_free(&a.facts);
}

static void a_reinstated_device_comes_like_a_new_one(void **state)
{
	AUTO(reached_free) struct reached given = {.x509 = 0};
	const struct device_key key = {.host = HOST};
	struct attempt a = standing_device(*state, 1, HOST);

	assert_int_equal(ERR_CONFLICT, device_reinstate(*state, &key, &standing_admin, &given));
	assert_string_equal("not-revoked", why()->code);
	assert_int_equal(OK, revoke_host_of(*state));
	attempt_anew(&a);
	attempt_once(&a);
	assert_int_equal(ERR_CONFLICT, a.err);
	assert_string_equal("database-moved", a.code);
	assert_int_equal(OK, device_reinstate(*state, &key, &standing_admin, &given));
	assert_int_equal(0, given.x509);
	assert_int_equal(0, standing_certificates());
	attempt_enroll(&a);
	assert_int_equal(3, standing_certificates());
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE event ="
					   " 'device.reinstated' AND detail = 'stolen from line "
					   "4'"));
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup(f, standing_none)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(revoking_a_device_reaches_all_of_it_and_says_so),
		TEST(it_is_audited_with_who_why_and_every_serial),
		TEST(any_one_thing_that_is_known_of_a_device_finds_it),
		TEST(what_nobody_knows_is_told_and_not_audited),
		TEST(who_comes_second_is_told_since_when_by_whom_and_why),
		TEST(a_name_that_is_nobodys_cuts_off_nobody),
		TEST(what_ended_or_was_revoked_before_stays_as_it_is),
		TEST(a_revoked_device_has_no_attempts_and_keeps_a_rejection),
		TEST(a_registration_of_its_ek_is_told),
		TEST(holding_takes_certificates_and_no_name_and_unholding_gives_back_just_those),
		TEST(what_a_revoked_ca_signed_is_not_given_back),
		TEST(what_is_held_can_be_revoked_from_the_day_it_was_held),
		TEST(a_reinstated_device_comes_like_a_new_one),
	};

	return cmocka_run_group_tests(tests, database_migrated, database_close);
}
