#include "asker.h"
#include "database.h"
#include "db/revoke.h"

#include <stdio.h>
#include <string.h>

static const struct act admin = {.who = "admin-token",
	.from = "2001:db8::7",
	.reason = "stolen from line 4",
	.request_id = "r-9",
	.now = NOW + 10};

#define HOST "web-1.example.org"

/* A device with three certificates, the second of OpenSSH, in two CRLs of one issuer. */
static struct attempt enrolled(struct db *db)
{
	struct attempt a = attempt_of(db, 1, HOST);

	a.certificates_n = 3;
	attempt_enroll(&a);
	database_do("UPDATE certificate SET issuer = decode(repeat('07', 32), 'hex'),"
		    " shard = CASE place WHEN 1 THEN NULL ELSE place / 2 END,"
		    " kind = CASE place WHEN 1 THEN 'ssh-host' ELSE 'x509' END");
	database_do("UPDATE crl_shard SET published = changed, number = 1, der = '\\x30',"
		    " this_update = to_timestamp(1800000000),"
		    " next_update = to_timestamp(1800000000 + 3600 * (1 + shard));"
		    " UPDATE krl SET published = changed");
	return a;
}

static int64_t behind(void)
{
	return database_count("SELECT (SELECT count(*) FROM crl_shard WHERE changed <> published)"
			      " + (SELECT count(*) FROM krl WHERE changed <> published)");
}

static int64_t good(void)
{
	return database_count("SELECT count(*) FROM certificate WHERE revoked_at IS NULL");
}

static void revoking_a_device_reaches_all_of_it_and_says_so(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = enrolled(*state);

	assert_int_equal(0, behind());
	assert_int_equal(OK, device_revoke(*state, &(struct device_key){.host = HOST},
				     "keyCompromise", &admin, &reached));
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
	assert_int_equal(3, behind());
	assert_int_equal(0, good());
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
	struct attempt a = enrolled(*state);

	assert_int_equal(OK, device_revoke(*state, &(struct device_key){.host = HOST},
				     "keyCompromise", &admin, &reached));
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

		database_do("TRUNCATE device CASCADE");
		a = enrolled(*state);
		assert_int_equal(
			OK, device_revoke(*state, &keys[i], "superseded", &admin, &reached));
		assert_memory_equal(a.new_device_id, reached.device_id, DEVICE_ID_SIZE);
		enrollment_facts_free(&a.facts);
	}
}

static void what_nobody_knows_is_told_and_not_audited(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};

	assert_int_equal(ERR_NOT_FOUND, device_revoke(*state, &(struct device_key){.host = HOST},
						"keyCompromise", &admin, &reached));
	assert_string_equal("device-unknown", why()->code);
	assert_int_equal(0, database_count("SELECT count(*) FROM audit"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(revoking_a_device_reaches_all_of_it_and_says_so),
		TEST(it_is_audited_with_who_why_and_every_serial),
		TEST(any_one_thing_that_is_known_of_a_device_finds_it),
		TEST(what_nobody_knows_is_told_and_not_audited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
