#include "tests/bench/endorse-bench/floor/part.h"
static enum err database_make(const struct floor_plan *plan, void **state)
{
	(void)plan;
	(void)state;
	return OK;
}
static enum err database_run(void *state, unsigned *n, uint64_t *ns)
{
	(void)state;
	(void)n;
	*ns = 0;
	return OK;
}
static void database_free(void *state)
{
	(void)state;
}
const struct part part_database = {1, database_make, database_run, database_free};
