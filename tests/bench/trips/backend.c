#include "tests/bench/trips/backend.h"

#include "ca/base/encode.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLE "20000" /* devices that renew, all over the table */

void trips_end(const char *what)
{
	fprintf(stderr, "bench-trips: %s\n", what);
	exit(EXIT_FAILURE);
}

static PGresult *ask(PGconn *connection, const char *sql)
{
	PGresult *rows = PQexec(connection, sql);

	if (PQresultStatus(rows) != PGRES_TUPLES_OK)
		trips_end(PQerrorMessage(connection));
	return rows;
}

static double number(PGconn *connection, const char *sql)
{
	PGresult *rows = ask(connection, sql);
	double n = PQntuples(rows) == 0 ? 0 : strtod(PQgetvalue(rows, 0, 0), NULL);

	PQclear(rows);
	return n;
}

/* In /proc, to the nanosecond. */
static double cpu_of(long pid)
{
	char path[64], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/schedstat", pid);
	if ((file = fopen(path, "re")) == NULL || fgets(text, sizeof(text), file) == NULL)
		trips_end("where is the backend? It has to be on this machine");
	fclose(file);
	return strtod(text, NULL) / 1e3;
}

static void find_issuer(struct backend *backend)
{
	PGresult *rows = ask(backend->watch,
		"SELECT encode(issuer, 'hex') FROM certificate WHERE issuer IS NOT NULL"
		" ORDER BY issued_at DESC LIMIT 1");

	if (PQntuples(rows) == 0 ||
		hex_read(view_str(PQgetvalue(rows, 0, 0)), backend->issuer, DIGEST_SIZE) != OK)
		trips_end("nobody has enrolled there: see bench-load");
	PQclear(rows);
}

static void find_devices(struct backend *backend)
{
	backend->devices = PQexecParams(backend->watch,
		"SELECT ek.ek_digest, ak.name, host.name, (SELECT serial FROM certificate"
		"  WHERE certificate.device_id = drawn.device_id LIMIT 1)"
		" FROM (SELECT device_id FROM device WHERE state = 'active'"
		"  ORDER BY sha256(uuid_send(device_id)) LIMIT $1::bigint) AS drawn"
		" JOIN ek USING (device_id) JOIN ak USING (device_id) JOIN host USING (device_id)"
		" ORDER BY ek.ek_digest",
		1, NULL, (const char *const[]){SAMPLE}, NULL, NULL, 1);
	if (PQresultStatus(backend->devices) != PGRES_TUPLES_OK)
		trips_end(PQerrorMessage(backend->watch));
}

void backend_open(struct backend *backend, const char *conninfo)
{
	char ours[512];

	snprintf(ours, sizeof(ours), "%s application_name=bench-trips", conninfo);
	*backend = (struct backend){.watch = PQconnectdb(conninfo)};
	if (db_open(ours, 1, 5000, &backend->db) != OK)
		trips_end(why()->sentence);
	find_issuer(backend);
	find_devices(backend);
}

void backend_close(struct backend *backend)
{
	PQclear(backend->devices);
	PQfinish(backend->watch);
	db_close(&backend->db);
}

void backend_cost(struct backend *backend, struct cost *out)
{
	PGresult *blocks;

	number(backend->watch, "SELECT pg_stat_clear_snapshot()::text");
	out->cpu_us = cpu_of((long)number(backend->watch,
		"SELECT pid FROM pg_stat_activity WHERE application_name = 'bench-trips'"));
	out->wal = number(backend->watch, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
	blocks = ask(backend->watch,
		"SELECT sum(heap_blks_hit + coalesce(idx_blks_hit, 0)),"
		" sum(heap_blks_read + coalesce(idx_blks_read, 0)) FROM pg_statio_user_tables");
	out->hit = strtod(PQgetvalue(blocks, 0, 0), NULL);
	out->read = strtod(PQgetvalue(blocks, 0, 1), NULL);
	PQclear(blocks);
}

void cost_add(struct cost *sum, const struct cost *before, const struct cost *after)
{
	sum->cpu_us += after->cpu_us - before->cpu_us;
	sum->wal += after->wal - before->wal;
	sum->hit += after->hit - before->hit;
	sum->read += after->read - before->read;
}

void cost_share(struct cost *sum, long n)
{
	sum->cpu_us /= (double)n;
	sum->wal /= (double)n;
	sum->hit /= (double)n;
	sum->read /= (double)n;
}

int cost_compare(const void *a, const void *b)
{
	double x = ((const struct cost *)a)->cpu_us, y = ((const struct cost *)b)->cpu_us;

	return (x > y) - (x < y);
}
