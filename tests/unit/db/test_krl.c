#include "attempt.h"
#include "ca/base/clock.h"
#include "database.h"
#include "db/krl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A device with a certificate of an OpenSSH CA for users, `serial` bytes of it as SQL has them. */
static void give(struct db *db, unsigned tpm, const char *host, const char *serial)
{
	struct attempt a = attempt_of(db, tpm, host);
	char sql[1024];

	attempt_enroll(&a);
	snprintf(sql, sizeof(sql),
		"UPDATE certificate SET kind = 'ssh-user', serial = '%s', der = 'certificate',"
		" issuer = sha256('user-ca'), not_before = to_timestamp(%d - 60),"
		" not_after = to_timestamp(%d) WHERE host = '%s'",
		serial, NOW, NOW + DAY, host);
	database_do(sql);
	enrollment_facts_free(&a.facts);
}

static int make(void **state)
{
	if (database_migrated(state) != 0)
		return 1;
	database_do("INSERT INTO issuer (issuer_id, kind, certificate, first_at) VALUES"
		    " (sha256('user-ca'), 'ssh-user', 'user-ca', now()),"
		    " (sha256('host-ca'), 'ssh-host', 'host-ca', now()),"
		    " (sha256('x509-ca'), 'x509', 'x509-ca', now())");
	give(*state, 1, "a.example.org", "\\x0000000000000102");
	give(*state, 2, "b.example.org", "\\x0000000000000101");
	return 0;
}

/* As it was made. */
static int reset(void **state)
{
	(void)state;
	database_do("UPDATE certificate SET kind = 'ssh-user', issuer = sha256('user-ca'),"
		    " revoked_at = NULL, revocation_reason = NULL;"
		    " UPDATE device SET state = 'active';"
		    " UPDATE issuer SET revoked_at = NULL, revocation_reason = NULL;"
		    " UPDATE krl SET changed = 1, published = 0, number = 0, this_update = NULL,"
		    " bytes = NULL, signature = NULL");
	return 0;
}

static void take_back(const char *where)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		"UPDATE certificate SET revoked_at = now(), revocation_reason = 'keyCompromise'"
		" WHERE %s",
		where);
	database_do(sql);
}

static bool is_due(struct db *db, int64_t before)
{
	bool due = false;

	assert_int_equal(OK, krl_is_due(db, before, &due));
	return due;
}

/* Reads what is revoked and publishes a list of it; false when another one came first. */
static bool publish(struct db *db, const struct krl_facts *facts, int64_t number)
{
	bool published = false;

	assert_int_equal(OK, krl_publish(db,
				     &(struct krl_made){.changed = facts->changed,
					     .before = facts->number,
					     .number = number,
					     .at = NOW,
					     .bytes = view_str("list"),
					     .signature = view_str("signature")},
				     &published));
	return published;
}

static void read_and_publish(struct db *db, int64_t number)
{
	AUTO(krl_facts_free) struct krl_facts facts = {0};

	assert_int_equal(OK, krl_read(db, NOW, &facts));
	assert_true(publish(db, &facts, number));
}

static void assert_serials(const struct krl_entry *entry, const char *blob, const char *bytes)
{
	assert_int_equal(strlen(blob), entry->blob.n);
	assert_memory_equal(blob, entry->blob.p, entry->blob.n);
	assert_int_equal(8 * strlen(bytes), entry->serials.n);
	for (size_t i = 0; i < strlen(bytes); i++)
		assert_int_equal(bytes[i], entry->serials.p[8 * i + 7]);
}

static void what_is_revoked_is_read_by_ca_in_the_order_of_serials(void **state)
{
	AUTO(krl_facts_free) struct krl_facts facts = {0};

	take_back("true");
	assert_int_equal(OK, krl_read(*state, NOW, &facts));
	assert_int_equal(1, facts.issuers.n);
	assert_serials(&facts.issuers.entries[0], "user-ca", "\1\2");
	assert_int_equal(0, facts.nameless.n);
	assert_int_equal(0, facts.revoked.n);
	assert_int_equal(0, facts.devices.n);
}

static void what_is_good_or_ended_or_of_x509_is_not_read(void **state)
{
	AUTO(krl_facts_free) struct krl_facts good = {0}, ended = {0}, x509 = {0};

	assert_int_equal(OK, krl_read(*state, NOW, &good));
	assert_int_equal(0, good.issuers.n);
	take_back("true");
	assert_int_equal(OK, krl_read(*state, NOW + DAY, &ended));
	assert_int_equal(0, ended.issuers.n);
	database_do("UPDATE certificate SET kind = 'x509'");
	assert_int_equal(OK, krl_read(*state, NOW, &x509));
	assert_int_equal(0, x509.issuers.n + x509.nameless.n);
}

/* Certificates that are older than the record of issuers, and one of a CA that is not recorded. */
static void a_certificate_whose_ca_is_not_known_is_read_itself(void **state)
{
	AUTO(krl_facts_free) struct krl_facts facts = {0};

	database_do("UPDATE certificate SET issuer = NULL WHERE host = 'a.example.org'");
	database_do("UPDATE certificate SET issuer = sha256('gone') WHERE host = 'b.example.org'");
	take_back("true");
	assert_int_equal(OK, krl_read(*state, NOW, &facts));
	assert_int_equal(0, facts.issuers.n);
	assert_int_equal(2, facts.nameless.n);
	assert_serials(&facts.nameless.entries[0], "certificate", "\1");
	assert_serials(&facts.nameless.entries[1], "certificate", "\2");
}

/* A CA that is revoked takes back all that it signed, so that nothing of it is listed. */
static void a_ca_that_is_revoked_stands_for_its_certificates(void **state)
{
	AUTO(krl_facts_free) struct krl_facts facts = {0};

	take_back("true");
	read_and_publish(*state, 1);
	database_do("UPDATE issuer SET revoked_at = now(), revocation_reason = 'cACompromise'"
		    " WHERE kind <> 'ssh-host'");
	assert_true(is_due(*state, NOW - 1));
	assert_int_equal(OK, krl_read(*state, NOW, &facts));
	assert_int_equal(0, facts.issuers.n);
	assert_int_equal(1, facts.revoked.n);
	assert_serials(&facts.revoked.entries[0], "user-ca", "");
}

static void a_revoked_device_is_named_until_it_is_reinstated(void **state)
{
	AUTO(krl_facts_free) struct krl_facts before = {0}, after = {0}, held = {0};

	database_do("UPDATE device SET state = 'revoked' WHERE device_id ="
		    " (SELECT device_id FROM host WHERE name = 'a.example.org')");
	assert_int_equal(OK, krl_read(*state, NOW, &before));
	assert_int_equal(16, before.devices.n);
	assert_int_equal(1, database_count("SELECT count(*) FROM device WHERE state = 'revoked'"));
	assert_true(publish(*state, &before, 1));
	assert_false(is_due(*state, NOW - 1));
	/* Its next certificates have the same key ID: the list has to follow, though none changed. */
	database_do("UPDATE device SET state = 'held' WHERE state = 'revoked'");
	assert_true(is_due(*state, NOW - 1));
	assert_int_equal(OK, krl_read(*state, NOW, &held));
	assert_int_equal(0, held.devices.n);
	/* Without a certificate that could still be shown, its name says nothing. */
	database_do("UPDATE device SET state = 'revoked'");
	assert_int_equal(OK, krl_read(*state, NOW + DAY, &after));
	assert_int_equal(0, after.devices.n);
}

static void a_list_is_due_after_a_change_and_after_its_time(void **state)
{
	assert_true(is_due(*state, 0));
	read_and_publish(*state, 1);
	assert_false(is_due(*state, NOW - 1));
	assert_true(is_due(*state, NOW));
	take_back("host = 'a.example.org'");
	assert_true(is_due(*state, NOW - 1));
	read_and_publish(*state, 2);
	assert_false(is_due(*state, NOW - 1));
	/* Released. */
	database_do("UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL");
	assert_true(is_due(*state, NOW - 1));
}

static void what_changed_while_a_list_was_made_makes_the_next_one_due(void **state)
{
	AUTO(krl_facts_free) struct krl_facts facts = {0};

	assert_int_equal(OK, krl_read(*state, NOW, &facts));
	take_back("true");
	assert_true(publish(*state, &facts, 1));
	assert_true(is_due(*state, NOW - 1));
}

struct publisher {
	struct db *db;
	const struct krl_facts *facts;
	int64_t number;
	bool published;
};

static void *publish_once(void *of)
{
	struct publisher *publisher = of;

	publisher->published = publish(publisher->db, publisher->facts, publisher->number);
	return NULL;
}

static void of_servers_that_made_a_list_at_once_one_publishes(void **state)
{
	AUTO(krl_facts_free) struct krl_facts facts = {0};
	AUTO(buf_free) struct buf bytes = BUF(64), signature = BUF(64), alone = BUF(64);
	struct publisher servers[6];
	void *arguments[COUNT(servers)];
	unsigned n = 0;

	assert_int_equal(OK, krl_fetch(*state, &bytes, &signature));
	assert_int_equal(0, bytes.n + signature.n);
	assert_int_equal(OK, krl_read(*state, NOW, &facts));
	for (size_t i = 0; i < COUNT(servers); i++) {
		servers[i] = (struct publisher){*state, &facts, 7, false};
		arguments[i] = &servers[i];
	}
	at_once(COUNT(servers), publish_once, arguments);
	for (size_t i = 0; i < COUNT(servers); i++)
		n += servers[i].published;
	assert_int_equal(1, n);
	assert_int_equal(7, database_count("SELECT number FROM krl"));
	assert_int_equal(OK, krl_fetch(*state, &bytes, &signature));
	assert_string_equal("list", buf_text(&bytes));
	assert_string_equal("signature", buf_text(&signature));
	assert_int_equal(OK, krl_fetch(*state, NULL, &alone));
	assert_string_equal("signature", buf_text(&alone));
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_revoked_is_read_by_ca_in_the_order_of_serials),
		TEST(what_is_good_or_ended_or_of_x509_is_not_read),
		TEST(a_certificate_whose_ca_is_not_known_is_read_itself),
		TEST(a_ca_that_is_revoked_stands_for_its_certificates),
		TEST(a_revoked_device_is_named_until_it_is_reinstated),
		TEST(a_list_is_due_after_a_change_and_after_its_time),
		TEST(what_changed_while_a_list_was_made_makes_the_next_one_due),
		TEST(of_servers_that_made_a_list_at_once_one_publishes),
	};

	return cmocka_run_group_tests(tests, make, database_close);
}
