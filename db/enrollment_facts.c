#include "db/enrollment_facts.h"

#include "db/array.h"
#include "db/connection.h"
#include "db/pool_connection.h"

#include <stdlib.h>
#include <string.h>

/*
 * Everything that a decision is made on comes from this one statement, so from one snapshot: no
 * mixture of before and after somebody else's commit. What only some need comes behind it, and is
 * asked for only where this one says that there is something: the server spends more on making a
 * statement ready than on finding nothing. It runs later, and take_brought() and take_reusable() drop
 * what does not fit the snapshot. Labels that do not fit it are found by the record: the device's
 * revision has moved, or insist_record sees that those of the allow-list have. LATERAL with LIMIT 1
 * keeps the planner to the primary key while tables are small; each column that it names costs.
 */
static const struct statement find_facts = {"find_facts",
	"SELECT device.device_id, device.state, device.revision,"
	" ek.ek_digest IS NOT NULL, ak.device_id, ak.state = 'live', ak.dialect <> 'native',"
	" host.name IS NOT NULL, coalesce(host.device_id = device.device_id, false),"
	" (SELECT count(*) FROM host AS own WHERE own.device_id = device.device_id),"
	" ticket.request_digest,"
	" extract(epoch FROM clock_timestamp())::bigint,"
	" asked.source, asked.registered,"
	" EXISTS (SELECT FROM ek_allowed AS other WHERE other.host = asked.host"
	"  AND other.ek_digest <> asked.ek_digest),"
	" pending.attempt_id, pending.state = 'accepted', pending.state = 'rejected',"
	" EXISTS (SELECT FROM pending_ticket AS held"
	"  WHERE held.ticket_digest = asked.ticket_digest),"
	" sha256(convert_to(asked.labels::text, 'UTF8')),"
	" EXISTS (SELECT FROM host_barred WHERE host_barred.name = asked.host),"
	" coalesce(device.labels, asked.labels) <> '{}',"
	" (SELECT issuer_id FROM issuer WHERE issuer_id = ANY ($5::bytea[])"
	"  AND revoked_at IS NOT NULL LIMIT 1)"
	" FROM (SELECT key.ek_digest, key.ak_name, key.ticket_digest, allowed.source, "
	"allowed.labels,"
	"   allowed.host AS registered, coalesce(key.host, allowed.host) COLLATE \"C\" AS host"
	"  FROM (SELECT $1::bytea AS ek_digest, $2::bytea AS ak_name, $3::text AS host,"
	"   $4::bytea AS ticket_digest) AS key"
	"  LEFT JOIN ek_allowed AS allowed ON allowed.ek_digest = key.ek_digest) AS asked"
	" LEFT JOIN ek ON ek.ek_digest = asked.ek_digest"
	" LEFT JOIN ak ON ak.name = asked.ak_name"
	" LEFT JOIN LATERAL (SELECT device_id, state, revision, labels FROM device"
	"  WHERE device.device_id = coalesce(ek.device_id, ak.device_id) LIMIT 1) AS device ON true"
	" LEFT JOIN LATERAL (SELECT name, device_id FROM host WHERE host.name = asked.host LIMIT 1)"
	"  AS host ON true"
	" LEFT JOIN ticket ON ticket.ticket_digest = asked.ticket_digest"
	" LEFT JOIN LATERAL (SELECT attempt_id, state FROM pending"
	"  WHERE pending.ek_digest = asked.ek_digest"
	"  AND coalesce(pending.host::text, '') = coalesce(asked.host, '') LIMIT 1) AS pending"
	"  ON true"};

/* Also what is not there any more, or not in force: with one of them the ticket brings nothing. */
static const struct statement find_brought = {"find_brought",
	"SELECT certificate.serial, certificate.template, certificate.grant_digest,"
	" certificate.der, (SELECT true FROM certificate_in_force AS good"
	"  WHERE good.serial = brought.serial)"
	" FROM ticket"
	" CROSS JOIN LATERAL unnest(ticket.serials) WITH ORDINALITY AS brought (serial, place)"
	" LEFT JOIN LATERAL (SELECT serial, template, grant_digest, der FROM certificate"
	"  WHERE certificate.serial = brought.serial LIMIT 1) AS certificate ON true"
	" WHERE ticket.ticket_digest = $1::bytea ORDER BY brought.place LIMIT $2::bigint"};

/* Of the last 64, so that a device which renews daily for years does not cost more each day. */
static const struct statement find_reusable = {"find_reusable",
	"SELECT good.serial, good.template, good.grant_digest, good.der"
	" FROM (SELECT serial, not_before, not_after FROM certificate"
	"  WHERE device_id = $1::uuid AND ak_name = $2::bytea AND host = $3::text"
	"  ORDER BY issued_at DESC LIMIT 64) AS recent"
	" CROSS JOIN LATERAL (SELECT serial, template, grant_digest, der, issued_at, place"
	"  FROM certificate_in_force AS one WHERE one.serial = recent.serial LIMIT 1) AS good"
	" WHERE recent.not_before + (recent.not_after - recent.not_before) / 2"
	"  >= to_timestamp($4::bigint)"
	" ORDER BY good.issued_at DESC, good.grant_digest, good.place LIMIT $5::bigint"};

/* A known device has its own: those that its EK had when it came. */
static const struct statement find_labels = {"find_labels",
	"SELECT label.key, label.value FROM jsonb_each_text(coalesce("
	" (SELECT device.labels FROM device WHERE device.device_id = $1::uuid),"
	" (SELECT ek_allowed.labels FROM ek_allowed WHERE ek_allowed.ek_digest = $2::bytea),"
	" '{}'::jsonb)) AS label ORDER BY label.key COLLATE \"C\" LIMIT $3::bigint"};

/* Gaps are no harm: what is taken here may never be issued. */
static const struct statement take_ssh_serials = {
	"take_ssh_serials", "SELECT nextval('ssh_serial') FROM generate_series(1, $1::bigint)"};

/*
 * Everybody draws by the newest plan that he sees. Who does not see that of another server, which just
 * then begins a new one, draws from shards of the old one, which nobody else has: see shard.c.
 */
static const struct statement draw_crl_places = {"draw_crl_places",
	"SELECT base, first_shard + (nextval('crl_place') - first_place) / capacity"
	" FROM (SELECT base, first_shard, first_place, capacity FROM crl_plan"
	"  WHERE first_shard >= 0 ORDER BY first_shard DESC LIMIT 1)"
	" AS plan,"
	" generate_series(1, $1::bigint)"};

static const struct statement find_ak_certificates = {"find_ak_certificates",
	"SELECT template, sha256(der) FROM (SELECT DISTINCT ON (template) template, der, issued_at"
	"  FROM certificate_in_force WHERE device_id = $1::uuid AND ak_name = $2::bytea"
	"  AND host = $3::text"
	"  AND kind = 'x509' AND key_kind = 'ak' AND not_after > to_timestamp($4::bigint)"
	"  ORDER BY template, issued_at DESC) AS newest ORDER BY issued_at DESC LIMIT $5::bigint"};

const struct statement *const enrollment_facts_statements[] = {&find_facts, &find_brought,
	&find_reusable, &find_labels, &take_ssh_serials, &draw_crl_places, &find_ak_certificates,
	NULL};

static void certificate_free(struct stored_certificate *certificate)
{
	free(certificate->template);
	buf_free(&certificate->der);
	*certificate = (struct stored_certificate){.der = BUF(0)};
}

void enrollment_facts_free(struct enrollment_facts *facts)
{
	for (size_t i = 0; i < REUSABLE_CERTIFICATES; i++)
		certificate_free(&facts->certificates[i]);
	facts->certificates_n = 0;
	for (size_t i = 0; i < facts->labels_n; i++) {
		free(facts->labels[i].name);
		free(facts->labels[i].value);
	}
	facts->labels_n = 0;
}

/* The columns of find_facts. */
enum {
	DEVICE,
	STATE,
	REVISION,
	EK_KNOWN,
	AK_DEVICE,
	AK_LIVE,
	AK_OTHER_DIALECT,
	HOST_BOUND,
	HOST_IS_OURS,
	DEVICE_HOSTS,
	TICKET_REQUEST,
	CLOCK,
	ALLOWED_SOURCE,
	REGISTERED_HOST,
	HOST_OF_OTHER_EK,
	ATTEMPT,
	ATTEMPT_ACCEPTED,
	ATTEMPT_REJECTED,
	TICKET_HELD,
	ALLOWED_LABELS_DIGEST,
	HOST_BARRED,
	HAS_LABELS,
	REVOKED_CA,
};

enum device_state device_state_named(const char *state)
{
	if (state[0] == '\0' || strcmp(state, "active") == 0)
		return DEVICE_ACTIVE;
	return strcmp(state, "held") == 0 ? DEVICE_HELD : DEVICE_REVOKED;
}

static enum err take_ak(const PGresult *rows, struct enrollment_facts *facts)
{
	bool is_ours;

	if (row_is_null(rows, 0, AK_DEVICE))
		return OK;
	TRY(row_copy(rows, 0, AK_DEVICE, facts->ak_device_id, DEVICE_ID_SIZE));
	is_ours = memcmp(facts->ak_device_id, facts->device_id, DEVICE_ID_SIZE) == 0;
	facts->ak_of_other_device = !is_ours;
	facts->ak_known = is_ours;
	facts->ak_live = is_ours && row_bool(rows, 0, AK_LIVE);
	facts->ak_other_dialect = row_bool(rows, 0, AK_OTHER_DIALECT);
	return OK;
}

static enum err take_standing(const PGresult *rows, struct enrollment_facts *facts)
{
	facts->ek_allowed = !row_is_null(rows, 0, ALLOWED_SOURCE);
	row_text(rows, 0, ALLOWED_SOURCE, facts->allowed_source, sizeof(facts->allowed_source));
	row_text(rows, 0, REGISTERED_HOST, facts->registered_host, sizeof(facts->registered_host));
	facts->host_of_other_ek = row_bool(rows, 0, HOST_OF_OTHER_EK);
	facts->attempt_known = !row_is_null(rows, 0, ATTEMPT);
	facts->attempt_accepted = row_bool(rows, 0, ATTEMPT_ACCEPTED);
	facts->attempt_rejected = row_bool(rows, 0, ATTEMPT_REJECTED);
	facts->ticket_held = row_bool(rows, 0, TICKET_HELD);
	if (!row_is_null(rows, 0, ALLOWED_LABELS_DIGEST))
		TRY(row_copy(rows, 0, ALLOWED_LABELS_DIGEST, facts->allowed_labels, DIGEST_SIZE));
	if (facts->attempt_known)
		TRY(row_copy(rows, 0, ATTEMPT, facts->attempt_id, sizeof(facts->attempt_id)));
	return OK;
}

static enum err take_facts(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;
	char state[16];

	if (PQntuples(rows) != 1)
		return fail(ERR_INTERNAL, "database-error", "%d rows of facts", PQntuples(rows));
	facts->device_known = !row_is_null(rows, 0, DEVICE);
	if (facts->device_known)
		TRY(row_copy(rows, 0, DEVICE, facts->device_id, DEVICE_ID_SIZE));
	row_text(rows, 0, STATE, state, sizeof(state));
	facts->device_state = device_state_named(state);
	facts->revision = row_int(rows, 0, REVISION);
	facts->ek_known = row_bool(rows, 0, EK_KNOWN);
	TRY(take_ak(rows, facts));
	facts->host_barred = row_bool(rows, 0, HOST_BARRED);
	facts->host_bound = row_bool(rows, 0, HOST_BOUND);
	facts->host_is_ours = row_bool(rows, 0, HOST_IS_OURS);
	facts->device_hosts = (unsigned)row_int(rows, 0, DEVICE_HOSTS);
	facts->ticket_used = !row_is_null(rows, 0, TICKET_REQUEST);
	if (facts->ticket_used)
		TRY(row_copy(rows, 0, TICKET_REQUEST, facts->ticket_request_digest, DIGEST_SIZE));
	facts->has_labels = row_bool(rows, 0, HAS_LABELS);
	facts->ca_revoked = !row_is_null(rows, 0, REVOKED_CA);
	if (facts->ca_revoked)
		TRY(row_copy(rows, 0, REVOKED_CA, facts->revoked_ca, DIGEST_SIZE));
	facts->clock = row_int(rows, 0, CLOCK);
	return take_standing(rows, facts);
}

/* The columns of find_brought; find_reusable has the first four. */
enum { SERIAL, TEMPLATE, GRANT_DIGEST, DER, IN_FORCE };

static enum err take_certificate(const PGresult *rows, int row,
	struct stored_certificate *certificate, uint8_t *grant_digest)
{
	struct view serial = row_bytes(rows, row, SERIAL), der = row_bytes(rows, row, DER);

	if (serial.n > SERIAL_MAX)
		return fail(ERR_INTERNAL, "database-error", "a serial of %zu bytes", serial.n);
	memcpy(certificate->serial, serial.p, serial.n);
	certificate->serial_n = serial.n;
	certificate->template = strdup(PQgetvalue(rows, row, TEMPLATE));
	TRY(row_copy(rows, row, GRANT_DIGEST, grant_digest, DIGEST_SIZE));
	certificate->der = BUF(der.n);
	buf_add(&certificate->der, der);
	if (certificate->template == NULL || certificate->der.failed)
		return fail(ERR_INTERNAL, "out-of-memory", "a certificate of %zu bytes", der.n);
	return OK;
}

static enum err take_certificates(const PGresult *rows, struct enrollment_facts *facts)
{
	for (int i = 0; i < PQntuples(rows) && i < REUSABLE_CERTIFICATES; i++) {
		facts->certificates_n = (size_t)i + 1;
		TRY(take_certificate(rows, i, &facts->certificates[i], facts->grant_digest[i]));
	}
	return OK;
}

static bool are_in_force(const PGresult *rows)
{
	for (int i = 0; i < PQntuples(rows); i++)
		if (!row_bool(rows, i, IN_FORCE))
			return false;
	return true;
}

/* Between the two statements the ticket may have been purged: then nothing may be given for it. */
static enum err take_brought(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	facts->ticket_revoked = PQntuples(rows) == 0 || !are_in_force(rows);
	return facts->ticket_revoked ? OK : take_certificates(rows, facts);
}

/*
 * For a device that the snapshot does not have, somebody else enrolled it just now: the record
 * would say so. For one that it has, anything that moved since then has moved its revision.
 */
static bool may_reuse(const struct enrollment_facts *facts)
{
	return !facts->ticket_used && facts->host_is_ours && facts->ak_live;
}

static enum err take_reusable(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	return may_reuse(facts) ? take_certificates(rows, facts) : OK;
}

static enum err take_labels(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	for (int i = 0; i < PQntuples(rows) && i < ENROLLMENT_LABELS; i++) {
		struct stored_label *label = &facts->labels[facts->labels_n++];

		label->name = strdup(PQgetvalue(rows, i, 0));
		label->value = strdup(PQgetvalue(rows, i, 1));
		if (label->name == NULL || label->value == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "a label");
	}
	return OK;
}

static enum err take_serials(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	for (int i = 0; i < PQntuples(rows) && i < ENROLLMENT_CERTIFICATES; i++)
		facts->ssh_serials[i] = (uint64_t)row_int(rows, i, 0);
	return OK;
}

static enum err take_places(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	if (PQntuples(rows) == 0)
		return fail(ERR_BUSY, "crl-plan", "no server has said what a shard of the CRL is");
	row_text(rows, 0, 0, facts->crl_base, sizeof(facts->crl_base));
	for (int i = 0; i < PQntuples(rows) && i < ENROLLMENT_CERTIFICATES; i++)
		facts->crl_shards[i] = row_int(rows, i, 1);
	return OK;
}

static enum err take_ak_certificates(const PGresult *rows, void *into)
{
	struct enrollment_facts *facts = into;

	for (int i = 0; i < PQntuples(rows) && i < ENROLLMENT_CERTIFICATES; i++) {
		struct ak_certificate *certificate =
			&facts->ak_certificates[facts->ak_certificates_n++];

		row_text(rows, i, 0, certificate->template, sizeof(certificate->template));
		TRY(row_copy(rows, i, 1, certificate->sha256, DIGEST_SIZE));
	}
	return OK;
}

/* `array` keeps what the value points into. */
static enum err name_cas(const struct enrollment_key *key, struct array *array, struct value *out)
{
	*out = value_text(NULL);
	if (key->issuers_n == 0)
		return OK;
	array_begin(array, ARRAY_BYTES, key->issuers_n, ENROLLMENT_ISSUERS * DIGEST_SIZE);
	for (size_t i = 0; i < key->issuers_n; i++)
		array_add(array, (struct view){key->issuers[i], DIGEST_SIZE});
	return array_value(array, out);
}

static void look_for_reusable(struct pipeline *lookup, const struct enrollment_key *key,
	const char *host, const uint8_t *device_id, int64_t now, struct enrollment_facts *facts)
{
	STEP(lookup, &find_reusable, value_bytes((struct view){device_id, DEVICE_ID_SIZE}),
		value_bytes(key->ak_name), value_text(host), value_int(now),
		value_int(REUSABLE_CERTIFICATES));
	step_take(lookup, take_reusable, facts);
}

static enum err look(struct db *db, const struct enrollment_key *key, int64_t now,
	struct enrollment_facts *facts)
{
	AUTO(array_free) struct array array = {.missing = 0};
	struct pipeline lookup = {.n = 0};
	struct value cas;

	TRY(name_cas(key, &array, &cas));
	STEP(&lookup, &find_facts, value_bytes((struct view){key->ek_digest, DIGEST_SIZE}),
		value_bytes(key->ak_name), value_text(key->host),
		value_bytes((struct view){key->ticket_digest, DIGEST_SIZE}), cas);
	step_take(&lookup, take_facts, facts);
	if (key->device_id != NULL)
		look_for_reusable(&lookup, key, key->host, key->device_id, now, facts);
	if (key->ssh_serials > 0) {
		STEP(&lookup, &take_ssh_serials, value_int(key->ssh_serials));
		step_take(&lookup, take_serials, facts);
	}
	if (key->crl_places > 0) {
		STEP(&lookup, &draw_crl_places, value_int(key->crl_places));
		step_take(&lookup, take_places, facts);
	}
	return db_run(db, &lookup, LOST_REPEAT_ONCE);
}

static void look_at_the_known(struct pipeline *lookup, const struct enrollment_key *key,
	int64_t now, struct enrollment_facts *facts)
{
	struct value device = value_bytes(VIEW(facts->device_id)), ak = value_bytes(key->ak_name);
	const char *host = key->host == NULL ? facts->registered_host : key->host;

	if (!facts->host_is_ours || !facts->ak_live)
		return;
	if (!facts->ticket_used && key->device_id == NULL)
		look_for_reusable(lookup, key, host, facts->device_id, now, facts);
	if (key->wants_ak_certificates) {
		STEP(lookup, &find_ak_certificates, device, ak, value_text(host), value_int(now),
			value_int(ENROLLMENT_CERTIFICATES));
		step_take(lookup, take_ak_certificates, facts);
	}
}

/* What the first look found reason for. */
static enum err look_further(struct db *db, const struct enrollment_key *key, int64_t now,
	struct enrollment_facts *facts)
{
	struct view device_id = {facts->device_id, facts->device_known ? DEVICE_ID_SIZE : 0};
	struct pipeline lookup = {.n = 0};

	if (facts->ticket_used) {
		STEP(&lookup, &find_brought,
			value_bytes((struct view){key->ticket_digest, DIGEST_SIZE}),
			value_int(ENROLLMENT_CERTIFICATES));
		step_take(&lookup, take_brought, facts);
	}
	if (facts->has_labels) {
		STEP(&lookup, &find_labels, value_bytes(device_id),
			value_bytes((struct view){key->ek_digest, DIGEST_SIZE}),
			value_int(ENROLLMENT_LABELS));
		step_take(&lookup, take_labels, facts);
	}
	look_at_the_known(&lookup, key, now, facts);
	return lookup.n == 0 ? OK : db_run(db, &lookup, LOST_REPEAT_ONCE);
}

enum err enrollment_lookup(struct db *db, const struct enrollment_key *key, int64_t now,
	struct enrollment_facts *facts)
{
	enum err err;

	*facts = (struct enrollment_facts){.device_known = false};
	err = look(db, key, now, facts);
	if (err == OK)
		err = look_further(db, key, now, facts);
	if (err == OK)
		standing_hear_clock(db_standing(db), facts->clock);
	else
		standing_note(db_standing(db), err);
	return err;
}
