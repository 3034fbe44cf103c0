/* trips.c - what an enrollment and a renewal cost PostgreSQL, in two databases by turns: bench-trips N DB [DB] */
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "db/devices.h"
#include "db/enrollment.h"
#include "db/renewal.h"
#include "tests/bench/timing.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 25 /* of each, after one that warms; the median is told */
#define SEARCHES 2000
#define SAMPLE "20000" /* devices that renew, all over the table */
#define DATABASES 2

/* One database, and the backend that serves us there. */
struct place {
	struct db *db;
	PGconn *watch; /* asks what the other one does */
	PGresult *devices; /* that renew */
	int next;
	long pid;
	uint8_t issuer[DIGEST_SIZE];
};

/* Of one turn, for each trip to the records and back. */
struct cost {
	double cpu_us, wal, hit, read;
};

static struct place places[DATABASES];
static size_t places_n;

static void end(const char *what)
{
	fprintf(stderr, "bench-trips: %s\n", what);
	exit(EXIT_FAILURE);
}

static PGresult *ask(PGconn *connection, const char *sql)
{
	PGresult *rows = PQexec(connection, sql);

	if (PQresultStatus(rows) != PGRES_TUPLES_OK)
		end(PQerrorMessage(connection));
	return rows;
}

static double number(PGconn *connection, const char *sql)
{
	PGresult *rows = ask(connection, sql);
	double n = PQntuples(rows) == 0 ? 0 : strtod(PQgetvalue(rows, 0, 0), NULL);

	PQclear(rows);
	return n;
}

/* In /proc, to the nanosecond: both are on this machine. */
static double cpu_of(long pid)
{
	char path[64], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/schedstat", pid);
	if ((file = fopen(path, "re")) == NULL || fgets(text, sizeof(text), file) == NULL)
		end("where is the backend? It has to be on this machine");
	fclose(file);
	return strtod(text, NULL) / 1e3;
}

static void draw(uint8_t *out, size_t n)
{
	if (random_bytes(out, n) != OK)
		end(why()->sentence);
}

static void place_open(struct place *place, const char *conninfo)
{
	static char ours[512];
	PGresult *issuer;

	snprintf(ours, sizeof(ours), "%s application_name=bench-trips", conninfo);
	place->watch = PQconnectdb(conninfo);
	if (db_open(ours, 1, 5000, &place->db) != OK)
		end(why()->sentence);
	issuer = ask(place->watch, "SELECT encode(issuer, 'hex') FROM certificate"
				   " WHERE issuer IS NOT NULL ORDER BY issued_at DESC LIMIT 1");
	if (PQntuples(issuer) == 0 ||
		hex_read(view_str(PQgetvalue(issuer, 0, 0)), place->issuer, DIGEST_SIZE) != OK)
		end("nobody has enrolled there: see bench-load");
	PQclear(issuer);
	place->devices = PQexecParams(place->watch,
		"SELECT ek.ek_digest, ak.name, host.name, (SELECT serial FROM certificate WHERE"
		"  certificate.device_id = drawn.device_id LIMIT 1) FROM (SELECT device_id FROM "
		"device"
		"  WHERE state = 'active' ORDER BY sha256(uuid_send(device_id)) LIMIT $1::bigint) "
		"AS drawn"
		" JOIN ek USING (device_id) JOIN ak USING (device_id) JOIN host USING (device_id)"
		" ORDER BY ek.ek_digest",
		1, NULL, (const char *const[]){SAMPLE}, NULL, NULL, 1);
	if (PQresultStatus(place->devices) != PGRES_TUPLES_OK)
		end(PQerrorMessage(place->watch));
}

/* One device that asks. */
struct asking {
	uint8_t ek_digest[DIGEST_SIZE], ak_name[34], ticket[DIGEST_SIZE], grant[DIGEST_SIZE];
	uint8_t device_id[DEVICE_ID_SIZE], serial[16];
	char host[128];
	bool is_renewal;
	int64_t now;
};

static void ask_anew(struct place *place, bool is_renewal, struct asking *out)
{
	PGresult *devices = place->devices;
	int row;

	out->is_renewal = is_renewal;
	out->now = time(NULL);
	draw(out->ticket, DIGEST_SIZE);
	draw(out->grant, DIGEST_SIZE);
	/* As the service makes them. */
	if (random_of_day(out->now, out->device_id, DEVICE_ID_SIZE) != OK ||
		random_of_day(out->now, out->serial + 1, sizeof(out->serial) - 1) != OK)
		end(why()->sentence);
	out->serial[0] = 0x40;
	if (!is_renewal) {
		draw(out->ek_digest, DIGEST_SIZE);
		draw(out->ak_name, sizeof(out->ak_name));
		memcpy(out->ak_name, "\x00\x0b", 2);
		snprintf(out->host, sizeof(out->host), "node-%u.rack-%u.new.example.org",
			out->serial[5] * 65536U + out->serial[6] * 256U + out->serial[7],
			out->serial[4]);
		return;
	}
	row = place->next++ % PQntuples(devices);
	memcpy(out->ek_digest, PQgetvalue(devices, row, 0), DIGEST_SIZE);
	memcpy(out->ak_name, PQgetvalue(devices, row, 1), sizeof(out->ak_name));
	snprintf(out->host, sizeof(out->host), "%s", PQgetvalue(devices, row, 2));
}

static enum err look(
	struct place *place, const struct asking *asking, struct enrollment_facts *facts)
{
	const struct enrollment_key key = {
		.ticket_digest = asking->ticket,
		.ek_digest = asking->ek_digest,
		.ak_name = VIEW(asking->ak_name),
		.host = asking->host,
		.crl_places = 1,
		.issuers = {place->issuer},
		.issuers_n = 1,
	};

	if (asking->is_renewal) {
		struct renewal_facts renewal;

		TRY(renewal_lookup(place->db, VIEW(asking->ak_name), asking->host, &renewal));
		renewal_facts_free(&renewal);
	}
	return enrollment_lookup(place->db, &key, asking->now, facts);
}

#define DIGITS "f5a1c3d2e4b60718293a4b5c6d7e8f90f5a1c3d2e4b60718293a4b5c6d7e8f90"

static enum err record(
	struct place *place, const struct asking *asking, const struct enrollment_facts *facts)
{
	static uint8_t der[746], ek_certificate[1200], ek_public[316], ak_public[90];
	const struct handed_certificate certificate = {.serial = VIEW(asking->serial),
		.der = VIEW(der),
		.template = "ak",
		.template_version = 1,
		.kind = "x509",
		.key_kind = "ak",
		.key_sha256 = asking->grant,
		.grant_digest = asking->grant,
		.not_before = asking->now,
		.not_after = asking->now + INT64_C(90) * 86400,
		.issuer = place->issuer,
		.shard = facts->crl_shards[0]};
	const struct enrollment_record record = {
		.device_id = facts->device_known ? facts->device_id : asking->device_id,
		.device_new = !facts->device_known,
		.revision = facts->revision,
		.manufacturer = "id:49465800",
		.model = "SLB9670",
		.version = "id:00070055",
		.trust_class = "manufacturer",
		.trust_source = "vendors",
		.trust_version = DIGITS,
		.policy_version = DIGITS,
		.ek_digest = asking->ek_digest,
		.is_renewal = asking->is_renewal,
		.ek_kind = "rsa2048",
		.ek_public = VIEW(ek_public),
		.ek_certificate = VIEW(ek_certificate),
		.host = asking->host,
		.host_new = !facts->host_bound,
		.allowed_labels = facts->allowed_labels,
		.ak_name = VIEW(asking->ak_name),
		.ak_public = VIEW(ak_public),
		.ak_kind = "ecc-p256",
		.ak_new = !facts->ak_known,
		.live_aks_max = 2,
		.ticket_digest = asking->ticket,
		.request_digest = asking->grant,
		.certificates = &certificate,
		.certificates_n = 1,
		.event = asking->is_renewal ? "renew.issued" : "enroll.issued",
		.request_id = "d41d8cd98f00b204e9800998ecf8427e",
		.client_address = "192.0.2.17",
		.now = asking->now};

	draw(der, sizeof(der));
	memcpy(ek_certificate, der, sizeof(der));
	return enrollment_record(place->db, &record);
}

static void trip(struct place *place, bool is_renewal)
{
	struct enrollment_facts facts = {0};
	struct asking asking = {.now = 0};

	ask_anew(place, is_renewal, &asking);
	if (look(place, &asking, &facts) != OK || record(place, &asking, &facts) != OK)
		end(why()->sentence);
	enrollment_facts_free(&facts);
}

static void take(struct place *place, struct cost *out)
{
	PGresult *blocks;

	number(place->watch, "SELECT pg_stat_clear_snapshot()::text");
	place->pid = (long)number(place->watch,
		"SELECT pid FROM pg_stat_activity WHERE application_name = 'bench-trips'");
	out->cpu_us = cpu_of(place->pid);
	out->wal = number(place->watch, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
	blocks = ask(place->watch,
		"SELECT sum(heap_blks_hit + coalesce(idx_blks_hit, 0)),"
		" sum(heap_blks_read + coalesce(idx_blks_read, 0)) FROM pg_statio_user_tables");
	out->hit = strtod(PQgetvalue(blocks, 0, 0), NULL);
	out->read = strtod(PQgetvalue(blocks, 0, 1), NULL);
	PQclear(blocks);
}

static void turn(struct place *place, bool is_renewal, long n, struct cost *out)
{
	struct cost before, after;

	take(place, &before);
	for (long i = 0; i < n; i++)
		trip(place, is_renewal);
	take(place, &after);
	*out = (struct cost){.cpu_us = (after.cpu_us - before.cpu_us) / (double)n,
		.wal = (after.wal - before.wal) / (double)n,
		.hit = (after.hit - before.hit) / (double)n,
		.read = (after.read - before.read) / (double)n};
}

static int compare(const void *a, const void *b)
{
	double x = ((const struct cost *)a)->cpu_us, y = ((const struct cost *)b)->cpu_us;

	return (x > y) - (x < y);
}

/* Turn by turn, for both had the same machine then. */
static void tell_ratio(const char *what, struct cost (*costs)[TURNS])
{
	struct cost ratios[TURNS];

	for (size_t i = 0; i < TURNS; i++)
		ratios[i].cpu_us = costs[1][i].cpu_us / costs[0][i].cpu_us;
	qsort(ratios, TURNS, sizeof(*ratios), compare);
	printf("%-11s ratio %.3f (%.3f to %.3f in half of the turns)\n", what,
		ratios[TURNS / 2].cpu_us, ratios[TURNS / 4].cpu_us, ratios[TURNS * 3 / 4].cpu_us);
}

static void measure(bool is_renewal, long n)
{
	struct cost costs[DATABASES][TURNS], warm;
	const char *what = is_renewal ? "renewal" : "enrollment";

	for (size_t p = 0; p < places_n; p++) {
		trip(&places[p], is_renewal); /* so that there is a backend */
		turn(&places[p], is_renewal, n, &warm);
		printf("%-11s %zu: %8.0f us, %6.1f blocks read, while it warms\n", what, p + 1,
			warm.cpu_us, warm.read);
	}
	for (size_t i = 0; i < TURNS; i++)
		for (size_t p = 0; p < places_n; p++)
			turn(&places[p], is_renewal, n, &costs[p][i]);
	if (places_n == DATABASES)
		tell_ratio(what, costs);
	for (size_t p = 0; p < places_n; p++) {
		const struct cost *median = &costs[p][TURNS / 2];

		qsort(costs[p], TURNS, sizeof(**costs), compare);
		printf("%-11s %zu: %8.0f us of the backend (%.0f to %.0f), %7.0f bytes of WAL, "
		       "%6.1f blocks hit, %5.1f read\n",
			what, p + 1, median->cpu_us, costs[p][0].cpu_us, costs[p][TURNS - 1].cpu_us,
			median->wal, median->hit, median->read);
	}
}

/* The three that an admin comes with: a name, an EK, a certificate. */
static enum err search(struct place *place, int by, int row, struct found *out)
{
	PGresult *devices = place->devices;
	struct devices_query query = {.until = INT64_C(253402300799), .limit = 50};

	if (by == 0)
		query.host = PQgetvalue(devices, row, 2);
	if (by == 1)
		query.ek_digest = (const uint8_t *)PQgetvalue(devices, row, 0);
	if (by == 2) {
		query.serial = (const uint8_t *)PQgetvalue(devices, row, 3);
		query.serial_n = (size_t)PQgetlength(devices, row, 3);
	}
	return devices_find(place->db, &query, out);
}

static void measure_searches(struct place *place, size_t number)
{
	static const char *const words[] = {"name", "EK", "serial"};
	static double times[SEARCHES];

	for (int by = 0; by < 3; by++) {
		for (int i = 0; i < SEARCHES; i++) {
			AUTO(found_free) struct found found = {0};
			double begin = now_us();

			if (search(place, by, i * 7919 % PQntuples(place->devices), &found) != OK ||
				found.n != 1)
				end("a search does not find the one device");
			times[i] = now_us() - begin;
		}
		printf("search by %-6s %zu: %.2f ms p50, %.2f ms p99, %.2f ms at most\n", words[by],
			number, percentile(times, SEARCHES, 50) / 1e3,
			percentile(times, SEARCHES, 99) / 1e3,
			percentile(times, SEARCHES, 100) / 1e3);
	}
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

	if (n < 1 || argc > 2 + DATABASES) {
		fputs("usage: bench-trips N CONNINFO [CONNINFO]\n"
		      "Two databases by turns, N trips in each: what the second costs in terms of "
		      "the first.\n",
			stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (places_n = 0; (int)places_n < argc - 2; places_n++)
		place_open(&places[places_n], argv[2 + places_n]);
	measure(false, n);
	measure(true, n);
	for (size_t p = 0; p < places_n; p++)
		measure_searches(&places[p], p + 1);
	for (size_t p = 0; p < places_n; p++) {
		PQclear(places[p].devices);
		PQfinish(places[p].watch);
		db_close(&places[p].db);
	}
	return EXIT_SUCCESS;
}
