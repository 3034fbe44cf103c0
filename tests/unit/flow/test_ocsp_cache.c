#include "enroll/flow/ocsp_cache.h"

#include "tests/unit/check.h"

#include <pthread.h>

#define NOW 1800000000
#define HOURS(n) ((n)*3600)

static struct ocsp_cache *cache;

static int make(void **state)
{
	(void)state;
	assert_ok(ocsp_cache_make(1 << 16, &cache));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	ocsp_cache_free(&cache);
	return 0;
}

/* An answer with these bytes, made at NOW; its etag is its text. */
static struct ocsp_reply reply_of(const char *bytes)
{
	struct ocsp_reply reply = {.this_update = NOW,
		.next_update = NOW + HOURS(1),
		.is_for_all = true,
		.is_revoked = true,
		.revoked_at = 7,
		.reason = 1};

	snprintf(reply.etag, sizeof(reply.etag), "%s", bytes);
	reply.der = BUF(4096);
	buf_str(&reply.der, bytes);
	return reply;
}

static void put(const char *key, int64_t revision, const char *bytes)
{
	AUTO(ocsp_reply_free) struct ocsp_reply reply = reply_of(bytes);

	ocsp_cache_put(cache, view_str(key), revision, &reply);
}

static enum ocsp_found find(const char *key, int64_t revision, int64_t now, const char *bytes)
{
	AUTO(ocsp_reply_free) struct ocsp_reply reply = {.this_update = 0};
	enum ocsp_found found = ocsp_cache_find(cache, view_str(key), revision, now, &reply);

	if (found != OCSP_FOUND_NONE) {
		assert_string_equal(bytes, buf_text(&reply.der));
		assert_string_equal(bytes, reply.etag);
		assert_true(reply.is_revoked && reply.is_for_all);
		assert_int_equal(7, reply.revoked_at);
		assert_int_equal(1, reply.reason);
		assert_int_equal(NOW, reply.this_update);
	} else {
		assert_int_equal(0, reply.der.n);
	}
	return found;
}

static void what_is_kept_is_found_by_its_key_alone(void **state)
{
	(void)state;
	put("a", 1, "answer a");
	put("b", 1, "answer b");
	assert_int_equal(OCSP_FOUND, find("a", 1, NOW, "answer a"));
	assert_int_equal(OCSP_FOUND, find("b", 1, NOW, "answer b"));
	assert_int_equal(OCSP_FOUND_NONE, find("c", 1, NOW, NULL));
	put("a", 1, "another");
	assert_int_equal(OCSP_FOUND, find("a", 1, NOW, "another"));
}

static void half_of_its_time_is_for_who_is_given_it(void **state)
{
	(void)state;
	put("a", 1, "answer a");
	assert_int_equal(OCSP_FOUND, find("a", 1, NOW + 1799, "answer a"));
	assert_int_equal(OCSP_FOUND_NONE, find("a", 1, NOW + 1800, NULL));
	/* The clock was set back: it is of a time that is to come. */
	assert_int_equal(OCSP_FOUND_NONE, find("a", 1, NOW - 1, NULL));
}

static void at_another_revision_it_is_to_be_confirmed(void **state)
{
	AUTO(ocsp_reply_free) struct ocsp_reply same = reply_of("answer a");
	AUTO(ocsp_reply_free) struct ocsp_reply other = reply_of("another");

	(void)state;
	put("a", 5, "answer a");
	assert_int_equal(OCSP_FOUND_OLD, find("a", 6, NOW, "answer a"));
	/* Somebody else's answer took its place meanwhile. */
	ocsp_cache_confirm(cache, view_str("a"), 6, &other);
	assert_int_equal(OCSP_FOUND_OLD, find("a", 6, NOW, "answer a"));
	ocsp_cache_confirm(cache, view_str("a"), 6, &same);
	assert_int_equal(OCSP_FOUND, find("a", 6, NOW, "answer a"));
	/* Whoever is late does not set it back. */
	ocsp_cache_confirm(cache, view_str("a"), 5, &same);
	assert_int_equal(OCSP_FOUND, find("a", 6, NOW, "answer a"));
	ocsp_cache_confirm(cache, view_str("nobody's"), 6, &same);
}

static void no_more_is_kept_than_has_room_and_what_was_asked_for_last_stays(void **state)
{
	char key[16];
	size_t entries, bytes, after;

	(void)state;
	put("wanted", 1, "answer");
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put(key, 1, "answer");
		assert_int_equal(OCSP_FOUND, find("wanted", 1, NOW, "answer"));
		ocsp_cache_size(cache, &entries, &bytes);
		assert_true(bytes <= 1 << 16);
	}
	assert_true(entries > 50 && entries < 1000);
	assert_int_equal(OCSP_FOUND, find("999", 1, NOW, "answer"));
	assert_int_equal(OCSP_FOUND_NONE, find("0", 1, NOW, NULL));
	put("999", 1, "answer");
	ocsp_cache_size(cache, &after, &bytes);
	assert_int_equal(entries, after);
}

static void *churn(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg, found = 0;
	char key[16];

	for (int i = 0; i < 5000; i++) {
		AUTO(ocsp_reply_free) struct ocsp_reply out = {.this_update = 0};
		AUTO(ocsp_reply_free)
		struct ocsp_reply in = {
			.this_update = NOW, .next_update = NOW + HOURS(1), .der = BUF(16)};

		seed = seed * 1103515245 + 12345;
		snprintf(key, sizeof(key), "%u", seed >> 16 & 511);
		buf_str(&in.der, key);
		if (ocsp_cache_find(cache, view_str(key), 1, NOW, &out) == OCSP_FOUND &&
			view_equal(view_str(key), buf_view(&out.der)))
			found++;
		ocsp_cache_put(cache, view_str(key), 1, &in);
	}
	return found > 0 ? arg : NULL;
}

static void threads_do_not_get_into_each_others_way(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, churn, (void *)(i + 1)));
	for (uintptr_t i = 0; i < 4; i++) {
		void *found;

		assert_int_equal(0, pthread_join(threads[i], &found));
		assert_ptr_equal((void *)(i + 1), found);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_found_by_its_key_alone),
		TEST(half_of_its_time_is_for_who_is_given_it),
		TEST(at_another_revision_it_is_to_be_confirmed),
		TEST(no_more_is_kept_than_has_room_and_what_was_asked_for_last_stays),
		TEST(threads_do_not_get_into_each_others_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
