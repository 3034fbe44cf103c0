#include "tests/flow/inflight.h"

#include "tests/flow/cluster.h"
#include "tests/flow/process.h"

static void *enroll(void *x)
{
	dialogue_enroll(x);
	return NULL;
}

static bool is_waiting(void *conninfo)
{
	return sql_number(conninfo,
		       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
		       "datname = current_database()") > 0;
}

void inflight_begin(
	struct inflight *inflight, const char *conninfo, const char *lock, struct dialogue *x)
{
	inflight->holder = PQconnectdb(conninfo);
	PQclear(PQexec(inflight->holder, "BEGIN"));
	PQclear(PQexec(inflight->holder, lock));
	must(PQtransactionStatus(inflight->holder) == PQTRANS_INTRANS, "%s", lock);
	must(pthread_create(&inflight->thread, NULL, enroll, x) == 0, "no thread");
	must(wait_until(is_waiting, (void *)conninfo, 10000), "it does not wait for: %s", lock);
}

void inflight_end(struct inflight *inflight)
{
	PQfinish(inflight->holder);
	pthread_join(inflight->thread, NULL);
}
