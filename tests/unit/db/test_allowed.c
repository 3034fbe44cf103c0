#include "attempt.h"
#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "database.h"
#include "db/allowed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct act admin = {.who = "alice",
	.from = "2001:db8::7",
	.reason = "delivery 17",
	.request_id = "r-9",
	.now = NOW};

static const uint8_t ek_public[] = "stands for a TPM2B_PUBLIC";

/* The EK of TPM number `tpm`, as attempt_of() has it. */
static struct allowed entry(unsigned tpm, const char *host)
{
	const struct attempt attempt = attempt_of(NULL, tpm, host);
	struct allowed one = {.host = host, .labels = "{}"};

	memcpy(one.ek_digest, attempt.ek_digest, DIGEST_SIZE);
	return one;
}

static enum allowed_fate add_one(struct db *db, struct allowed one)
{
	enum allowed_fate fate = ALLOWED_SAME;

	if (allowed_add(db, &one, 1, "factory.csv", false, false, &admin, &fate) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	return fate;
}

static int64_t rows(void)
{
	return database_count("SELECT count(*) FROM ek_allowed");
}

static void an_entry_is_kept_with_all_it_says(void **state)
{
	AUTO(allowed_page_free) struct allowed_page page = {.n = 0};
	const struct allowed_query all = {.limit = 10};
	struct allowed one = entry(1, "a.example.org");
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	one.ek_public = VIEW(ek_public);
	one.serial = "SN 7";
	one.labels = "{\"rack\":\"7\"}";
	assert_int_equal(ALLOWED_ADDED, add_one(*state, one));
	assert_int_equal(ALLOWED_SAME, add_one(*state, one));
	assert_int_equal(OK, allowed_read(*state, &all, &page));
	assert_true(page.n == 1 && !page.more);
	assert_memory_equal(one.ek_digest, page.items[0].ek_digest, DIGEST_SIZE);
	assert_string_equal("SN 7", page.items[0].serial);
	assert_string_equal("a.example.org", page.items[0].host);
	assert_string_equal("{\"rack\": \"7\"}", page.items[0].labels);
	assert_string_equal("factory.csv", page.items[0].source);
	assert_string_equal("alice", page.items[0].added_by);
	assert_string_equal("delivery 17", page.items[0].why);
	assert_int_equal(NOW, page.items[0].added_at);
	assert_false(page.items[0].is_enrolled);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'ek.allowed'"
				  " AND ek_digest IS NOT NULL AND host = 'a.example.org'"
				  " AND detail = 'factory.csv: delivery 17' AND who = 'alice'"
				  " AND client_address = '2001:db8::7' AND request_id = 'r-9'"));
	attempt_enroll(&a);
	allowed_page_free(&page);
	assert_int_equal(OK, allowed_read(*state, &all, &page));
	assert_true(page.items[0].is_enrolled);
	enrollment_facts_free(&a.facts);
}

/* Before each of these: EK 1 is registered for a, EK 2 for no name; device 3 is bound to c, device 4
 * to d and an alias, device 5 had e. */
static const struct {
	unsigned tpm;
	const char *host, *serial, *labels;
	enum allowed_fate fate;
} fates[] = {
	{9, "z.example.org", NULL, NULL, ALLOWED_ADDED},
	{9, NULL, "SN 9", "{\"a\":\"b\"}", ALLOWED_ADDED},
	{1, "a.example.org", NULL, NULL, ALLOWED_SAME},
	{2, NULL, "SN 2", "{ \"x\" : \"y\" }", ALLOWED_SAME},
	{1, "z.example.org", NULL, NULL, ALLOWED_EK_TAKEN},
	{1, NULL, NULL, NULL, ALLOWED_EK_TAKEN},
	{1, "a.example.org", "SN 1", NULL, ALLOWED_EK_TAKEN},
	{2, NULL, "SN 2", "{\"x\":\"z\"}", ALLOWED_EK_TAKEN},
	{9, "a.example.org", NULL, NULL, ALLOWED_HOST_TAKEN},
	{9, "c.example.org", NULL, NULL, ALLOWED_HOST_BOUND},
	{4, "c.example.org", NULL, NULL, ALLOWED_HOST_BOUND},
	{3, "c.example.org", NULL, NULL, ALLOWED_ADDED},
	{3, NULL, NULL, NULL, ALLOWED_ADDED},
	{3, "z.example.org", NULL, NULL, ALLOWED_EK_BOUND},
	{4, "alias.example.org", NULL, NULL, ALLOWED_ADDED},
	{5, "z.example.org", NULL, NULL, ALLOWED_ADDED},
};

static void bind_device(struct db *db, unsigned tpm, const char *host)
{
	struct attempt attempt = attempt_of(db, tpm, host);

	attempt_lookup(&attempt);
	attempt.host_alias = attempt.facts.device_known;
	assert_int_equal(OK, attempt_record(&attempt));
	enrollment_facts_free(&attempt.facts);
}

static void each_entry_is_told_what_became_of_it(void **state)
{
	struct allowed second = entry(2, NULL);

	second.serial = "SN 2";
	second.labels = "{\"x\":\"y\"}";
	bind_device(*state, 3, "c.example.org");
	bind_device(*state, 4, "d.example.org");
	bind_device(*state, 4, "alias.example.org");
	bind_device(*state, 5, "e.example.org");
	database_do("DELETE FROM host WHERE name = 'e.example.org'");
	for (size_t i = 0; i < COUNT(fates); i++) {
		struct allowed one = entry(fates[i].tpm, fates[i].host);
		enum allowed_fate fate;

		database_do("TRUNCATE ek_allowed");
		add_one(*state, entry(1, "a.example.org"));
		add_one(*state, second);
		one.serial = fates[i].serial;
		one.labels = fates[i].labels;
		fate = add_one(*state, one);
		if (fate != fates[i].fate)
			fail_msg("%zu: %d and not %d", i, (int)fate, (int)fates[i].fate);
		assert_int_equal(fate == ALLOWED_ADDED ? 3 : 2, rows());
	}
}

static void one_bad_entry_keeps_all_out_unless_it_may_be_skipped(void **state)
{
	const struct allowed list[] = {entry(1, "a.example.org"), entry(2, "b.example.org"),
		entry(1, "a.example.org"), entry(3, "b.example.org"), entry(1, "c.example.org"),
		entry(4, NULL)};
	static const enum allowed_fate wanted[] = {ALLOWED_ADDED, ALLOWED_ADDED, ALLOWED_SAME,
		ALLOWED_HOST_TAKEN, ALLOWED_EK_TAKEN, ALLOWED_ADDED};
	enum allowed_fate fate[COUNT(list)];

	for (unsigned i = 0; i < 3; i++) {
		bool skips = i > 0, is_dry = i < 2;

		memset(fate, 0xff, sizeof(fate));
		assert_int_equal(OK, allowed_add(*state, list, COUNT(list), "f.csv", skips,
					     skips && is_dry, &admin, fate));
		assert_memory_equal(wanted, fate, sizeof(fate));
		assert_int_equal(skips && !is_dry ? 3 : 0, rows());
		assert_int_equal(rows(), database_count("SELECT count(*) FROM audit"));
	}
	assert_int_equal(OK, allowed_add(*state, list, 0, "f.csv", false, false, &admin, fate));
}

static void an_entry_is_removed_with_who_and_why_and_what_was_issued_stays(void **state)
{
	const struct allowed one = entry(1, "a.example.org");
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	assert_int_equal(ERR_NOT_FOUND, allowed_remove(*state, one.ek_digest, &admin));
	assert_string_equal("ek-unknown", why()->code);
	assert_int_equal(0, database_count("SELECT count(*) FROM audit"));
	add_one(*state, one);
	attempt_enroll(&a);
	assert_int_equal(OK, allowed_remove(*state, one.ek_digest, &admin));
	assert_int_equal(0, rows());
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate"));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit JOIN ek USING (ek_digest, device_id)"
				  " WHERE event = 'ek.disallowed' AND host = 'a.example.org'"
				  " AND detail = 'delivery 17' AND who = 'alice'"
				  " AND client_address = '2001:db8::7' AND request_id = 'r-9'"));
	enrollment_facts_free(&a.facts);
}

static size_t count(struct db *db, const struct allowed_query *query)
{
	AUTO(allowed_page_free) struct allowed_page page = {.n = 0};

	assert_int_equal(OK, allowed_read(db, query, &page));
	return page.n;
}

static void pages_follow_each_other_and_patterns_pick_rows(void **state)
{
	struct allowed list[5];
	enum allowed_fate fate[COUNT(list)];
	uint8_t after[DIGEST_SIZE] = {0};
	struct allowed_query query = {.after = after, .limit = 2};
	size_t seen = 0;
	bool more = true;

	for (unsigned i = 0; i < COUNT(list); i++)
		list[i] = entry(i, NULL);
	list[1].host = "a.example.org";
	list[2].host = "b.example.org";
	list[3].serial = "SN 3";
	assert_int_equal(OK, allowed_add(*state, list, 5, "f.csv", false, false, &admin, fate));
	while (more) {
		AUTO(allowed_page_free) struct allowed_page page = {.n = 0};

		assert_int_equal(OK, allowed_read(*state, &query, &page));
		assert_in_range(page.n, 1, 2);
		for (size_t i = 0; i < page.n; i++) {
			assert_true(memcmp(after, page.items[i].ek_digest, DIGEST_SIZE) < 0);
			memcpy(after, page.items[i].ek_digest, DIGEST_SIZE);
		}
		seen += page.n;
		more = page.more;
	}
	assert_int_equal(5, seen);
	assert_int_equal(
		2, count(*state, &(struct allowed_query){.host = "*.Example.org", .limit = 10}));
	assert_int_equal(1, count(*state, &(struct allowed_query){.host = "a.*", .limit = 10}));
	assert_int_equal(0, count(*state, &(struct allowed_query){.host = "%", .limit = 10}));
	assert_int_equal(1, count(*state, &(struct allowed_query){.serial = "SN 3", .limit = 10}));
}

#define MANY 10000

static void ten_thousand_entries_come_in_one_transaction(void **state)
{
	AUTO(mem_free) struct allowed *list = calloc(MANY, sizeof(*list));
	AUTO(mem_free) enum allowed_fate *fate = calloc(MANY, sizeof(*fate));
	AUTO(mem_free) char(*hosts)[32] = calloc(MANY, sizeof(*hosts));
	int64_t begin;

	assert_true(list != NULL && fate != NULL && hosts != NULL);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(hosts[i], sizeof(hosts[i]), "h%u.example.org", i);
		list[i].host = hosts[i];
		list[i].labels = "{\"rack\":\"7\",\"row\":\"12\",\"site\":\"north\"}";
		list[i].serial = hosts[i];
		list[i].ek_public = VIEW(ek_public);
		assert_int_equal(OK, random_bytes(list[i].ek_digest, DIGEST_SIZE));
	}
	begin = clock_ms();
	assert_int_equal(OK, allowed_add(*state, list, MANY, "f.csv", false, false, &admin, fate));
	print_message("10,000 entries: %lld ms\n", (long long)(clock_ms() - begin));
	assert_int_equal(MANY, rows());
	assert_int_equal(MANY, database_count("SELECT count(*) FROM audit"));
	begin = clock_ms();
	assert_int_equal(OK, allowed_add(*state, list, MANY, "f.csv", false, false, &admin, fate));
	print_message("the same again: %lld ms\n", (long long)(clock_ms() - begin));
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(ALLOWED_SAME, fate[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_is_kept_with_all_it_says),
		TEST(each_entry_is_told_what_became_of_it),
		TEST(one_bad_entry_keeps_all_out_unless_it_may_be_skipped),
		TEST(an_entry_is_removed_with_who_and_why_and_what_was_issued_stays),
		TEST(pages_follow_each_other_and_patterns_pick_rows),
		TEST(ten_thousand_entries_come_in_one_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
