/* backend.h - a database, the one backend that serves us there, and what it has spent. */
#pragma once

#include "db/enrollment_facts.h"
#include "db/pool.h"

#include <libpq-fe.h>

/* It has to be on this machine. */
struct backend {
	struct db *db; /* of one connection */
	PGconn *watch; /* asks what that one does */
	PGresult *devices; /* that renew: EK, AK's Name, host, a serial number; binary */
	int next;
	uint8_t issuer[DIGEST_SIZE]; /* of the newest certificate */
};
/* Ends the program when nobody has enrolled there. */
void backend_open(struct backend *backend, const char *conninfo);
void backend_close(struct backend *backend);

/* Since it began; between two of them, for each of so many. */
struct cost {
	double cpu_us, wal, hit, read; /* WAL in bytes; blocks */
};
void backend_cost(struct backend *backend, struct cost *out);
void cost_add(struct cost *sum, const struct cost *before, const struct cost *after);
void cost_share(struct cost *sum, long n);
/* For qsort(): by CPU time. */
int cost_compare(const void *a, const void *b);

/* Says why, and ends the program. */
_Noreturn void trips_end(const char *what);
