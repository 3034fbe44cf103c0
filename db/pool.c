#include "db/pool.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"
#include "db/connection.h"
#include "db/health.h"
#include "db/pool_connection.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POOL_MAX 256
#define REFUSED_MS 1000
#define LOOKING 2 /* trips of lookups at one time, before who comes waits and shares one */
#define RECORDING 2 /* transactions of records at one time, before who comes waits and shares one */

struct db {
	pthread_mutex_t mutex; /* over what follows */
	pthread_cond_t given_back;
	unsigned open; /* lent, idle, or being opened; at most `size` */
	unsigned made; /* lent or idle */
	int64_t refused_until; /* ms; the server would give us no more */
	uint64_t trips;
	unsigned idle_n;
	PGconn *idle[POOL_MAX]; /* the last one given back is lent first: the others may rest */
	struct standing standing; /* has its own mutex */
	struct company lookups, records; /* so do these */
	/* Fixed from here on. */
	unsigned size;
	unsigned wait_ms;
	char *conninfo; /* may hold a password */
};

/* Waiting is by the monotonic clock: nobody waits an hour because the time was set. */
static enum err make_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int rc;

	if (pthread_condattr_init(&attributes) != 0)
		return fail(ERR_INTERNAL, "out-of-memory", "pthread_condattr_init");
	rc = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
	return rc == 0 ? OK : fail(ERR_INTERNAL, "out-of-memory", "pthread_cond_init");
}

enum err db_open(const char *conninfo, unsigned size, unsigned wait_ms, struct db **out)
{
	AUTO(mem_free) struct db *db = calloc(1, sizeof(*db));
	AUTO(mem_free) char *copy = strdup(conninfo);

	if (size < 1 || size > POOL_MAX)
		return fail(
			ERR_INTERNAL, "database-pool", "a pool has 1 to %d connections", POOL_MAX);
	TRY(conninfo_check(conninfo));
	if (db == NULL || copy == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "calloc");
	TRY(make_condition(&db->given_back));
	pthread_mutex_init(&db->mutex, NULL);
	standing_init(&db->standing);
	company_init(&db->lookups, LOOKING, size);
	company_init(&db->records, RECORDING, size);
	db->size = size;
	db->wait_ms = wait_ms;
	db->conninfo = MOVE(copy);
	*out = MOVE(db);
	return OK;
}

void db_close(struct db **db)
{
	if (*db == NULL)
		return;
	for (unsigned i = 0; i < (*db)->idle_n; i++)
		connection_close(&(*db)->idle[i]);
	pthread_cond_destroy(&(*db)->given_back);
	pthread_mutex_destroy(&(*db)->mutex);
	standing_destroy(&(*db)->standing);
	company_destroy(&(*db)->lookups);
	company_destroy(&(*db)->records);
	secret_wipe((*db)->conninfo, strlen((*db)->conninfo));
	free((*db)->conninfo);
	free(*db);
	*db = NULL;
}

static struct timespec in_ms(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* A server that has no connection left for us need not be asked by everybody who waits for one. */
static bool may_open(const struct db *db)
{
	return db->open < db->size && (db->made == 0 || clock_ms() >= db->refused_until);
}

/* An idle connection, or NULL and the right to open one. */
static enum err take_or_reserve(struct db *db, const struct timespec *until, PGconn **out)
{
	int rc = 0;

	pthread_mutex_lock(&db->mutex);
	while (rc == 0 && db->idle_n == 0 && !may_open(db))
		rc = pthread_cond_timedwait(&db->given_back, &db->mutex, until);
	*out = NULL;
	if (db->idle_n > 0) {
		*out = db->idle[--db->idle_n];
		rc = 0;
	} else if (may_open(db)) {
		db->open++;
		rc = 0;
	}
	pthread_mutex_unlock(&db->mutex);
	if (rc != 0)
		return fail(ERR_BUSY, "database-busy",
			"all connections are in use (at most %u, or as many as the server gives)",
			db->size);
	return OK;
}

void db_usage(struct db *db, unsigned *lent, unsigned *size)
{
	pthread_mutex_lock(&db->mutex);
	*lent = db->open - db->idle_n;
	pthread_mutex_unlock(&db->mutex);
	*size = db->size;
}

uint64_t db_trips(struct db *db)
{
	uint64_t trips;

	pthread_mutex_lock(&db->mutex);
	trips = db->trips;
	pthread_mutex_unlock(&db->mutex);
	return trips;
}

void db_give(struct db *db, PGconn *connection, bool is_usable)
{
	if (!is_usable)
		connection_close(&connection);
	pthread_mutex_lock(&db->mutex);
	db->trips++;
	if (connection != NULL) {
		db->idle[db->idle_n++] = connection;
	} else {
		db->open--;
		db->made--;
	}
	pthread_mutex_unlock(&db->mutex);
	/* Not before: who is woken wants the lock. */
	if (connection != NULL)
		pthread_cond_signal(&db->given_back);
	else
		pthread_cond_broadcast(&db->given_back);
}

static void note_closed(struct db *db)
{
	pthread_mutex_lock(&db->mutex);
	db->made--;
	pthread_cond_broadcast(&db->given_back);
	pthread_mutex_unlock(&db->mutex);
}

/* Is there anything to wait for? Not where opening failed and no connection is left in use. */
static bool note_opened(struct db *db, enum err err)
{
	bool is_last;

	pthread_mutex_lock(&db->mutex);
	if (err == OK) {
		db->made++;
	} else {
		db->open--;
		db->refused_until = clock_ms() + REFUSED_MS;
	}
	is_last = db->made == 0;
	if (err != OK)
		pthread_cond_broadcast(&db->given_back);
	pthread_mutex_unlock(&db->mutex);
	return err != OK && !is_last;
}

enum err db_take(struct db *db, PGconn **connection)
{
	struct timespec until = in_ms(db->wait_ms);
	enum err err;

	do {
		TRY(take_or_reserve(db, &until, connection));
		if (*connection != NULL && connection_is_alive(*connection))
			return OK;
		if (*connection != NULL) {
			connection_close(connection);
			note_closed(db);
		}
		err = connection_open(db->conninfo, CONNECTION_PREPARED, connection);
	} while (note_opened(db, err));
	return err;
}

struct standing *db_standing(struct db *db)
{
	return &db->standing;
}

struct company *db_lookups(struct db *db)
{
	return &db->lookups;
}

struct company *db_records(struct db *db)
{
	return &db->records;
}

enum err db_clock_judge(struct db *db, int64_t now)
{
	return standing_judge_clock(&db->standing, now);
}

enum err db_connect(struct db *db, PGconn **connection)
{
	return connection_open(db->conninfo, CONNECTION_BARE, connection);
}
