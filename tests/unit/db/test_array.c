#include "database.h"
#include "db/array.h"

static enum err take_view(const PGresult *rows, void *into)
{
	struct buf *out = into;

	buf_add(out, row_bytes(rows, 0, 0));
	return OK;
}

/* What the server makes of it, as text. */
static void ask(struct db *db, const char *sql, const struct array *array, const char *wanted)
{
	const struct statement statement = {NULL, sql};
	AUTO(buf_free) struct buf got = BUF(4096);
	struct pipeline trip = {.n = 0};
	struct value value;

	assert_int_equal(OK, array_value(array, &value));
	STEP(&trip, &statement, value);
	step_take(&trip, take_view, &got);
	if (db_run(db, &trip, LOST_GIVE_UP) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	assert_string_equal(wanted, buf_text(&got));
}

static void bytes_and_texts_arrive_as_they_are(void **state)
{
	AUTO(array_free) struct array bytes = {.missing = 0};
	AUTO(array_free) struct array texts = {.missing = 0};

	array_begin(&bytes, ARRAY_BYTES, 3, 64);
	array_add(&bytes, VIEW("a"));
	array_add(&bytes, (struct view){NULL, 0});
	array_add(&bytes, (struct view){(const uint8_t *)"", 0});
	ask(*state, "SELECT ($1::bytea[])::text", &bytes, "{\"\\\\x6100\",NULL,\"\\\\x\"}");
	array_begin(&texts, ARRAY_TEXT, 5, 64);
	array_add(&texts, view_str("{\"a\"}, \\ '"));
	array_add(&texts, view_str(NULL));
	array_add(&texts, view_str(""));
	array_add_prose(&texts, "\xff");
	array_add_prose(&texts, NULL);
	ask(*state,
		"SELECT ($1::text[])[1] || '|' || array_to_string(($1::text[])[2:], ';', 'null')",
		&texts, "{\"a\"}, \\ '|null;;?;null");
}

static void an_empty_array_is_one(void **state)
{
	AUTO(array_free) struct array none = {.missing = 0};

	array_begin(&none, ARRAY_TEXT, 0, 0);
	ask(*state, "SELECT cardinality($1::text[])::text", &none, "0");
}

static void too_few_too_many_and_too_long_are_told(void **state)
{
	AUTO(array_free) struct array few = {.missing = 0};
	AUTO(array_free) struct array many = {.missing = 0};
	AUTO(array_free) struct array large = {.missing = 0};
	struct value value;

	(void)state;
	array_begin(&few, ARRAY_TEXT, 2, 64);
	array_add(&few, view_str("a"));
	assert_int_equal(ERR_INTERNAL, array_value(&few, &value));
	array_begin(&many, ARRAY_TEXT, 0, 64);
	array_add(&many, view_str("a"));
	assert_int_equal(ERR_TOO_LARGE, array_value(&many, &value));
	array_begin(&large, ARRAY_TEXT, 1, 3);
	array_add(&large, view_str("abcd"));
	assert_int_equal(ERR_TOO_LARGE, array_value(&large, &value));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_and_texts_arrive_as_they_are),
		TEST(an_empty_array_is_one),
		TEST(too_few_too_many_and_too_long_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
