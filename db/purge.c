#include "db/purge.h"

#define PURGE_BATCH 5000

static enum err take_count(const PGresult *rows, void *into)
{
	int64_t *count = into;

	*count = row_int(rows, 0, 0);
	return OK;
}

enum err purge_some(
	struct db *db, const struct statement *statement, int64_t age, int64_t most, int64_t *gone)
{
	struct pipeline trip = {.n = 0};
	int64_t batch = PURGE_BATCH;

	STEP(&trip, statement, value_int(age), value_int(PURGE_BATCH));
	step_take(&trip, take_count, &batch);
	while (batch == PURGE_BATCH && *gone < most) {
		TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
		*gone += batch;
	}
	return OK;
}

enum err purge_run(struct db *db, const struct statement *statement, int64_t age)
{
	int64_t gone = 0;

	return purge_some(db, statement, age, INT64_MAX, &gone);
}
