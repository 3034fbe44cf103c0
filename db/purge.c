#include "db/purge.h"

#define PURGE_BATCH 5000

static enum err take_count(const PGresult *rows, void *into)
{
	int64_t *count = into;

	*count = row_int(rows, 0, 0);
	return OK;
}

enum err purge_run(struct db *db, const struct statement *statement, int64_t age)
{
	struct pipeline trip = {.n = 0};
	int64_t gone = 0;

	STEP(&trip, statement, value_int(age), value_int(PURGE_BATCH));
	step_take(&trip, take_count, &gone);
	do
		TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	while (gone == PURGE_BATCH);
	return OK;
}
