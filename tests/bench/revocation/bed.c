#include "tests/bench/revocation/bed.h"

#include "ca/base/ossl.h"
#include "ca/key.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE 20000

struct bed bed;
static PGresult *sample;

double now(void)
{
	return now_us() / 1e3;
}

const char *cell(long row, int column)
{
	return PQgetvalue(sample, (int)(row % PQntuples(sample)), column);
}

static PGresult *ask_database(PGconn *connection, const char *sql)
{
	PGresult *rows = PQexec(connection, sql);

	must(PQresultStatus(rows) == PGRES_TUPLES_OK || PQresultStatus(rows) == PGRES_COMMAND_OK,
		"%s", PQerrorMessage(connection));
	return rows;
}

void sample_take(void)
{
	PGconn *connection = PQconnectdb(bed.world.conninfo);
	AUTO(mem_free)
	char *sql = text("SELECT encode(serial, 'hex'), replace(device_id::text, '-', ''), host, "
			 "shard"
			 " FROM certificate WHERE kind = 'x509' AND revoked_at IS NULL"
			 " AND host LIKE 'node-%%' ORDER BY sha256(serial) LIMIT %d",
		SAMPLE);

	sample = ask_database(connection, sql);
	must(PQntuples(sample) > ACTS, "too few certificates");
	PQfinish(connection);
}

void sample_free(void)
{
	PQclear(sample);
}

long sample_n(void)
{
	return PQntuples(sample);
}

static double time_of_row(PGconn *connection, const char *statement)
{
	double times[MOST];

	for (long i = 0; i < MOST; i++) {
		const char *values[] = {cell(i, SERIAL)};
		double begin = now();

		PQclear(PQexecPrepared(connection, statement, 1, values, NULL, NULL, 0));
		times[i] = now() - begin;
	}
	return percentile(times, MOST, 50);
}

static void measure_database(void)
{
	PGconn *connection = PQconnectdb(bed.world.conninfo);

	PQclear(PQprepare(connection, "read",
		"SELECT der FROM certificate WHERE serial = decode($1, 'hex')", 1, NULL));
	PQclear(ask_database(connection, "CREATE TABLE bench_row (serial text PRIMARY KEY)"));
	PQclear(PQprepare(connection, "write",
		"INSERT INTO bench_row VALUES ($1 || clock_timestamp())", 1, NULL));
	time_of_row(connection, "read"); /* from the disk, perhaps */
	bed.bare_read = time_of_row(connection, "read");
	bed.bare_write = time_of_row(connection, "write");
	PQclear(ask_database(connection, "DROP TABLE bench_row"));
	PQfinish(connection);
}

/* What `openssl speed ecdsap256` counts. */
static void measure_signatures(void)
{
	double begin = clock_us(CLOCK_THREAD_CPUTIME_ID), end = begin;
	uint8_t digest[32] = {1}, signature[128];
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = NULL;
	long n = 0;

	must(key_generate(KEY_TYPE_P256, &key) == OK, "no key");
	ctx = EVP_PKEY_CTX_new(key, NULL);
	must(EVP_PKEY_sign_init(ctx) == 1, "no signature");
	for (; end - begin < 1e6; n++, end = clock_us(CLOCK_THREAD_CPUTIME_ID)) {
		size_t size = sizeof(signature);

		must(EVP_PKEY_sign(ctx, signature, &size, digest, sizeof(digest)) == 1,
			"no signature");
	}
	bed.bare_per_s = (double)n * 1e6 / (end - begin);
}

void measure_machine(void)
{
	measure_signatures();
	measure_database();
	printf("this machine: %.0f bare P-256 signatures per second and core;"
	       " one row by its key: read %.3f ms, inserted %.3f ms\n",
		bed.bare_per_s, bed.bare_read, bed.bare_write);
}

void tell_memory(const char *when)
{
	AUTO(mem_free) char *path = text("/proc/%d/status", (int)bed.world.services[0].pid);
	long now_kb = 0, most_kb = 0;
	FILE *status = fopen(path, "r");
	char line[256];

	must(status != NULL, "%s", path);
	while (fgets(line, sizeof(line), status) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			now_kb = strtol(line + 6, NULL, 10);
		if (strncmp(line, "VmHWM:", 6) == 0)
			most_kb = strtol(line + 6, NULL, 10);
	}
	fclose(status);
	printf("memory of the service, %s: %.0f MB, at most %.0f MB\n", when, (double)now_kb / 1024,
		(double)most_kb / 1024);
}
void tell_shards(const char *when, double took)
{
	AUTO(mem_free)
	char *sizes = sql_text(bed.world.conninfo,
		"SELECT format('%%s shards, %%s bytes on average, %%s at most, %%s together', "
		"count(*),"
		" avg(octet_length(der))::bigint, max(octet_length(der)), sum(octet_length(der)))"
		" FROM crl_shard");
	double shards = (double)sql_number(bed.world.conninfo, "SELECT count(*) FROM crl_shard");

	printf("shards, %s: %.1f s, %.2f ms each = %.0f bare signatures: %s\n", when, took / 1e3,
		took / shards, took / shards * bed.bare_per_s / 1e3, sizes);
}
