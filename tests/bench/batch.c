/* batch.c - what an enrollment costs PostgreSQL when several share a transaction: bench-batch N DB */
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "db/enrollment.h"
#include "db/enrollment_batch.h"
#include "db/enrollment_look.h"
#include "db/renewal.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	fprintf(stderr, "bench-batch: %s\n", what);
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

	snprintf(ours, sizeof(ours), "%s application_name=bench-batch", conninfo);
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
		snprintf(out->host, sizeof(out->host),
			"node-%02x%02x%02x%02x.rack-%02x%02x.example.org", out->ek_digest[0],
			out->ek_digest[1], out->ek_digest[2], out->ek_digest[3], out->ek_digest[4],
			out->ek_digest[5]);
		return;
	}
	row = place->next++ % PQntuples(devices);
	memcpy(out->ek_digest, PQgetvalue(devices, row, 0), DIGEST_SIZE);
	memcpy(out->ak_name, PQgetvalue(devices, row, 1), sizeof(out->ak_name));
	snprintf(out->host, sizeof(out->host), "%s", PQgetvalue(devices, row, 2));
}

static struct enrollment_key key_of(const struct place *place, const struct asking *asking)
{
	return (struct enrollment_key){
		.ticket_digest = asking->ticket,
		.ek_digest = asking->ek_digest,
		.ak_name = VIEW(asking->ak_name),
		.host = asking->host,
		.crl_places = 1,
		.issuers = {place->issuer},
		.issuers_n = 1,
	};
}

static enum err look(
	struct place *place, const struct asking *asking, struct enrollment_facts *facts)
{
	const struct enrollment_key key = key_of(place, asking);

	if (asking->is_renewal) {
		struct renewal_facts renewal;

		TRY(renewal_lookup(place->db, VIEW(asking->ak_name), asking->host, &renewal));
		renewal_facts_free(&renewal);
	}
	return enrollment_lookup(place->db, &key, asking->now, facts);
}

#define DIGITS "f5a1c3d2e4b60718293a4b5c6d7e8f90f5a1c3d2e4b60718293a4b5c6d7e8f90"

#define DIGITS "f5a1c3d2e4b60718293a4b5c6d7e8f90f5a1c3d2e4b60718293a4b5c6d7e8f90"

struct made {
	struct asking asking;
	struct enrollment_facts facts;
	struct handed_certificate certificate;
	struct enrollment_record record;
};

static void make(struct place *place, struct made *made)
{
	const struct asking *asking = &made->asking;
	const struct enrollment_facts *facts = &made->facts;
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
		.certificates = &made->certificate,
		.certificates_n = 1,
		.event = asking->is_renewal ? "renew.issued" : "enroll.issued",
		.request_id = "d41d8cd98f00b204e9800998ecf8427e",
		.client_address = "192.0.2.17",
		.now = asking->now};

	draw(der, sizeof(der));
	memcpy(ek_certificate, der, sizeof(der));
	made->certificate = certificate;
	made->record = record;
}

static void take(struct place *place, struct cost *out)
{
	PGresult *blocks;

	number(place->watch, "SELECT pg_stat_clear_snapshot()::text");
	place->pid = (long)number(place->watch,
		"SELECT pid FROM pg_stat_activity WHERE application_name = 'bench-batch'");
	out->cpu_us = cpu_of(place->pid);
	out->wal = number(place->watch, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
	blocks = ask(place->watch,
		"SELECT sum(heap_blks_hit + coalesce(idx_blks_hit, 0)),"
		" sum(heap_blks_read + coalesce(idx_blks_read, 0)) FROM pg_statio_user_tables");
	out->hit = strtod(PQgetvalue(blocks, 0, 0), NULL);
	out->read = strtod(PQgetvalue(blocks, 0, 1), NULL);
	PQclear(blocks);
}

static const unsigned sizes[] = {0, 1, 2, 4, 8};
enum { SIZES = 5 };
struct both {
	struct cost looks, records;
};

static void look_together(struct place *place, struct made *made, size_t n)
{
	AUTO(enrollment_looks_free) struct enrollment_looks looks = {.n = n};
	struct enrollment_key keys[COMPANY_MAX];
	struct pipeline trip = {.n = 0};

	for (size_t i = 0; i < n; i++) {
		keys[i] = key_of(place, &made[i].asking);
		looks.of[i] =
			(struct enrollment_look){&keys[i], made[i].asking.now, &made[i].facts};
	}
	if (enrollment_looks_add(&trip, &looks) != OK ||
		db_run(place->db, &trip, LOST_REPEAT_ONCE) != OK)
		end(why()->sentence);
}

static void turn(struct place *place, unsigned size, long n, struct both *out)
{
	unsigned each = size == 0 ? 1 : size;
	struct cost a, b;

	memset(out, 0, sizeof(*out));
	for (long done = 0; done < n; done += 64) {
		static struct made all[64];
		memset(all, 0, sizeof(all));
		for (int i = 0; i < 64; i++)
			ask_anew(place, false, &all[i].asking);
		take(place, &a);
		for (unsigned i = 0; i < 64; i += each)
			if (size > 0)
				look_together(place, &all[i], each);
			else if (look(place, &all[i].asking, &all[i].facts) != OK)
				end(why()->sentence);
		take(place, &b);
		out->looks.cpu_us += b.cpu_us - a.cpu_us;
		for (int i = 0; i < 64; i++)
			make(place, &all[i]);
		take(place, &a);
		for (unsigned i = 0; i < 64; i += each) {
			const struct enrollment_record *records[BATCH_MAX];

			for (unsigned k = 0; k < each; k++)
				records[k] = &all[i + k].record;
			if ((size == 0 ? enrollment_record(place->db, records[0])
				       : enrollment_batch_record(place->db, records, each)) != OK)
				end(why()->sentence);
		}
		take(place, &b);
		out->records.cpu_us += b.cpu_us - a.cpu_us;
		out->records.wal += b.wal - a.wal;
		for (int i = 0; i < 64; i++)
			enrollment_facts_free(&all[i].facts);
	}
	out->looks.cpu_us /= (double)n;
	out->records.cpu_us /= (double)n;
	out->records.wal /= (double)n;
}

static int compare(const void *a, const void *b)
{
	double x = ((const struct cost *)a)->cpu_us, y = ((const struct cost *)b)->cpu_us;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	long n = argc == 3 ? strtol(argv[1], NULL, 10) / 64 * 64 : 0;
	static struct cost looks[SIZES][TURNS], records[SIZES][TURNS];
	struct both both;
	struct place *place = &places[places_n++];

	if (n < 64) {
		fputs("usage: bench-batch N CONNINFO\n"
		      "N enrollments, 64 at least, a turn: alone (batch 0), and so many to a "
		      "transaction.\n",
			stderr);
		return 2;
	}
	place_open(place, argv[2]);
	for (int i = 0; i < SIZES; i++) {
		struct asking asking;
		struct enrollment_facts facts = {0};
		ask_anew(place, false, &asking);
		if (look(place, &asking, &facts) != OK)
			end(why()->sentence);
		turn(place, sizes[i], 640, &both);
	}
	for (int t = 0; t < TURNS; t++)
		for (int i = 0; i < SIZES; i++) {
			turn(place, sizes[i], n, &both);
			looks[i][t] = both.looks;
			records[i][t] = both.records;
		}
	for (int i = 0; i < SIZES; i++) {
		qsort(looks[i], TURNS, sizeof(struct cost), compare);
		qsort(records[i], TURNS, sizeof(struct cost), compare);
		printf("batch %u: lookup %.0f us, record %.0f us (%.0f..%.0f) WAL %.0f\n", sizes[i],
			looks[i][TURNS / 2].cpu_us, records[i][TURNS / 2].cpu_us,
			records[i][TURNS / 4].cpu_us, records[i][TURNS * 3 / 4].cpu_us,
			records[i][TURNS / 2].wal);
	}
	return 0;
}
