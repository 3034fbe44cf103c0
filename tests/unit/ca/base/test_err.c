#include "ca/base/err.h"

/* Here, where fail() is still err.h's: cmocka.h has one too. */
static enum err disk_is_full(void)
{
	return fail(ERR_INTERNAL, "disk", "%s", "full");
}

#include "tests/unit/check.h"

#include <pthread.h>

static void a_refusal_is_kept_with_its_code_clause_and_sentence(void **state)
{
	(void)state;
	assert_refused(refuse(ERR_REJECTED, "some-code", "RFC 0 1", "%d of %s", 3, "four"),
		ERR_REJECTED, "some-code");
	assert_int_equal(ERR_REJECTED, why()->err);
	assert_string_equal("RFC 0 1", why()->clause);
	assert_string_equal("3 of four", why()->sentence);
}

static void a_failure_of_ours_names_no_clause(void **state)
{
	(void)state;
	assert_refused(refuse(ERR_DENIED, "before", "clause", "before"), ERR_DENIED, "before");
	assert_refused(disk_is_full(), ERR_INTERNAL, "disk");
	assert_string_equal("", why()->clause);
	assert_string_equal("full", why()->sentence);
}

static void a_sentence_is_cut_at_511_bytes(void **state)
{
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[511] = '\0';
	assert_refused(refuse(ERR_BUSY, "a", "b", "%s", text), ERR_BUSY, "a");
	assert_int_equal(511, strlen(why()->sentence));
	text[511] = 'x';
	text[512] = '\0';
	assert_refused(refuse(ERR_BUSY, "a", "b", "%s", text), ERR_BUSY, "a");
	assert_int_equal(511, strlen(why()->sentence));
}

static void a_refusal_may_quote_the_one_before(void **state)
{
	(void)state;
	assert_refused(refuse(ERR_BUSY, "a", "b", "below"), ERR_BUSY, "a");
	assert_refused(
		refuse(ERR_LIMITED, "c", "d", "above %s", why()->sentence), ERR_LIMITED, "c");
	assert_string_equal("above below", why()->sentence);
}

static void *ask_in_a_new_thread(void *unused)
{
	(void)unused;
	return why()->code[0] == '\0' && why()->err == OK ? NULL : "a reason";
}

static void a_reason_belongs_to_its_thread(void **state)
{
	pthread_t thread;
	void *found;

	(void)state;
	assert_refused(refuse(ERR_BUSY, "a", "b", "mine"), ERR_BUSY, "a");
	assert_int_equal(0, pthread_create(&thread, NULL, ask_in_a_new_thread, NULL));
	assert_int_equal(0, pthread_join(thread, &found));
	assert_null(found);
	assert_string_equal("mine", why()->sentence);
}

static void each_error_has_its_status_and_title(void **state)
{
	static const struct {
		enum err err;
		int http;
		const char *title;
	} rows[] = {
		{OK, 200, "OK"},
		{ERR_PENDING, 202, "Waiting for approval"},
		{ERR_MALFORMED, 400, "Malformed request"},
		{ERR_UNPROVEN, 401, "Not proven"},
		{ERR_DENIED, 403, "Not allowed"},
		{ERR_NOT_FOUND, 404, "Not found"},
		{ERR_METHOD, 405, "Method not allowed"},
		{ERR_CONFLICT, 409, "Conflict"},
		{ERR_NO_LENGTH, 411, "Length required"},
		{ERR_TOO_LARGE, 413, "Content too large"},
		{ERR_REJECTED, 422, "Evidence rejected"},
		{ERR_LIMITED, 429, "Too many requests"},
		{ERR_INTERNAL, 500, "Internal error"},
		{ERR_BUSY, 503, "Temporarily unavailable"},
	};

	(void)state;
	assert_int_equal(ERR_BUSY + 1, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(rows[i].http, err_http(rows[i].err));
		assert_string_equal(rows[i].title, err_title(rows[i].err));
	}
}

static void an_error_of_no_known_value_is_ours(void **state)
{
	(void)state;
	assert_int_equal(500, err_http((enum err)(ERR_BUSY + 1)));
	assert_string_equal("Internal error", err_title((enum err)(ERR_BUSY + 1)));
}

static enum err try_it(enum err inner, int *went_on)
{
	TRY(inner);
	*went_on = 1;
	return OK;
}

static void try_returns_the_error_and_goes_on_without_one(void **state)
{
	int went_on = 0;

	(void)state;
	assert_int_equal(ERR_CONFLICT, try_it(ERR_CONFLICT, &went_on));
	assert_int_equal(0, went_on);
	assert_int_equal(OK, try_it(OK, &went_on));
	assert_int_equal(1, went_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_kept_with_its_code_clause_and_sentence),
		cmocka_unit_test(a_failure_of_ours_names_no_clause),
		cmocka_unit_test(a_sentence_is_cut_at_511_bytes),
		cmocka_unit_test(a_refusal_may_quote_the_one_before),
		cmocka_unit_test(a_reason_belongs_to_its_thread),
		cmocka_unit_test(each_error_has_its_status_and_title),
		cmocka_unit_test(an_error_of_no_known_value_is_ours),
		cmocka_unit_test(try_returns_the_error_and_goes_on_without_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
