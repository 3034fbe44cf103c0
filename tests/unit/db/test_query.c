#include "database.h"
#include "db/query.h"

#include <stdio.h>
#include <string.h>

static enum err run_text(struct db *db, const char *text)
{
	struct statement statement = {NULL, text};
	struct pipeline pipeline = {.steps = {{.statement = &statement}}, .n = 1};

	return db_run(db, &pipeline, LOST_GIVE_UP);
}

static void each_sqlstate_has_its_meaning(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		const char *code;
	} cases[] = {
		{"SELECT insist(true, 'x')", OK, ""},
		{"SELECT insist(false, 'x')", ERR_CONFLICT, "database-moved"},
		{"SELECT insist(NULL, 'x')", ERR_CONFLICT, "database-moved"},
		{"INSERT INTO schema_version SELECT * FROM schema_version", ERR_CONFLICT,
			"database-moved"},
		{"SELECT raise('40001')", ERR_CONFLICT, "database-moved"},
		{"SELECT raise('40P01')", ERR_CONFLICT, "database-moved"},
		{"SELECT raise('08006')", ERR_BUSY, "database-unreachable"},
		{"SELECT raise('57P01')", ERR_BUSY, "database-unreachable"},
		{"SELECT raise('53300')", ERR_BUSY, "database-unreachable"},
		{"SELECT raise('26000')", ERR_BUSY, "database-unreachable"},
		{"SELECT raise('25006')", ERR_BUSY, "database-refuses"},
		{"SELECT raise('53100')", ERR_BUSY, "database-refuses"},
		{"SELECT raise('57014')", ERR_BUSY, "database-late"},
		{"SELECT raise('55P03')", ERR_BUSY, "database-late"},
		{"SELECT * FROM not_there", ERR_BUSY, "database-schema"},
		{"SELEC", ERR_INTERNAL, "database-error"},
		{"SELECT raise('23514')", ERR_INTERNAL, "database-error"},
		{"SELECT raise('23502')", ERR_INTERNAL, "database-error"},
	};

	database_do("CREATE FUNCTION raise(state text) RETURNS void LANGUAGE plpgsql AS"
		    " $$ BEGIN RAISE EXCEPTION USING ERRCODE = state; END $$");
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (run_text(*state, cases[i].text) != cases[i].err)
			fail_msg("%s: %s %s", cases[i].text, why()->code, why()->sentence);
		if (cases[i].err != OK)
			assert_string_equal(cases[i].code, why()->code);
	}
}

static void one_failed_step_undoes_those_before_it(void **state)
{
	static const struct statement good = {NULL, "INSERT INTO t VALUES ($1::bigint)"};
	static const struct statement bad = {NULL, "SELECT insist(false, 'no')"};
	struct pipeline pipeline = {.n = 0};

	database_do("CREATE TABLE t (i bigint)");
	STEP(&pipeline, &good, value_int(1));
	step_add(&pipeline, &bad, NULL, 0);
	STEP(&pipeline, &good, value_int(2));
	assert_int_equal(ERR_CONFLICT, db_run(*state, &pipeline, LOST_GIVE_UP));
	assert_string_equal("SQLSTATE EN001: no", why()->sentence);
	assert_int_equal(0, database_count("SELECT count(*) FROM t"));
	pipeline.n = 1;
	assert_int_equal(OK, db_run(*state, &pipeline, LOST_GIVE_UP));
	assert_int_equal(1, database_count("SELECT count(*) FROM t"));
}

static enum err never(const PGresult *rows, void *into)
{
	(void)rows;
	*(bool *)into = true;
	return OK;
}

static void a_commit_that_fails_is_a_failure_and_hands_over_no_rows(void **state)
{
	static const struct statement add = {NULL, "INSERT INTO t VALUES (1) RETURNING i"};
	struct pipeline pipeline = {.steps = {{.statement = &add}}, .n = 1};
	bool called = false;

	database_do("CREATE TABLE t (i bigint UNIQUE DEFERRABLE INITIALLY DEFERRED);"
		    "INSERT INTO t VALUES (1)");
	step_take(&pipeline, never, &called);
	assert_int_equal(ERR_CONFLICT, db_run(*state, &pipeline, LOST_GIVE_UP));
	assert_string_equal("database-moved", why()->code);
	assert_false(called);
	assert_int_equal(OK, run_text(*state, "SELECT 1"));
}

struct row {
	int64_t number;
	bool yes, is_null;
	uint8_t bytes[3];
	char text[8];
};

static enum err take_row(const PGresult *rows, void *into)
{
	struct row *row = into;

	row->number = row_int(rows, 0, 0);
	row->yes = row_bool(rows, 0, 1);
	row->is_null = row_is_null(rows, 0, 2) && row_bytes(rows, 0, 2).n == 0;
	TRY(row_copy(rows, 0, 3, row->bytes, sizeof(row->bytes)));
	snprintf(row->text, sizeof(row->text), "%s", (const char *)row_bytes(rows, 0, 4).p);
	return OK;
}

static void values_come_back_as_they_were_sent(void **state)
{
	static const struct statement echo = {
		NULL, "SELECT $1::bigint, $2::boolean, $3::bytea, $4::bytea, $5::text"};
	const uint8_t bytes[3] = {0x00, 0xff, 0x00};
	struct pipeline pipeline = {.n = 0};
	struct row row = {0};

	STEP(&pipeline, &echo, value_int(INT64_MIN + 1), value_bool(true),
		value_bytes((struct view){NULL, 0}), value_bytes(VIEW(bytes)), value_text("a'b\\"));
	step_take(&pipeline, take_row, &row);
	assert_int_equal(OK, db_run(*state, &pipeline, LOST_GIVE_UP));
	assert_true(row.number == INT64_MIN + 1);
	assert_true(row.yes);
	assert_true(row.is_null);
	assert_memory_equal(bytes, row.bytes, sizeof(bytes));
	assert_string_equal("a'b\\", row.text);
}

static void prose_is_cut_and_made_printable(void **state)
{
	static const struct statement keep = {NULL, "INSERT INTO t VALUES ($1::text)"};
	struct pipeline pipeline = {.n = 0};
	char longer[600];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer, "a\n\xc3\x28\x7f", 5);
	database_do("CREATE TABLE t (x text)");
	STEP(&pipeline, &keep, value_prose(longer));
	assert_int_equal(OK, db_run(*state, &pipeline, LOST_GIVE_UP));
	assert_int_equal(1, database_count("SELECT count(*) FROM t WHERE x = 'a' || repeat('?', 2) "
					   "|| '(?' || repeat('x', 507)"));
}

static void what_does_not_fit_is_refused_and_not_cut_off(void **state)
{
	static const struct statement one = {NULL, "SELECT 1"};
	struct pipeline pipeline = {.n = 0};

	for (int i = 0; i <= PIPELINE_MAX; i++)
		step_add(&pipeline, &one, NULL, 0);
	assert_int_equal(ERR_INTERNAL, db_run(*state, &pipeline, LOST_GIVE_UP));
	assert_string_equal("database-error", why()->code);
}

static enum err take_size(const PGresult *rows, void *into)
{
	*(size_t *)into = row_bytes(rows, 0, 0).n;
	return OK;
}

static void more_than_any_socket_buffer_goes_both_ways(void **state)
{
	static const struct statement echo = {NULL, "SELECT $1::bytea || $1::bytea"};
	static uint8_t large[4 * 1024 * 1024];
	struct pipeline pipeline = {.n = 0};
	size_t sizes[4] = {0};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		STEP(&pipeline, &echo, value_bytes(VIEW(large)));
		step_take(&pipeline, take_size, &sizes[i]);
	}
	assert_int_equal(OK, db_run(*state, &pipeline, LOST_GIVE_UP));
	for (size_t i = 0; i < COUNT(sizes); i++)
		assert_int_equal(2 * sizeof(large), sizes[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_sqlstate_has_its_meaning),
		TEST(one_failed_step_undoes_those_before_it),
		TEST(a_commit_that_fails_is_a_failure_and_hands_over_no_rows),
		TEST(values_come_back_as_they_were_sent),
		TEST(prose_is_cut_and_made_printable),
		TEST(what_does_not_fit_is_refused_and_not_cut_off),
		TEST(more_than_any_socket_buffer_goes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
