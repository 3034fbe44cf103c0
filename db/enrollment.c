#include "db/enrollment.h"

#include "ca/base/encode.h"
#include "db/array.h"
#include "db/connection.h"
#include "db/enrollment_batch.h"
#include "db/lock.h"
#include "db/pool_connection.h"

#include <string.h>

#define CHAIN_MAX (64 * 1024) /* bytes of an EK's chain */

/*
 * Who races whom, and why exactly one wins. The first trip read one snapshot; since then any other
 * server may have committed anything. Each fact that the record stands on is checked again by a
 * constraint or by insist(), under a lock that is held to the commit:
 *
 * - The device was known. Every act that changes it or what hangs on it moves its revision in the
 *   same transaction, so move_device fails, also when the other one commits while we wait for the
 *   row's lock (READ COMMITTED looks at the new row again; stricter levels fail with 40001).
 *   So a name unbound, an AK superseded, a certificate or the device revoked, or another enrollment
 *   of this device between our two trips: look again.
 * - The device was not known, and its EK neither. Both racers bring a random device_id; the second
 *   one finds the EK there: the primary key of ek.
 * - The EK was not known, its AK was: a second EK of that device. The device's revision is guarded
 *   as above; an EK that meanwhile went to another device fails in insist_record.
 * - The AK was not known, and came under another device (a second EK of one TPM, both new, in one
 *   moment): the primary key of ak. Looking again then finds the device by its AK.
 * - The name was free, and was taken: the primary key of host. It was another's: that is a refusal,
 *   and if it became free since, the next attempt sees it.
 * - This device got another name: host_one_name, and its revision.
 * - The allow-list and the decisions on held attempts: lock_add_enrollment() keeps both as they are
 *   up to the commit, and insist_record looks at them again, also at rows that must not be there.
 * - The ticket was not answered with a held attempt, and is now: the same, for the ticket.
 * - The labels of a device that is new are those of its EK in the allow-list: insist_record
 *   compares them again. Of one that is known they are part of the device, and its revision tells.
 * - The device was active: its revision tells, and move_device looks at its state again. Whoever
 *   revokes or holds it changes its row first and keeps it to his commit (revoke.c).
 * - The name was not barred, the CA not revoked: insist_record looks at both again. Who bars or
 *   revokes keeps enrollments out meanwhile, as with the allow-list, so it sees all there is.
 * - Of several certificates some may be recorded ones: insist_record wants all of them, in the end.
 * - The ticket was not used, and is now (a repeat in parallel on two servers): the primary key of
 *   ticket, if the device's revision did not tell before. Looking again finds the ticket's answer.
 *   Purging takes only tickets that do not open any more.
 *
 * insist_record comes last, in a snapshot of its own, so it sees what was committed meanwhile; and what it
 * looks at either is kept by lock.h, or hangs on a device whose row is ours by then.
 *
 * A unique violation waits for the other transaction to end, so nobody loses to one that is rolled
 * back in the end. What lock.h offers comes first; then rows are locked in the order device, ek,
 * host, ak, certificate, ticket, one of each, then attempts of the EK, then shards by issuer and
 * number, and everywhere in db/ in this order: no cycle, no deadlock.
 * One statement that writes to several tables keeps that order by having each part read the one before.
 *
 * Under load records of new devices share a transaction (enrollment_batch.c): what is said here holds for each
 * of them, with "one of each" read as "in the order of their keys".
 *
 * Each statement costs the server 10 us beside its work, so there are few; what only some records need
 * has one of its own.
 */

/* A TPM that nobody knew, with all that hangs on it. */
static const struct statement add_tpm = {"add_tpm",
	"WITH new_device AS (INSERT INTO device (device_id, created_at, last_success_at,"
	"  manufacturer, model, version, trust_class, trust_source, trust_version, labels)"
	"  VALUES ($1::uuid, to_timestamp($2::bigint), to_timestamp($2::bigint), $3::text,"
	"   $4::text, $5::text, $6::text, $7::text, $8::text,"
	"   coalesce((SELECT labels FROM ek_allowed WHERE ek_digest = $9::bytea), '{}'))"
	"  RETURNING device_id),"
	" new_ek AS (INSERT INTO ek (ek_digest, device_id, kind, certificate, created_at, public,"
	"  chain)"
	"  SELECT $9::bytea, device_id, $10::text, $11::bytea, to_timestamp($2::bigint),"
	"   $12::bytea, $13::bytea[] FROM new_device RETURNING device_id),"
	" new_host AS (INSERT INTO host (name, device_id, alias, bound_at)"
	"  SELECT $14::text, device_id, $15::boolean, to_timestamp($2::bigint) FROM new_ek"
	"  RETURNING device_id)"
	" INSERT INTO ak (name, device_id, public, kind, created_at, ek_digest, proven_at)"
	" SELECT $16::bytea, device_id, $17::bytea, $18::text, to_timestamp($2::bigint), $9::bytea,"
	"  to_timestamp($2::bigint) FROM new_host"};

static const struct statement move_device = {"move_device",
	"WITH moved AS (UPDATE device SET revision = revision + 1,"
	" last_success_at = to_timestamp($3::bigint), trust_class = $4::text,"
	" trust_source = $5::text, trust_version = $6::text"
	" WHERE device_id = $1::uuid AND revision = $2::bigint AND state = 'active' RETURNING 1)"
	" SELECT insist((SELECT count(*) FROM moved) = 1, 'the device was changed')"};

/* What it came with last is what renewals are judged by. */
static const struct statement add_ek = {"add_ek",
	"INSERT INTO ek (ek_digest, device_id, kind, certificate, created_at, public, chain)"
	" VALUES ($1::bytea, $2::uuid, $3::text, $4::bytea, to_timestamp($5::bigint), $6::bytea,"
	" $7::bytea[])"
	" ON CONFLICT (ek_digest) DO UPDATE SET certificate = excluded.certificate,"
	" public = excluded.public, chain = excluded.chain"
	" WHERE ek.device_id = excluded.device_id AND (ek.certificate, ek.public, ek.chain)"
	" IS DISTINCT FROM (excluded.certificate, excluded.public, excluded.chain)"};

static const struct statement bind_host = {"bind_host",
	"INSERT INTO host (name, device_id, alias, bound_at)"
	" VALUES ($1::text, $2::uuid, $3::boolean, to_timestamp($4::bigint))"};

static const struct statement add_ak = {"add_ak",
	"INSERT INTO ak (name, device_id, public, kind, created_at, ek_digest, proven_at)"
	" VALUES ($1::bytea, $2::uuid, $3::bytea, $4::text, to_timestamp($5::bigint), $6::bytea,"
	" to_timestamp($5::bigint))"};

static const struct statement prove_ak = {"prove_ak",
	"UPDATE ak SET ek_digest = $2::bytea, proven_at = to_timestamp($3::bigint)"
	" WHERE name = $1::bytea"};

static const struct statement supersede_aks = {"supersede_aks",
	"UPDATE ak SET state = 'superseded' WHERE device_id = $1::uuid AND name IN"
	" (SELECT name FROM ak WHERE device_id = $1::uuid AND state = 'live'"
	"  ORDER BY name = $2::bytea DESC, created_at DESC, name OFFSET $3::bigint)"};

/*
 * Where the name is not bound to the device, `binding` is NULL and the constraint refuses, and where it
 * ends before it begins, the end is. The casts to domains: 0013.
 */
static const struct statement add_certificate = {"add_certificate",
	"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
	" template_version, grant_digest, place, der, not_before, not_after, issued_at,"
	" trust_version, policy_version, kind, key_kind, key_sha256, issuer, shard)"
	" VALUES ($1::bytea::serial_number, $2::uuid, $3::text,"
	" (SELECT binding FROM host WHERE name = $3::text AND device_id = $2::uuid),"
	" $4::bytea, $5::text, $6::bigint, $7::bytea, $8::bigint, $9::bytea::certificate_bytes,"
	" to_timestamp($10::bigint),"
	" CASE WHEN $11::bigint > $10::bigint THEN to_timestamp($11::bigint) END,"
	" to_timestamp($12::bigint), $13::text, $14::text, $15::text::certificate_kind, $16::text,"
	" $17::bytea, $18::bytea::digest, $19::bigint::ordinal)"};

/*
 * Of attempts those go that nobody decided; accepted ones are what an approval rests on. By the EK, so
 * not by the indices over what is held, which the planner would take for `state` while they are small.
 */
static const struct statement use_ticket = {"use_ticket",
	"WITH used AS (INSERT INTO ticket (ticket_digest, request_digest, device_id, host, ak_name,"
	"  serials, used_at)"
	"  VALUES ($1::bytea, $2::bytea, $3::uuid, $4::text, $5::bytea, $6::bytea[],"
	"   to_timestamp($7::bigint)) RETURNING device_id),"
	" ended AS (DELETE FROM pending WHERE ek_digest = $9::bytea AND decided_at IS NULL"
	"  AND EXISTS (SELECT FROM used))"
	" INSERT INTO audit (at, event, device_id, ek_digest, host, serials, client_address,"
	"  request_id, trust_version, policy_version)"
	" SELECT to_timestamp($7::bigint), $8::text, device_id, $9::bytea, $4::text, $6::bytea[],"
	"  $10::text, $11::text, $12::text, $13::text FROM used"};

/* Those who come first of a shard at one moment wait for each other, in the order of shards. */
static const struct statement open_shard = {"open_shard",
	"INSERT INTO crl_shard (issuer, shard) SELECT $1::bytea, $2::bigint WHERE NOT EXISTS"
	" (SELECT FROM crl_shard WHERE issuer = $1::bytea AND shard = $2::bigint)"
	" ON CONFLICT DO NOTHING"};

/* Of class approved. */
static const struct statement insist_accepted = {"insist_accepted",
	"SELECT insist(EXISTS (SELECT FROM pending WHERE ek_digest = $1::bytea"
	"  AND coalesce(host::text, '') = $2::text AND state = 'accepted'),"
	"  'the attempt is not accepted')"};

/*
 * The last word: what the decision stands on besides the device ($4: it named no host, and learned
 * this one; $5: it is of class allow-list; $6: the labels that it was made with), and that all that is
 * handed out is unrevoked, the name bound, the AK live, the device's own.
 */
static const struct statement insist_record = {"insist_record",
	"SELECT insist(coalesce(own.host = $2::text, true),"
	"  'the EK is registered for another name'),"
	" insist(NOT EXISTS (SELECT FROM ek_allowed AS other WHERE other.host = $2::text"
	"  AND other.ek_digest <> $1::bytea), 'the name is registered for another EK'),"
	" insist(NOT $4::boolean OR coalesce(own.host = $2::text, false),"
	"  'the EK is registered for no name'),"
	" insist(NOT $5::boolean OR own.ek_digest IS NOT NULL, 'the EK is not on the allow-list'),"
	" insist(NOT EXISTS (SELECT FROM pending_ticket WHERE ticket_digest = $3::bytea),"
	"  'the ticket was answered with a held attempt'),"
	" insist($6::bytea IS NULL OR coalesce(sha256(convert_to(own.labels::text, 'UTF8')),"
	"  decode(repeat('00', 32), 'hex')) = $6::bytea, 'the EK has other labels'),"
	" insist(EXISTS (SELECT FROM ek"
	"  WHERE ek.ek_digest = $1::bytea AND ek.device_id = $7::uuid),"
	"  'the EK is another device''s'),"
	" insist(NOT EXISTS (SELECT FROM unnest($9::bytea[]) AS handed (serial)"
	"  WHERE (SELECT good.device_id = $7::uuid AND good.host = $2::text"
	"    AND good.ak_name = $8::bytea FROM certificate_in_force AS good"
	"   WHERE good.serial = handed.serial) IS NOT TRUE),"
	"  'a certificate is not in force')"
	" FROM (SELECT) AS one LEFT JOIN ek_allowed AS own ON own.ek_digest = $1::bytea"};

/* One refusal for each ticket, however often it is sent: the rest hangs on `first`. */
static const struct statement refuse_ticket = {"refuse_ticket",
	"WITH first AS (INSERT INTO refusal (ticket_digest, refused_at)"
	"  VALUES ($1::bytea, to_timestamp($2::bigint)) ON CONFLICT DO NOTHING RETURNING 1),"
	" known AS (SELECT coalesce($12::uuid,"
	"  (SELECT ek.device_id FROM ek WHERE ek.ek_digest = $3::bytea)) AS device_id),"
	" noted AS (UPDATE device SET last_refusal_at = to_timestamp($2::bigint),"
	"  last_refusal_code = $5::text"
	"  WHERE device_id = (SELECT device_id FROM known) AND EXISTS (SELECT FROM first))"
	" INSERT INTO audit (at, event, device_id, ek_digest, host, code, detail, client_address,"
	"  request_id, trust_version, policy_version)"
	" SELECT to_timestamp($2::bigint), $11::text, (SELECT device_id FROM known),"
	"  $3::bytea, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text"
	" WHERE EXISTS (SELECT FROM first)"};

const struct statement *const enrollment_statements[] = {&add_tpm, &move_device, &add_ek,
	&bind_host, &add_ak, &prove_ak, &supersede_aks, &add_certificate, &use_ticket, &open_shard,
	&insist_accepted, &insist_record, &refuse_ticket, NULL};

static struct value digest(const uint8_t *bytes)
{
	return value_bytes((struct view){bytes, bytes == NULL ? 0 : DIGEST_SIZE});
}

static struct value device(const struct enrollment_record *record)
{
	return value_bytes((struct view){record->device_id, DEVICE_ID_SIZE});
}

/* A bytea[] as text: {"\\x01","\\x02"}. */
static void add_serial(struct buf *array, struct view serial)
{
	buf_str(array, array->n == 0 ? "{\"\\\\x" : ",\"\\\\x");
	hex_add(array, serial);
	buf_str(array, "\"");
}

static enum err list_serials(const struct enrollment_record *record, struct buf *array)
{
	if (record->certificates_n == 0 || record->certificates_n > ENROLLMENT_CERTIFICATES)
		return fail(ERR_INTERNAL, "database-record", "%zu certificates to be handed out",
			record->certificates_n);
	for (size_t i = 0; i < record->certificates_n; i++) {
		const struct handed_certificate *certificate = &record->certificates[i];
		const struct stored_certificate *stored = certificate->stored;

		add_serial(array, stored == NULL ? certificate->serial
						 : (struct view){stored->serial, stored->serial_n});
	}
	buf_str(array, "}");
	return buf_ok(array);
}

/* "" is what an EK is called that no certificate speaks of. */
static struct value proven(const char *text)
{
	return value_prose(text != NULL && *text != '\0' ? text : NULL);
}

static void record_new_device(
	struct pipeline *trip, const struct enrollment_record *record, struct value chain)
{
	STEP(trip, &add_tpm, device(record), value_int(record->now), proven(record->manufacturer),
		proven(record->model), proven(record->version), value_text(record->trust_class),
		value_prose(record->trust_source), value_text(record->trust_version),
		digest(record->ek_digest), value_text(record->ek_kind),
		value_bytes(record->ek_certificate), value_bytes(record->ek_public), chain,
		value_text(record->host), value_bool(record->host_alias),
		value_bytes(record->ak_name), value_bytes(record->ak_public),
		value_text(record->ak_kind));
}

static void record_ak(struct pipeline *trip, const struct enrollment_record *record)
{
	struct value ak_name = value_bytes(record->ak_name), now = value_int(record->now);

	if (record->ak_new)
		STEP(trip, &add_ak, ak_name, device(record), value_bytes(record->ak_public),
			value_text(record->ak_kind), now, digest(record->ek_digest));
	else if (!record->is_renewal)
		STEP(trip, &prove_ak, ak_name, digest(record->ek_digest), now);
	if (record->ak_new || record->ak_alone)
		STEP(trip, &supersede_aks, device(record), ak_name,
			value_int(record->ak_alone || record->live_aks_max == 0
					  ? 1
					  : record->live_aks_max));
}

static void record_known_device(
	struct pipeline *trip, const struct enrollment_record *record, struct value chain)
{
	struct value now = value_int(record->now);

	STEP(trip, &move_device, device(record), value_int(record->revision), now,
		value_text(record->trust_class), value_prose(record->trust_source),
		value_text(record->trust_version));
	if (!record->is_renewal)
		STEP(trip, &add_ek, digest(record->ek_digest), device(record),
			value_text(record->ek_kind), value_bytes(record->ek_certificate), now,
			value_bytes(record->ek_public), chain);
	if (record->host_new)
		STEP(trip, &bind_host, value_text(record->host), device(record),
			value_bool(record->host_alias), now);
	record_ak(trip, record);
}

static void record_certificate(
	struct pipeline *trip, const struct enrollment_record *record, size_t i)
{
	const struct handed_certificate *certificate = &record->certificates[i];

	if (certificate->stored != NULL)
		return;
	STEP(trip, &add_certificate, value_bytes(certificate->serial), device(record),
		value_text(record->host), value_bytes(record->ak_name),
		value_text(certificate->template), value_int(certificate->template_version),
		digest(certificate->grant_digest), value_int((int64_t)i),
		value_bytes(certificate->der), value_int(certificate->not_before),
		value_int(certificate->not_after), value_int(record->now),
		value_text(record->trust_version), value_text(record->policy_version),
		value_text(certificate->kind), value_text(certificate->key_kind),
		digest(certificate->key_sha256), digest(certificate->issuer),
		certificate->shard == NO_SHARD ? value_text(NULL) : value_int(certificate->shard));
}

static void record_ticket(
	struct pipeline *trip, const struct enrollment_record *record, struct value serials)
{
	STEP(trip, &use_ticket, digest(record->ticket_digest), digest(record->request_digest),
		device(record), value_text(record->host), value_bytes(record->ak_name), serials,
		value_int(record->now), value_text(record->event), digest(record->ek_digest),
		value_prose(record->client_address), value_prose(record->request_id),
		value_text(record->trust_version), value_text(record->policy_version));
}

static bool has_shard(const struct handed_certificate *certificate)
{
	return certificate->stored == NULL && certificate->issuer != NULL &&
	       certificate->shard != NO_SHARD;
}

static int compare_shards(const struct handed_certificate *a, const struct handed_certificate *b)
{
	int order = memcmp(a->issuer, b->issuer, DIGEST_SIZE);

	return order != 0 ? order : (a->shard > b->shard) - (a->shard < b->shard);
}

/* The first of the shards behind that of `last`, which may be NULL; NULL: there is none. */
static const struct handed_certificate *next_shard(
	const struct enrollment_record *record, const struct handed_certificate *last)
{
	const struct handed_certificate *next = NULL;

	for (size_t i = 0; i < record->certificates_n; i++) {
		const struct handed_certificate *one = &record->certificates[i];

		if (has_shard(one) && (last == NULL || compare_shards(one, last) > 0) &&
			(next == NULL || compare_shards(one, next) < 0))
			next = one;
	}
	return next;
}

static void record_shards(struct pipeline *trip, const struct enrollment_record *record)
{
	const struct handed_certificate *last = NULL;

	while ((last = next_shard(record, last)) != NULL)
		STEP(trip, &open_shard, digest(last->issuer), value_int(last->shard));
}

static void insist(
	struct pipeline *trip, const struct enrollment_record *record, struct value serials)
{
	struct value ek = digest(record->ek_digest), host = value_text(record->host);

	if (strcmp(record->trust_class, "approved") == 0)
		STEP(trip, &insist_accepted, ek, host);
	STEP(trip, &insist_record, ek, host, digest(record->ticket_digest),
		value_bool(record->host_learned),
		value_bool(strcmp(record->trust_class, "allow-list") == 0),
		record->device_new ? digest(record->allowed_labels) : digest(NULL), device(record),
		value_bytes(record->ak_name), serials);
}

static enum err chain_value(
	const struct enrollment_record *record, struct array *array, struct value *out)
{
	array_begin(array, ARRAY_BYTES, record->ek_chain_n, CHAIN_MAX);
	for (size_t i = 0; i < record->ek_chain_n; i++)
		array_add(array, record->ek_chain[i]);
	return array_value(array, out);
}

static enum err record_alone(void *db, const void *what)
{
	const struct enrollment_record *record = what;
	AUTO(array_free) struct array chain = {.missing = 0};
	AUTO(buf_free) struct buf array = BUF(ENROLLMENT_CERTIFICATES * (2 * SERIAL_MAX + 8));
	struct value serials, intermediates;
	struct pipeline trip = {.n = 0};

	TRY(list_serials(record, &array));
	TRY(chain_value(record, &chain, &intermediates));
	serials = value_text(buf_text(&array));
	lock_add_enrollment(&trip, record->ticket_digest);
	if (record->device_new)
		record_new_device(&trip, record, intermediates);
	else
		record_known_device(&trip, record, intermediates);
	for (size_t i = 0; i < record->certificates_n; i++)
		record_certificate(&trip, record, i);
	record_ticket(&trip, record, serials);
	record_shards(&trip, record);
	insist(&trip, record, serials);
	return db_run(db, &trip, LOST_GIVE_UP);
}

static enum err record_together(void *db, const void *const *what, size_t n)
{
	const struct enrollment_record *records[COMPANY_MAX];

	for (size_t i = 0; i < n; i++)
		records[i] = what[i];
	return enrollment_batch_record(db, records, n);
}

enum err enrollment_record(struct db *db, const struct enrollment_record *record)
{
	const struct company_work work = {record_together, record_alone, db};
	enum err err = enrollment_is_batchable(record) ? company_run(db_records(db), &work, record)
						       : record_alone(db, record);

	standing_note(db_standing(db), err);
	return err;
}

enum err enrollment_refused(struct db *db, const struct refusal_record *refusal)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &refuse_ticket, digest(refusal->ticket_digest), value_int(refusal->now),
		digest(refusal->ek_digest), value_prose(refusal->host), value_text(refusal->code),
		value_prose(refusal->sentence), value_prose(refusal->client_address),
		value_prose(refusal->request_id), value_text(refusal->trust_version),
		value_text(refusal->policy_version), value_text(refusal->event),
		value_bytes((struct view){
			refusal->device_id, refusal->device_id == NULL ? 0 : DEVICE_ID_SIZE}));
	return db_run(db, &trip, LOST_GIVE_UP);
}
