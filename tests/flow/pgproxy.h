/* pgproxy.h - stands between the service and PostgreSQL: counts, stalls, cuts and withholds. */
#pragma once

#include <stdbool.h>

struct pgproxy;

/*
 * Listens on a unix socket in `dir` (which libpq takes as host) and passes everything on to the
 * server whose socket lies in `server_dir`. Runs in a thread of its own, for pgproxy_stop().
 */
struct pgproxy *pgproxy_start(const char *dir, const char *server_dir);
void pgproxy_stop(struct pgproxy **proxy);

/*
 * How many messages of a type the service has sent since pgproxy_reset(): 'S' Sync, 'Q' Query,
 * 'P' Parse, 'B' Bind, 'E' Execute (PostgreSQL 55.7); 0 counts connections.
 */
unsigned long pgproxy_count(struct pgproxy *proxy, char type);
void pgproxy_reset(struct pgproxy *proxy);
/*
 * Have requests made so many trips since pgproxy_reset()? That is, Syncs less one for each new
 * connection: to prepare statements takes one, and so does the service's own look at the database
 * every ten seconds, each time on a new connection; and less those that ask from time to time whether
 * operators imported anything, what is to be published, and whether a CA was revoked. Waits for a
 * moment, for a look may be under way.
 */
bool pgproxy_trips_are(struct pgproxy *proxy, long wanted);

enum pgproxy_mode {
	PGPROXY_PASS,
	PGPROXY_STALL, /* connections stay and nothing moves */
	PGPROXY_CUT, /* connections end, and so does each new one */
};
void pgproxy_set(struct pgproxy *proxy, enum pgproxy_mode mode);

enum pgproxy_point {
	PGPROXY_BEFORE_COMMIT, /* the message that commits has come and is not passed on */
	PGPROXY_AFTER_COMMIT, /* the server has committed, and the service does not hear of it */
};

/*
 * The next transaction with a statement whose text contains `sql` is caught at this point: `act` is
 * called in the proxy's thread, then the connection is cut. Springs once; `sql` is borrowed until
 * then.
 */
void pgproxy_trap(struct pgproxy *proxy, enum pgproxy_point point, const char *sql,
	void (*act)(void *arg), void *arg);
bool pgproxy_sprung(struct pgproxy *proxy);
