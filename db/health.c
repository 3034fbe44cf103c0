#include "db/health.h"

#include "db/connection.h"
#include "db/pool_connection.h"

#include <time.h>

static const struct statement tell_time = {
	NULL, "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"};

static int64_t our_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum err take_time(const PGresult *rows, void *into)
{
	if (PQntuples(rows) != 1)
		return fail(ERR_INTERNAL, "database-error", "no time of day");
	*(int64_t *)into = row_int(rows, 0, 0);
	return OK;
}

enum err db_health(struct db *db, struct db_health *out)
{
	AUTO(connection_close) PGconn *connection = NULL;
	struct pipeline trip = {.n = 0};
	int64_t theirs = 0, before;
	bool lost;

	*out = (struct db_health){0};
	db_usage(db, &out->lent, &out->size);
	TRY(db_connect(db, &connection));
	before = our_ms();
	step_add(&trip, &tell_time, NULL, 0);
	step_take(&trip, take_time, &theirs);
	TRY(connection_run(connection, &trip, &lost));
	/* Their clock was read somewhere between the two readings of ours. */
	out->ahead_ms = theirs - (before + (our_ms() - before) / 2);
	return OK;
}

_Static_assert(TOGETHER_MAX == COMPANY_MAX, "a place for each size");

void db_together(struct db *db, struct db_together *out)
{
	struct company_counts counts;

	company_count(db_records(db), &counts);
	*out = (struct db_together){.apart = counts.apart, .waiting = counts.waiting};
	for (size_t i = 0; i <= TOGETHER_MAX; i++)
		out->transactions[i] = counts.began[i];
}
