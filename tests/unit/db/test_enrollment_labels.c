#include "attempt.h"
#include "ca/base/encode.h"
#include "database.h"

#include <string.h>

/* What the allow-list says of this EK. */
static void allow(const struct attempt *attempt, const char *labels)
{
	AUTO(buf_free) struct buf sql = BUF(2048);

	buf_str(&sql, "INSERT INTO ek_allowed (ek_digest, labels, source, added_at, added_by, why)"
		      " VALUES ('\\x");
	hex_add(&sql, VIEW(attempt->ek_digest));
	buf_fmt(&sql, "', '%s', 'factory.csv', now(), 'w', 'y')", labels);
	database_do(buf_text(&sql));
}

static void assert_labels(const struct attempt *attempt, const char *wanted)
{
	AUTO(buf_free) struct buf found = BUF(1 << 12);

	for (size_t i = 0; i < attempt->facts.labels_n; i++)
		buf_fmt(&found, "%s=%s;", attempt->facts.labels[i].name,
			attempt->facts.labels[i].value);
	assert_string_equal(wanted, buf_text(&found));
}

static void a_new_device_has_the_labels_of_its_ek_by_name(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");

	allow(&a, "{\"site\": \"fra\", \"Rack\": \"7\", \"row\": \"a=b\"}");
	attempt_lookup(&a);
	assert_labels(&a, "Rack=7;row=a=b;site=fra;");
	attempt_lookup(&b);
	assert_labels(&b, "");
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void a_known_device_has_its_own_labels(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	allow(&a, "{\"site\": \"fra\"}");
	attempt_enroll(&a);
	database_do("UPDATE ek_allowed SET labels = '{\"site\": \"lab\"}'");
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_labels(&a, "site=fra;");
	attempt_use_ek(&a, 9); /* another EK, the same AK: the same device */
	attempt_lookup(&a);
	assert_labels(&a, "site=fra;");
	attempt_anew(&a);
	attempt_enroll(&a);
	enrollment_facts_free(&a.facts);
}

static void a_new_device_loses_when_its_labels_were_changed(void **state)
{
	static const char *const changes[] = {
		"UPDATE ek_allowed SET labels = '{\"site\": \"lab\"}'", "DELETE FROM ek_allowed"};

	for (size_t i = 0; i < COUNT(changes); i++) {
		struct attempt a = attempt_of(*state, 1, "a.example.org");

		allow(&a, "{\"site\": \"fra\"}");
		attempt_lookup(&a);
		database_do(changes[i]);
		assert_int_equal(ERR_CONFLICT, attempt_record(&a));
		assert_string_equal("database-moved", why()->code);
		database_do("DELETE FROM ek_allowed");
		enrollment_facts_free(&a.facts);
	}
}

static void a_new_device_loses_when_it_got_labels_meanwhile(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_lookup(&a);
	allow(&a, "{\"site\": \"fra\"}");
	assert_int_equal(ERR_CONFLICT, attempt_record(&a));
	attempt_enroll(&a);
	assert_labels(&a, "site=fra;");
	enrollment_facts_free(&a.facts);
}

static int64_t live(void)
{
	return database_count("SELECT count(*) FROM ak WHERE state = 'live'");
}

static void an_ak_that_stands_alone_ends_all_others(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_use_ak(&a, 2);
	attempt_enroll(&a);
	assert_int_equal(2, live());
	attempt_anew(&a);
	a.ak_alone = true;
	attempt_enroll(&a); /* it is known already */
	assert_int_equal(1, live());
	attempt_anew(&a);
	attempt_use_ak(&a, 3);
	attempt_enroll(&a);
	assert_int_equal(1, live());
	attempt_lookup(&a);
	assert_true(a.facts.ak_live);
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_device_has_the_labels_of_its_ek_by_name),
		TEST(a_known_device_has_its_own_labels),
		TEST(a_new_device_loses_when_its_labels_were_changed),
		TEST(a_new_device_loses_when_it_got_labels_meanwhile),
		TEST(an_ak_that_stands_alone_ends_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
