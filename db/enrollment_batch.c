#include "db/enrollment_batch.h"

#include "ca/base/printable.h"
#include "db/array.h"
#include "db/connection.h"
#include "db/lock.h"
#include "db/pool_connection.h"

#include <stdlib.h>
#include <string.h>

#define ARRAYS_MAX 80
#define ARRAY_LIMIT (BATCH_MAX * ENROLLMENT_CERTIFICATES * 64 * 1024) /* bytes */

/*
 * The same statements as in enrollment.c, over arrays; what is written there about races holds for each
 * record of a batch. Rows are locked table by table, within each table by its key (each part counts the
 * one before, which so is done before it begins): batches and records alone, on all servers, wait for
 * each other in one order. Tickets' locks come sorted.
 *
 * One record that loses its race takes the batch with it; nothing of it is there then, and each is tried
 * alone. So nobody is refused for somebody else, and whoever makes batches fail on purpose makes his
 * neighbours cost at most twice.
 */
static const struct statement add_tpms = {"add_tpms",
	"WITH it AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[],"
	"  $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::text[],"
	"  $11::bytea[], $12::bytea[], $13::bigint[], $14::bigint[], $15::text[], $16::bigint[],"
	"  $17::bytea[], $18::bytea[], $19::text[]) AS it (device_id, at, manufacturer, model,"
	"  version, trust_class, trust_source, trust_version, ek, ek_kind, ek_certificate,"
	"  ek_public, chain_first, chain_last, host, alias, ak, ak_public, ak_kind)),"
	" new_device AS (INSERT INTO device (device_id, created_at, last_success_at,"
	"  manufacturer, model, version, trust_class, trust_source, trust_version, labels)"
	"  SELECT device_id, to_timestamp(at), to_timestamp(at), manufacturer, model, version,"
	"   trust_class, trust_source, trust_version,"
	"   coalesce((SELECT labels FROM ek_allowed WHERE ek_digest = ek), '{}')"
	"  FROM it ORDER BY device_id RETURNING 1),"
	" new_ek AS (INSERT INTO ek (ek_digest, device_id, kind, certificate, created_at, public,"
	"  chain)"
	"  SELECT ek, device_id, ek_kind, ek_certificate, to_timestamp(at), ek_public,"
	"   ($20::bytea[])[chain_first:chain_last] FROM it"
	"  WHERE (SELECT count(*) FROM new_device) > 0 ORDER BY ek RETURNING 1),"
	" new_host AS (INSERT INTO host (name, device_id, alias, bound_at)"
	"  SELECT host, device_id, alias <> 0, to_timestamp(at) FROM it"
	"  WHERE (SELECT count(*) FROM new_ek) > 0 ORDER BY host COLLATE \"C\" RETURNING 1)"
	" INSERT INTO ak (name, device_id, public, kind, created_at, ek_digest, proven_at)"
	" SELECT ak, device_id, ak_public, ak_kind, to_timestamp(at), ek, to_timestamp(at) FROM it"
	" WHERE (SELECT count(*) FROM new_host) > 0 ORDER BY ak"};

static const struct statement add_certificates = {"add_certificates",
	"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
	" template_version, grant_digest, place, der, not_before, not_after, issued_at,"
	" trust_version, policy_version, kind, key_kind, key_sha256, issuer, shard)"
	" SELECT serial::serial_number, device_id, name, (SELECT binding FROM host"
	"   WHERE host.name = it.name AND host.device_id = it.device_id),"
	"  ak, template, template_version, grant_digest, place, der::certificate_bytes,"
	"  to_timestamp(not_before),"
	"  CASE WHEN not_after > not_before THEN to_timestamp(not_after) END,"
	"  to_timestamp(at), trust_version, policy_version, kind::certificate_kind, key_kind,"
	"  key_sha256, issuer::digest, shard::ordinal"
	" FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::bytea[], $5::text[], $6::bigint[],"
	"  $7::bytea[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[],"
	"  $13::text[], $14::text[], $15::text[], $16::text[], $17::bytea[], $18::bytea[],"
	"  $19::bigint[]) AS it (serial, device_id, name, ak, template, template_version,"
	"  grant_digest, place, der, not_before, not_after, at, trust_version, policy_version,"
	"  kind, key_kind, key_sha256, issuer, shard) ORDER BY serial"};

static const struct statement use_tickets = {"use_tickets",
	"WITH it AS MATERIALIZED (SELECT *, ($13::bytea[])[first:last] AS serials"
	"  FROM unnest($1::bytea[], $2::bytea[], $3::uuid[],"
	"   $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::bytea[], $9::text[],"
	"   $10::text[], $11::text[], $12::text[], $14::bigint[], $15::bigint[]) AS it (ticket,"
	"   request, device_id, host, ak, at, event, ek, client, request_id, trust_version,"
	"   policy_version, first, last)),"
	" used AS (INSERT INTO ticket (ticket_digest, request_digest, device_id, host, ak_name,"
	"  serials, used_at)"
	"  SELECT ticket, request, device_id, host, ak, serials, to_timestamp(at) FROM it"
	"  ORDER BY ticket RETURNING 1),"
	" ended AS (DELETE FROM pending WHERE ek_digest = ANY ($8::bytea[])"
	"  AND decided_at IS NULL AND (SELECT count(*) FROM used) > 0)"
	" INSERT INTO audit (at, event, device_id, ek_digest, host, serials, client_address,"
	"  request_id, trust_version, policy_version)"
	" SELECT to_timestamp(at), event, device_id, ek, host, serials, client, request_id,"
	"  trust_version, policy_version FROM it WHERE (SELECT count(*) FROM used) > 0"};

/* As if by hand, so that the planner looks each one up. */
static const struct statement open_shards = {"open_shards",
	"INSERT INTO crl_shard (issuer, shard)"
	" SELECT DISTINCT issuer, shard FROM unnest($1::bytea[], $2::bigint[]) AS it (issuer, "
	"shard)"
	" WHERE issuer IS NOT NULL AND shard IS NOT NULL AND (SELECT true FROM crl_shard"
	"  WHERE crl_shard.issuer = it.issuer AND crl_shard.shard = it.shard) IS NULL"
	" ORDER BY issuer, shard ON CONFLICT DO NOTHING"};

/* Both count what does not hold, for bool_and() passes over what is not known. */
static const struct statement insist_records = {"insist_records",
	"SELECT insist(count(*) FILTER (WHERE (coalesce(own.host = it.host, true)"
	"  AND NOT EXISTS (SELECT FROM ek_allowed AS other WHERE other.host = it.host"
	"   AND other.ek_digest <> it.ek)"
	"  AND (learned = 0 OR coalesce(own.host = it.host, false))"
	"  AND (listed = 0 OR own.ek_digest IS NOT NULL)"
	"  AND NOT EXISTS (SELECT FROM pending_ticket WHERE ticket_digest = it.ticket)"
	"  AND (it.labels IS NULL OR coalesce(sha256(convert_to(own.labels::text, 'UTF8')),"
	"   decode(repeat('00', 32), 'hex')) = it.labels)"
	"  AND EXISTS (SELECT FROM ek WHERE ek.ek_digest = it.ek AND ek.device_id = it.device_id))"
	"  IS NOT TRUE) = 0, 'one of the batch is to look again')"
	" FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[],"
	"  $6::bytea[], $7::uuid[]) AS it (ek, host, ticket, learned, listed, labels, device_id)"
	" LEFT JOIN LATERAL (SELECT ek_digest, host, labels FROM ek_allowed"
	"  WHERE ek_allowed.ek_digest = it.ek LIMIT 1) AS own ON true"};

static const struct statement insist_certificates = {"insist_certificates",
	"SELECT insist(count(*) FILTER (WHERE (SELECT good.device_id = it.device_id"
	"  AND good.host = it.host AND good.ak_name = it.ak FROM certificate_in_force AS good"
	"  WHERE good.serial = it.serial) IS NOT TRUE) = 0,"
	"  'a certificate of the batch is not in force')"
	" FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::bytea[])"
	"  AS it (serial, device_id, host, ak)"};

const struct statement *const enrollment_batch_statements[] = {&add_tpms, &add_certificates,
	&use_tickets, &open_shards, &insist_records, &insist_certificates, NULL};

/* A row of an array: a record, or one of its certificates. */
struct row {
	const struct enrollment_record *record;
	const struct handed_certificate *certificate;
	size_t place, first, last; /* of the certificate; of the record's part of what is flat */
};

/* Where what is not bytes yet is written. */
union scratch {
	uint8_t be[8];
	char prose[PROSE_MAX + 1];
};

struct column {
	enum array_kind kind;
	struct view (*of)(const struct row *row, union scratch *scratch);
};

static struct view number(union scratch *scratch, int64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		scratch->be[i] = (uint8_t)v;
	return VIEW(scratch->be);
}

static struct view prose(union scratch *scratch, const char *text)
{
	if (text == NULL)
		return (struct view){NULL, 0};
	printable(text, scratch->prose, sizeof(scratch->prose));
	return view_str(scratch->prose);
}

static struct view proven(union scratch *scratch, const char *text)
{
	return prose(scratch, text != NULL && *text != '\0' ? text : NULL);
}

static struct view digest(const uint8_t *bytes)
{
	return (struct view){bytes, bytes == NULL ? 0 : DIGEST_SIZE};
}

static struct view filled(struct view bytes)
{
	return bytes.n == 0 ? (struct view){NULL, 0} : bytes;
}

#define COLUMN(name, value)                                                                        \
	static struct view name(const struct row *row, union scratch *scratch)                     \
	{                                                                                          \
		(void)scratch;                                                                     \
		return value;                                                                      \
	}
COLUMN(device_id, ((struct view){row->record->device_id, DEVICE_ID_SIZE}))
COLUMN(at, number(scratch, row->record->now))
COLUMN(manufacturer, proven(scratch, row->record->manufacturer))
COLUMN(model, proven(scratch, row->record->model))
COLUMN(version, proven(scratch, row->record->version))
COLUMN(trust_class, view_str(row->record->trust_class))
COLUMN(trust_source, prose(scratch, row->record->trust_source))
COLUMN(trust_version, view_str(row->record->trust_version))
COLUMN(policy_version, view_str(row->record->policy_version))
COLUMN(ek, digest(row->record->ek_digest))
COLUMN(ek_kind, view_str(row->record->ek_kind))
COLUMN(ek_certificate, filled(row->record->ek_certificate))
COLUMN(ek_public, filled(row->record->ek_public))
COLUMN(first, number(scratch, (int64_t)row->first))
COLUMN(last, number(scratch, (int64_t)row->last))
COLUMN(host, view_str(row->record->host))
COLUMN(alias, number(scratch, row->record->host_alias))
COLUMN(ak, filled(row->record->ak_name))
COLUMN(ak_public, filled(row->record->ak_public))
COLUMN(ak_kind, view_str(row->record->ak_kind))
COLUMN(ticket, digest(row->record->ticket_digest))
COLUMN(request, digest(row->record->request_digest))
COLUMN(event, view_str(row->record->event))
COLUMN(client, prose(scratch, row->record->client_address))
COLUMN(request_id, prose(scratch, row->record->request_id))
COLUMN(learned, number(scratch, row->record->host_learned))
COLUMN(listed, number(scratch, strcmp(row->record->trust_class, "allow-list") == 0))
COLUMN(labels, digest(row->record->allowed_labels))
COLUMN(serial, filled(row->certificate->serial))
COLUMN(template, view_str(row->certificate->template))
COLUMN(template_version, number(scratch, row->certificate->template_version))
COLUMN(grant_digest, digest(row->certificate->grant_digest))
COLUMN(place, number(scratch, (int64_t)row->place))
COLUMN(der, filled(row->certificate->der))
COLUMN(not_before, number(scratch, row->certificate->not_before))
COLUMN(not_after, number(scratch, row->certificate->not_after))
COLUMN(kind, view_str(row->certificate->kind))
COLUMN(key_kind, view_str(row->certificate->key_kind))
COLUMN(key_sha256, digest(row->certificate->key_sha256))
COLUMN(issuer, digest(row->certificate->issuer))
COLUMN(shard, row->certificate->shard == NO_SHARD ? digest(NULL)
						  : number(scratch, row->certificate->shard))

/* A batch on its way; the arrays are what the trip's values borrow. */
struct batch {
	struct row records[BATCH_MAX];
	struct row certificates[BATCH_MAX * ENROLLMENT_CERTIFICATES];
	size_t records_n, certificates_n;
	struct array arrays[ARRAYS_MAX];
	size_t arrays_n;
	struct pipeline trip;
	enum err err; /* the first */
};

static void batch_free(struct batch **batch)
{
	if (*batch == NULL)
		return;
	for (size_t i = 0; i < (*batch)->arrays_n; i++)
		array_free(&(*batch)->arrays[i]);
	free(*batch);
	*batch = NULL;
}

static struct array *begin(struct batch *batch, enum array_kind kind, size_t n)
{
	struct array *array = &batch->arrays[batch->arrays_n++];

	array_begin(array, kind, n, ARRAY_LIMIT);
	return array;
}

static struct value finish(struct batch *batch, const struct array *array)
{
	struct value value = value_int(0);
	enum err err = array_value(array, &value);

	if (batch->err == OK)
		batch->err = err;
	return value;
}

static struct value fill(
	struct batch *batch, const struct column *column, const struct row *rows, size_t n)
{
	struct array *array = begin(batch, column->kind, n);
	union scratch scratch;

	for (size_t i = 0; i < n; i++)
		array_add(array, column->of(&rows[i], &scratch));
	return finish(batch, array);
}

#define FILL(batch, rows, columns, values)                                                         \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < COUNT(columns); i_++)                                     \
			(values)[i_] =                                                             \
				fill(batch, &(columns)[i_], (batch)->rows, (batch)->rows##_n);     \
	} while (0)

/* Any order will do that is the same for all. */
static int compare_keys(const void *a, const void *b)
{
	return memcmp(((const struct value *)a)->be, ((const struct value *)b)->be, 8);
}

static void lock_tickets(struct batch *batch)
{
	struct array *array = begin(batch, ARRAY_INT, batch->records_n);
	struct value keys[BATCH_MAX];

	for (size_t i = 0; i < batch->records_n; i++)
		keys[i] = lock_ticket_key(batch->records[i].record->ticket_digest);
	qsort(keys, batch->records_n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < batch->records_n; i++)
		array_add(array, VIEW(keys[i].be));
	lock_add_enrollments(&batch->trip, finish(batch, array));
}

/* The chains of all, one after the other; each record knows from where to where is its own. */
static struct value chains(struct batch *batch)
{
	struct array *array;
	size_t n = 0;

	for (size_t i = 0; i < batch->records_n; i++) {
		batch->records[i].first = n + 1;
		batch->records[i].last = n += batch->records[i].record->ek_chain_n;
	}
	array = begin(batch, ARRAY_BYTES, n);
	for (size_t i = 0; i < batch->records_n; i++)
		for (size_t k = 0; k < batch->records[i].record->ek_chain_n; k++)
			array_add(array, batch->records[i].record->ek_chain[k]);
	return finish(batch, array);
}

static void record_tpms(struct batch *batch)
{
	static const struct column columns[] = {{ARRAY_UUID, device_id}, {ARRAY_INT, at},
		{ARRAY_TEXT, manufacturer}, {ARRAY_TEXT, model}, {ARRAY_TEXT, version},
		{ARRAY_TEXT, trust_class}, {ARRAY_TEXT, trust_source}, {ARRAY_TEXT, trust_version},
		{ARRAY_BYTES, ek}, {ARRAY_TEXT, ek_kind}, {ARRAY_BYTES, ek_certificate},
		{ARRAY_BYTES, ek_public}, {ARRAY_INT, first}, {ARRAY_INT, last}, {ARRAY_TEXT, host},
		{ARRAY_INT, alias}, {ARRAY_BYTES, ak}, {ARRAY_BYTES, ak_public},
		{ARRAY_TEXT, ak_kind}};
	struct value values[COUNT(columns) + 1];

	values[COUNT(columns)] = chains(batch);
	FILL(batch, records, columns, values);
	step_add(&batch->trip, &add_tpms, values, COUNT(values));
}

static void record_certificates(struct batch *batch)
{
	static const struct column columns[] = {{ARRAY_BYTES, serial}, {ARRAY_UUID, device_id},
		{ARRAY_TEXT, host}, {ARRAY_BYTES, ak}, {ARRAY_TEXT, template},
		{ARRAY_INT, template_version}, {ARRAY_BYTES, grant_digest}, {ARRAY_INT, place},
		{ARRAY_BYTES, der}, {ARRAY_INT, not_before}, {ARRAY_INT, not_after},
		{ARRAY_INT, at}, {ARRAY_TEXT, trust_version}, {ARRAY_TEXT, policy_version},
		{ARRAY_TEXT, kind}, {ARRAY_TEXT, key_kind}, {ARRAY_BYTES, key_sha256},
		{ARRAY_BYTES, issuer}, {ARRAY_INT, shard}};
	struct value values[COUNT(columns)];

	FILL(batch, certificates, columns, values);
	step_add(&batch->trip, &add_certificates, values, COUNT(values));
}

static void record_tickets(struct batch *batch)
{
	static const struct column columns[] = {{ARRAY_BYTES, ticket}, {ARRAY_BYTES, request},
		{ARRAY_UUID, device_id}, {ARRAY_TEXT, host}, {ARRAY_BYTES, ak}, {ARRAY_INT, at},
		{ARRAY_TEXT, event}, {ARRAY_BYTES, ek}, {ARRAY_TEXT, client},
		{ARRAY_TEXT, request_id}, {ARRAY_TEXT, trust_version}, {ARRAY_TEXT, policy_version},
		{ARRAY_BYTES, serial}, {ARRAY_INT, first}, {ARRAY_INT, last}};
	struct value values[COUNT(columns)];
	size_t n = 0;

	for (size_t i = 0; i < batch->records_n; i++) {
		batch->records[i].first = n + 1;
		batch->records[i].last = n += batch->records[i].record->certificates_n;
	}
	for (size_t i = 0; i < COUNT(columns); i++)
		values[i] = columns[i].of == serial
				    ? fill(batch, &columns[i], batch->certificates, n)
				    : fill(batch, &columns[i], batch->records, batch->records_n);
	step_add(&batch->trip, &use_tickets, values, COUNT(values));
}

static void record_shards(struct batch *batch)
{
	static const struct column columns[] = {{ARRAY_BYTES, issuer}, {ARRAY_INT, shard}};
	struct value values[COUNT(columns)];

	FILL(batch, certificates, columns, values);
	step_add(&batch->trip, &open_shards, values, COUNT(values));
}

static void insist(struct batch *batch)
{
	static const struct column of_records[] = {{ARRAY_BYTES, ek}, {ARRAY_TEXT, host},
		{ARRAY_BYTES, ticket}, {ARRAY_INT, learned}, {ARRAY_INT, listed},
		{ARRAY_BYTES, labels}, {ARRAY_UUID, device_id}};
	static const struct column of_certificates[] = {{ARRAY_BYTES, serial},
		{ARRAY_UUID, device_id}, {ARRAY_TEXT, host}, {ARRAY_BYTES, ak}};
	struct value records[COUNT(of_records)], certificates[COUNT(of_certificates)];

	FILL(batch, records, of_records, records);
	step_add(&batch->trip, &insist_records, records, COUNT(records));
	FILL(batch, certificates, of_certificates, certificates);
	step_add(&batch->trip, &insist_certificates, certificates, COUNT(certificates));
}

static void take_in(struct batch *batch, const struct enrollment_record *record)
{
	batch->records[batch->records_n++] = (struct row){.record = record};
	for (size_t i = 0; i < record->certificates_n; i++)
		batch->certificates[batch->certificates_n++] = (struct row){
			.record = record, .certificate = &record->certificates[i], .place = i};
}

bool enrollment_is_batchable(const struct enrollment_record *record)
{
	if (!record->device_new || strcmp(record->trust_class, "approved") == 0 ||
		record->certificates_n == 0 || record->certificates_n > ENROLLMENT_CERTIFICATES)
		return false;
	for (size_t i = 0; i < record->certificates_n; i++)
		if (record->certificates[i].stored != NULL)
			return false;
	return true;
}

enum err enrollment_batch_record(
	struct db *db, const struct enrollment_record *const *records, size_t n)
{
	AUTO(batch_free) struct batch *batch = calloc(1, sizeof(*batch));
	enum err err;

	if (batch == NULL || n < 1 || n > BATCH_MAX)
		return fail(ERR_INTERNAL, "out-of-memory", "a batch of %zu records", n);
	for (size_t i = 0; i < n; i++)
		take_in(batch, records[i]);
	lock_tickets(batch);
	record_tpms(batch);
	record_certificates(batch);
	record_tickets(batch);
	record_shards(batch);
	insist(batch);
	TRY(batch->err);
	err = db_run(db, &batch->trip, LOST_GIVE_UP);
	/* The lock that it waited for is one record's, most likely. */
	return err == ERR_BUSY && strcmp(why()->code, "database-late") == 0 ? ERR_CONFLICT : err;
}
