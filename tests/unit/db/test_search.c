#include "attempt.h"
#include "ca/base/crypt.h"
#include "database.h"
#include "db/audit_read.h"
#include "db/certificates.h"
#include "db/devices.h"
#include "db/hosts.h"
#include "db/statistics.h"

#include <stdio.h>
#include <string.h>

#define NEVER INT64_C(253402300799)

/* A fleet of 60, without enrolling each: i has names web-i.s0 to .s2, and an alias where i is 7. */
static const char fleet[] =
	"CREATE FUNCTION id_of(i bigint) RETURNS uuid LANGUAGE sql AS $$SELECT md5('d' || "
	"i)::uuid$$;"
	"INSERT INTO device (device_id, created_at, manufacturer, trust_class, trust_version, "
	"state,"
	"  labels, barred_at, barred_reason)"
	" SELECT id_of(i), to_timestamp(1800000000 + i / 2), CASE WHEN i = 9 THEN 'id:RARE' ELSE"
	"  'id:53544D20' END, 'manufacturer', 'ab', CASE i WHEN 5 THEN 'held' ELSE 'active' END,"
	"  jsonb_build_object('rack', 'r' || i / 10), CASE i WHEN 5 THEN now() END,"
	"  CASE i WHEN 5 THEN 'certificateHold' END FROM generate_series(1, 60) AS i;"
	"INSERT INTO ek (ek_digest, device_id, kind, created_at)"
	" SELECT sha256(('ek ' || i)::bytea), id_of(i), 'rsa2048', now() FROM generate_series(1, "
	"60) AS i;"
	"INSERT INTO ak (name, device_id, public, kind, created_at)"
	" SELECT '\\x000b' || sha256(('ak ' || i)::bytea), id_of(i), 'public', 'p256', now()"
	" FROM generate_series(1, 60) AS i;"
	"INSERT INTO host (name, device_id, alias, bound_at)"
	" SELECT 'web-' || i || '.s' || i % 3 || '.example.org', id_of(i), false, now()"
	" FROM generate_series(1, 60) AS i;"
	"INSERT INTO host VALUES ('web-7b.example.org', id_of(7), true, now());"
	"INSERT INTO host_barred VALUES ('stolen.example.org', now(), 'keyCompromise', 'line 4', "
	"'eve'),"
	"  ('web-11.s2.example.org', now(), 'keyCompromise', 'line 4', 'eve');"
	"INSERT INTO ek_allowed (ek_digest, serial, source, added_at, added_by, why)"
	" VALUES (sha256('ek 12'), 'SN12', 'test', now(), 'test', 'test');"
	"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
	"  template_version, grant_digest, place, der, not_before, not_after, issued_at, "
	"revoked_at,"
	"  revocation_reason, trust_version, policy_version, issuer, shard)"
	" SELECT substr(sha256(('serial ' || i)::bytea), 1, 16), id_of(i % 60 + 1),"
	"  'web-' || i % 60 + 1 || '.s' || (i % 60 + 1) % 3 || '.example.org', 1,"
	"  '\\x000b' || sha256(('ak ' || i % 60 + 1)::bytea), CASE WHEN i % 2 = 0 THEN 'ak' ELSE "
	"'tls' END,"
	"  1, sha256('grant'), 0, ('der ' || i)::bytea, to_timestamp(1700000000),"
	"  CASE WHEN i = 3 THEN to_timestamp(1700000001) ELSE to_timestamp(4000000000) END,"
	"  to_timestamp(1800000000 + i / 2), CASE WHEN i % 10 = 0 THEN now() END,"
	"  CASE WHEN i % 10 = 0 THEN 'superseded' END, 'ab', 'cd', sha256('issuer'), i / 40"
	" FROM generate_series(1, 120) AS i;"
	"INSERT INTO issuer (issuer_id, kind, certificate, first_at)"
	" VALUES (sha256('issuer'), 'x509', 'DER', now());"
	"INSERT INTO audit (at, event, device_id, host, serials, who, code, request_id)"
	" SELECT to_timestamp(1800000000 + i), CASE WHEN i % 4 = 0 THEN 'enroll.refused' ELSE"
	"  'enroll.issued' END, id_of(i % 60 + 1), 'web-' || i % 60 + 1 || '.s'"
	"  || (i % 60 + 1) % 3 || '.example.org', ARRAY[substr(sha256(('serial ' || i)::bytea), 1, "
	"16)],"
	"  CASE WHEN i % 40 = 0 THEN 'alice' END, CASE WHEN i % 4 = 0 THEN 'ek-untrusted' END, "
	"'r-' || i"
	" FROM generate_series(1, 120) AS i;";

static int fleet_made(void **state)
{
	database_migrated(state);
	database_do(fleet);
	return 0;
}

static void digest_of(const char *what, uint8_t out[static DIGEST_SIZE])
{
	assert_int_equal(OK, sha256(&(struct view){(const uint8_t *)what, strlen(what)}, 1, out));
}

static const char *cell(const struct found *found, size_t row, const char *name)
{
	for (size_t i = 0; i < found->columns; i++)
		if (strcmp(found->column[i].name, name) == 0)
			return found_cell(found, row, i)->text;
	fail_msg("no column %s", name);
	return NULL;
}

/* One question, asked from `after` on for `limit` rows. */
typedef enum err asking(struct db *db, const char *after, size_t limit, struct found *out);

static enum err ask_devices(
	struct db *db, const char *host, const char *after, size_t limit, struct found *out)
{
	return devices_find(db,
		&(struct devices_query){
			.host = host, .until = NEVER, .after = after, .limit = limit},
		out);
}

static enum err all_devices(struct db *db, const char *after, size_t limit, struct found *out)
{
	return ask_devices(db, NULL, after, limit, out);
}

static enum err named_devices(struct db *db, const char *after, size_t limit, struct found *out)
{
	return ask_devices(db, "web-*", after, limit, out);
}

static enum err tailed_devices(struct db *db, const char *after, size_t limit, struct found *out)
{
	return ask_devices(db, "*.example.org", after, limit, out);
}

static enum err middle_devices(struct db *db, const char *after, size_t limit, struct found *out)
{
	return ask_devices(db, "*.s*.example.*", after, limit, out);
}

static enum err all_hosts(struct db *db, const char *after, size_t limit, struct found *out)
{
	return hosts_find(db, &(struct hosts_query){.after = after, .limit = limit}, out);
}

static enum err tailed_hosts(struct db *db, const char *after, size_t limit, struct found *out)
{
	return hosts_find(db,
		&(struct hosts_query){.host = "*example.org", .after = after, .limit = limit}, out);
}

static enum err ask_certificates(
	struct db *db, const char *host, const char *after, size_t limit, struct found *out)
{
	return certificates_find(db,
		&(struct certificates_query){
			.host = host, .shard = -1, .until = NEVER, .after = after, .limit = limit},
		out);
}

static enum err all_certificates(struct db *db, const char *after, size_t limit, struct found *out)
{
	return ask_certificates(db, NULL, after, limit, out);
}

static enum err named_certificates(
	struct db *db, const char *after, size_t limit, struct found *out)
{
	return ask_certificates(db, "web-*", after, limit, out);
}

static enum err tailed_certificates(
	struct db *db, const char *after, size_t limit, struct found *out)
{
	return ask_certificates(db, "*.example.org", after, limit, out);
}

static enum err all_audit(struct db *db, const char *after, size_t limit, struct found *out)
{
	return audit_find(
		db, &(struct audit_query){.until = NEVER, .after = after, .limit = limit}, out);
}

static const struct {
	const char *name;
	asking *ask;
	const char *key; /* that no two rows share */
	size_t rows;
} lists[] = {
	{"devices", all_devices, "device_id", 60},
	{"devices web-*", named_devices, "device_id", 60},
	{"devices *.example.org", tailed_devices, "device_id", 60},
	{"devices *.s*.example.*", middle_devices, "device_id", 60},
	{"hosts", all_hosts, "host", 62},
	{"hosts *example.org", tailed_hosts, "host", 62},
	{"certificates", all_certificates, "serial", 120},
	{"certificates web-*", named_certificates, "serial", 120},
	{"certificates *.example.org", tailed_certificates, "serial", 120},
	{"audit", all_audit, "request_id", 120},
};

static size_t walk(struct db *db, size_t list, size_t limit, char (*seen)[256])
{
	char after[FOUND_CURSOR] = "";
	size_t n = 0;

	do {
		AUTO(found_free) struct found found = {0};

		if (lists[list].ask(db, after[0] == '\0' ? NULL : after, limit, &found) != OK)
			fail_msg("%s: %s %s", lists[list].name, why()->code, why()->sentence);
		assert_true(found.n <= limit);
		for (size_t row = 0; row < found.n; row++) {
			snprintf(
				seen[n], sizeof(seen[n]), "%s", cell(&found, row, lists[list].key));
			for (size_t i = 0; i < n; i++)
				assert_string_not_equal(seen[i], seen[n]);
			n++;
		}
		snprintf(after, sizeof(after), "%s", found.next);
	} while (after[0] != '\0');
	return n;
}

static void pages_of_each_list_follow_each_other_without_gap_or_twin(void **state)
{
	static const size_t limits[] = {1, 7, 1000};
	static char whole[256][256], pages[256][256];

	for (size_t list = 0; list < COUNT(lists); list++)
		for (size_t i = 0; i < COUNT(limits); i++) {
			size_t n = walk(*state, list, limits[i], i == 0 ? whole : pages);

			if (n != lists[list].rows)
				fail_msg("%s by %zu: %zu rows, wanted %zu", lists[list].name,
					limits[i], n, lists[list].rows);
			for (size_t row = 0; i > 0 && row < n; row++)
				assert_string_equal(whole[row], pages[row]);
		}
}

static void a_cursor_of_another_question_is_refused(void **state)
{
	static const char *const cursors[] = {"", "t", "t1", "t-", "t1-", "t1-0", "t1-zz",
		"t1-00-x", "h", "r", "c1-00-", "i", "i-1", "i1x", "9", "t99999999999999999999-00",
		"t1-000000000000000000000000000000000000000000", "'; DROP TABLE device; --"};

	for (size_t list = 0; list < COUNT(lists); list++)
		for (size_t i = 0; i < COUNT(cursors); i++) {
			AUTO(found_free) struct found found = {0};
			if (lists[list].ask(*state, cursors[i], 10, &found) != ERR_MALFORMED)
				fail_msg("%s takes \"%s\"", lists[list].name, cursors[i]);
			assert_string_equal("query-value", why()->code);
		}
}

static size_t count_devices(struct db *db, struct devices_query query)
{
	AUTO(found_free) struct found found = {0};

	query.limit = 100;
	query.until = query.until == 0 ? NEVER : query.until;
	if (devices_find(db, &query, &found) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	assert_string_equal("", found.next);
	return found.n;
}

static void a_device_is_found_by_whatever_is_known_of_it(void **state)
{
	uint8_t ek[DIGEST_SIZE], serial[DIGEST_SIZE];
	struct devices_query by[] = {
		{.host = "web-3.s0.example.org"},
		{.host = "WEB-3.S0.Example.org"},
		{.host = "web-7b*"},
		{.state = "held"},
		{.manufacturer = "id:RARE"},
		{.label_name = "rack", .label_text = "r6"},
		{.machine = "SN12"},
		{.ek_digest = ek},
		{.serial = serial, .serial_n = 16},
		{.since = 1800000030},
		{.until = 1800000001},
		{.label_name = "rack", .label_text = "r0", .host = "*5.s*"},
	};

	digest_of("ek 17", ek);
	digest_of("serial 17", serial);
	for (size_t i = 0; i < COUNT(by); i++)
		if (count_devices(*state, by[i]) != 1)
			fail_msg("row %zu: %zu devices", i, count_devices(*state, by[i]));
	assert_int_equal(60, count_devices(*state, (struct devices_query){.label_name = "rack"}));
	assert_int_equal(59, count_devices(*state, (struct devices_query){.state = "active"}));
	assert_int_equal(
		20, count_devices(*state, (struct devices_query){.host = "*.s1.example.org"}));
}

/* Each is known, and of another device. */
static void what_does_not_go_together_finds_nothing(void **state)
{
	uint8_t ek[DIGEST_SIZE], serial[DIGEST_SIZE];
	const struct devices_query by[] = {
		{.host = "web-3.s0.example.org", .state = "held"},
		{.host = "web-3.s0.example.org", .ek_digest = ek},
		{.serial = serial, .serial_n = 16, .ek_digest = ek},
		{.machine = "SN12", .ek_digest = ek},
		{.manufacturer = "id:RARE", .label_name = "rack", .label_text = "r5"},
		{.label_name = "rack", .label_text = "r"},
		{.label_name = "site"},
		{.host = "web"},
		{.host = "web-_.s0.example.org"},
		{.host = "%"},
		{.host = "x' OR '1'='1"},
		{.manufacturer = "id:RARE", .since = 1800000030},
	};

	digest_of("ek 17", ek);
	digest_of("serial 20", serial);
	for (size_t i = 0; i < COUNT(by); i++)
		if (count_devices(*state, by[i]) != 0)
			fail_msg("row %zu: %zu devices", i, count_devices(*state, by[i]));
}

static size_t count_certificates(struct db *db, struct certificates_query query)
{
	AUTO(found_free) struct found found = {0};

	query.limit = 200;
	query.until = NEVER;
	if (certificates_find(db, &query, &found) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	return found.n;
}

static void a_certificate_is_found_by_whatever_is_known_of_it(void **state)
{
	uint8_t serial[DIGEST_SIZE], der[DIGEST_SIZE], issuer[DIGEST_SIZE];
	const struct {
		struct certificates_query by;
		size_t rows;
	} rows[] = {
		{{.shard = -1, .serial = serial, .serial_n = 16}, 1},
		{{.shard = -1, .sha256 = der}, 1},
		{{.shard = -1, .serial = serial, .serial_n = 16, .sha256 = der}, 0},
		{{.shard = -1, .host = "web-3.s0.example.org"}, 2},
		{{.shard = -1, .host = "web-1*"}, 22},
		{{.shard = -1, .host = "*.s0.example.org"}, 40},
		{{.shard = -1, .template = "tls"}, 60},
		{{.shard = -1, .kind = "ssh-host"}, 0},
		{{.shard = -1, .state = CERTIFICATE_REVOKED}, 12},
		{{.shard = -1, .state = CERTIFICATE_EXPIRED}, 1},
		{{.shard = -1, .state = CERTIFICATE_VALID}, 107},
		{{.shard = 0}, 39},
		{{.shard = 3}, 1},
		{{.shard = 4}, 0},
		{{.shard = 1, .issuer = issuer}, 40},
		{{.shard = 1, .issuer = der}, 0},
		{{.shard = 1, .issuer = issuer, .state = CERTIFICATE_REVOKED}, 4},
		{{.shard = 1, .host = "web-1*"}, 11},
		{{.shard = -1, .since = 1800000060}, 1},
	};

	digest_of("serial 17", serial);
	digest_of("der 18", der);
	digest_of("issuer", issuer);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (count_certificates(*state, rows[i].by) != rows[i].rows)
			fail_msg("row %zu: %zu certificates", i,
				count_certificates(*state, rows[i].by));
}

static size_t count_audit(struct db *db, struct audit_query query)
{
	AUTO(found_free) struct found found = {0};

	query.limit = 200;
	query.until = query.until == 0 ? NEVER : query.until;
	if (audit_find(db, &query, &found) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	return found.n;
}

static void the_audit_is_read_by_whom_what_and_when(void **state)
{
	uint8_t serial[DIGEST_SIZE];
	const struct {
		struct audit_query by;
		size_t rows;
	} rows[] = {
		{{.serial = serial, .serial_n = 16}, 1},
		{{.host = "web-3.s0.example.org"}, 2},
		{{.host = "WEB-3*"}, 22},
		{{.event = "enroll.refused"}, 30},
		{{.event = "enroll.*"}, 120},
		{{.event = "host.*"}, 0},
		{{.code = "ek-untrusted"}, 30},
		{{.who = "alice"}, 3},
		{{.is_act = true}, 3},
		{{.is_act = true, .who = "bob"}, 0},
		{{.request_id = "r-7"}, 1},
		{{.since = 1800000011, .until = 1800000021}, 10},
		{{.since = 1900000000}, 0},
		{{.until = 1}, 0},
	};

	digest_of("serial 17", serial);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (count_audit(*state, rows[i].by) != rows[i].rows)
			fail_msg("row %zu: %zu rows", i, count_audit(*state, rows[i].by));
}

/* A list that nothing fits goes on by stretches, and each call looks at one of them at most. */
static void what_no_index_has_is_looked_for_in_stretches(void **state)
{
	AUTO(found_free) struct found found = {0};
	char after[FOUND_CURSOR];

	database_do("SET session_replication_role = replica;"
		    "INSERT INTO host (name, device_id, alias, bound_at)"
		    " SELECT 'h' || i || '.example.net', gen_random_uuid(), false, now()"
		    " FROM generate_series(1, 6000) AS i");
	assert_int_equal(OK, ask_devices(*state, "*.s2.example.o*", NULL, 10, &found));
	assert_int_equal(0, found.n);
	assert_true(found.next[0] != '\0');
	snprintf(after, sizeof(after), "%s", found.next);
	found_free(&found);
	assert_int_equal(OK, ask_devices(*state, "*.s2.example.o*", after, 10, &found));
	assert_int_equal(10, found.n);
}

static void a_device_is_shown_with_all_that_hangs_on_it(void **state)
{
	AUTO(found_free) struct found found = {0};
	struct attempt a = attempt_of(*state, 101, "a.example.org");

	attempt_enroll(&a);
	assert_int_equal(OK, device_show(*state, a.new_device_id, &found));
	assert_int_equal(1, found.n);
	assert_non_null(strstr(cell(&found, 0, "names"), "\"name\":\"a.example.org\""));
	assert_non_null(strstr(cell(&found, 0, "eks"), "\"has_certificate\":true"));
	assert_null(strstr(cell(&found, 0, "eks"), "null"));
	assert_non_null(strstr(cell(&found, 0, "aks"), "\"state\":\"live\""));
	assert_string_equal("{\"all\" : 1, \"revoked\" : 0, \"in_force\" : 1}",
		cell(&found, 0, "certificates"));
	assert_string_equal("[]", cell(&found, 0, "attempts"));
	found_free(&found);
	a.new_device_id[0] ^= 1;
	assert_int_equal(OK, device_show(*state, a.new_device_id, &found));
	assert_int_equal(0, found.n);
	enrollment_facts_free(&a.facts);
}

static int64_t number_of(const struct found *found, const char *what, bool *about)
{
	for (size_t row = 0; row < found->n; row++)
		if (strcmp(cell(found, row, "what"), what) == 0) {
			*about = found_cell(found, row, 3)->number != 0;
			return found_cell(found, row, 2)->number;
		}
	fail_msg("no number of %s", what);
	return -1;
}

static void few_are_counted_and_many_estimated(void **state)
{
	AUTO(found_free) struct found found = {0};
	bool about;

	assert_int_equal(OK, statistics_read(*state, 1800000000 + 86400 + 30, &found));
	assert_int_equal(60, number_of(&found, "devices", &about));
	assert_false(about);
	assert_int_equal(1, number_of(&found, "devices.held", &about));
	assert_int_equal(1, number_of(&found, "devices.new_in_day", &about));
	assert_int_equal(59, number_of(&found, "devices.manufacturer", &about));
	assert_int_equal(2, number_of(&found, "hosts.barred", &about));
	assert_int_equal(12, number_of(&found, "certificates.revoked", &about));
	found_free(&found);
	database_do(
		"INSERT INTO host_barred SELECT 'b' || i || '.example.net', now(), 'superseded',"
		" 'w', 'b' FROM generate_series(1, 20100) AS i");
	assert_int_equal(OK, statistics_read(*state, 1800000000, &found));
	assert_int_equal(STATISTICS_COUNTED, number_of(&found, "hosts.barred", &about));
	assert_true(about);
}

/* For those that write. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, fleet_made, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_each_list_follow_each_other_without_gap_or_twin),
		cmocka_unit_test(a_cursor_of_another_question_is_refused),
		cmocka_unit_test(a_device_is_found_by_whatever_is_known_of_it),
		cmocka_unit_test(what_does_not_go_together_finds_nothing),
		cmocka_unit_test(a_certificate_is_found_by_whatever_is_known_of_it),
		cmocka_unit_test(the_audit_is_read_by_whom_what_and_when),
		TEST(what_no_index_has_is_looked_for_in_stretches),
		TEST(a_device_is_shown_with_all_that_hangs_on_it),
		TEST(few_are_counted_and_many_estimated),
	};

	return cmocka_run_group_tests(tests, fleet_made, database_close);
}
