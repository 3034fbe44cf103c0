#include "database.h"
#include "db/revoke.h"
#include "db/revoke_certificate.h"
#include "standing.h"

#include <string.h>

#define HOST "web-1.example.org"

static struct view serial_of(const struct attempt *a)
{
	return VIEW(a->serial);
}

/* The first one's serial ends with 0: it is of X.509. */
static void one_certificate_is_revoked_and_nothing_else(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	assert_int_equal(OK,
		certificate_revoke(*state, serial_of(&a), "superseded", &standing_admin, &reached));
	assert_memory_equal(a.new_device_id, reached.device_id, DEVICE_ID_SIZE);
	assert_int_equal(1, reached.x509);
	assert_int_equal(1, reached.crls);
	assert_int_equal(NOW + 3600, reached.crls_until);
	assert_int_equal(2, standing_certificates());
	assert_int_equal(1, standing_behind());
	assert_int_equal(1, database_count("SELECT count(*) FROM device WHERE state = 'active' AND "
					   "revision = 2"));
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE event ="
					   " 'certificate.revoked' AND cardinality(serials) = 1"
					   " AND detail = 'superseded: stolen from line 4'"));
	attempt_lookup(&a);
	assert_true(a.facts.ticket_revoked);
	enrollment_facts_free(&a.facts);
}

static void what_was_done_to_it_before_is_told(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	assert_int_equal(OK,
		certificate_revoke(*state, serial_of(&a), "superseded", &standing_admin, &reached));
	reached_free(&reached);
	assert_int_equal(ERR_CONFLICT, certificate_revoke(*state, serial_of(&a), "keyCompromise",
					       &standing_admin, &reached));
	assert_string_equal("already-revoked", why()->code);
	assert_int_equal(
		ERR_CONFLICT, certificate_hold(*state, serial_of(&a), &standing_admin, &reached));
	assert_string_equal("already-revoked", why()->code);
	assert_int_equal(
		ERR_CONFLICT, certificate_unhold(*state, serial_of(&a), &standing_admin, &reached));
	assert_string_equal("not-held", why()->code);
	a.serial[0] ^= 1;
	assert_int_equal(ERR_NOT_FOUND,
		certificate_revoke(*state, serial_of(&a), "superseded", &standing_admin, &reached));
	assert_string_equal("certificate-unknown", why()->code);
	enrollment_facts_free(&a.facts);
}

static void what_has_ended_is_not_revoked(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	database_do("UPDATE certificate SET not_after = to_timestamp(1800000010)");
	assert_int_equal(ERR_CONFLICT,
		certificate_revoke(*state, serial_of(&a), "superseded", &standing_admin, &reached));
	assert_string_equal("certificate-ended", why()->code);
	enrollment_facts_free(&a.facts);
}

static void one_that_is_held_is_released_or_revoked(void **state)
{
	AUTO(reached_free) struct reached first = {.x509 = 0}, last = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	assert_int_equal(OK, certificate_hold(*state, serial_of(&a), &standing_admin, &first));
	assert_int_equal(1, first.x509);
	assert_int_equal(2, standing_certificates());
	reached_free(&first);
	assert_int_equal(
		ERR_CONFLICT, certificate_hold(*state, serial_of(&a), &standing_admin, &first));
	assert_string_equal("already-held", why()->code);
	assert_int_equal(OK, certificate_unhold(*state, serial_of(&a), &standing_admin, &first));
	assert_int_equal(3, standing_certificates());
	reached_free(&first);
	assert_int_equal(OK, certificate_hold(*state, serial_of(&a), &standing_admin, &first));
	assert_int_equal(OK,
		certificate_revoke(*state, serial_of(&a), "keyCompromise", &standing_admin, &last));
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate WHERE"
					   " revocation_reason = 'keyCompromise'"));
	enrollment_facts_free(&a.facts);
}

static void one_that_is_held_with_its_device_is_released_with_it(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);

	database_do("UPDATE certificate SET revoked_at = now(), revocation_reason ="
		    " 'certificateHold', revoked_with = 'device'");
	assert_int_equal(
		ERR_CONFLICT, certificate_unhold(*state, serial_of(&a), &standing_admin, &reached));
	assert_string_equal("not-held", why()->code);
	assert_int_equal(0, standing_certificates());
	enrollment_facts_free(&a.facts);
}

/* It was held before its device was, so the device's release does not give it back, and it not itself. */
static void one_that_is_held_by_itself_stays_so_while_its_device_is_held(void **state)
{
	AUTO(reached_free) struct reached one = {.x509 = 0}, all = {.x509 = 0}, given = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST);
	const struct device_key key = {.host = HOST};

	assert_int_equal(OK, certificate_hold(*state, serial_of(&a), &standing_admin, &one));
	assert_int_equal(OK, device_hold(*state, &key, &standing_admin, &all));
	assert_int_equal(0, standing_certificates());
	assert_int_equal(
		ERR_CONFLICT, certificate_unhold(*state, serial_of(&a), &standing_admin, &given));
	assert_string_equal("certificate-of-barred-device", why()->code);
	assert_int_equal(0, standing_certificates());
	reached_free(&all);
	assert_int_equal(OK, device_unhold(*state, &key, &standing_admin, &all));
	assert_int_equal(2, standing_certificates());
	assert_int_equal(OK, certificate_unhold(*state, serial_of(&a), &standing_admin, &given));
	assert_int_equal(3, standing_certificates());
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup(f, standing_none)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_certificate_is_revoked_and_nothing_else),
		TEST(what_was_done_to_it_before_is_told),
		TEST(what_has_ended_is_not_revoked),
		TEST(one_that_is_held_is_released_or_revoked),
		TEST(one_that_is_held_with_its_device_is_released_with_it),
		TEST(one_that_is_held_by_itself_stays_so_while_its_device_is_held),
	};

	return cmocka_run_group_tests(tests, database_migrated, database_close);
}
