#include "db/enrollment_look.h"

#include "db/connection.h"

#include <string.h>

#define ELEMENT_MAX 1024 /* bytes, more than a digest, a Name of an AK and a host name have */

/*
 * Everything that a decision is made on comes from this one statement, so from one snapshot: no
 * mixture of before and after somebody else's commit. What only some need comes behind it, and is
 * asked for only where this one says that there is something (enrollment_facts.c): the server spends
 * more on making a statement ready than on finding nothing. For the same reason it is asked about
 * several enrollments at once. LATERAL with LIMIT 1, and (SELECT true ...) where EXISTS would be read,
 * keep the planner to the indices while tables are small; each column that it names costs.
 */
static const struct statement find_facts = {"find_facts",
	"SELECT asked.place, device.device_id, device.state, device.revision,"
	" ek.ek_digest IS NOT NULL, ak.device_id, ak.state = 'live', ak.dialect <> 'native',"
	" host.name IS NOT NULL, coalesce(host.device_id = device.device_id, false),"
	" (SELECT count(*) FROM host AS own WHERE own.device_id = device.device_id),"
	" ticket.request_digest,"
	" extract(epoch FROM clock_timestamp())::bigint,"
	" asked.source, asked.registered,"
	" EXISTS (SELECT FROM ek_allowed AS other WHERE other.host = asked.host"
	"  AND other.ek_digest <> asked.ek_digest),"
	" pending.attempt_id, pending.state = 'accepted', pending.state = 'rejected',"
	" (SELECT true FROM pending_ticket AS held"
	"  WHERE held.ticket_digest = asked.ticket_digest),"
	" sha256(convert_to(asked.labels::text, 'UTF8')),"
	" (SELECT true FROM host_barred WHERE host_barred.name = asked.host),"
	" coalesce(device.labels, asked.labels) <> '{}',"
	" (SELECT string_agg(issuer_id::bytea, ''::bytea) FROM issuer"
	"  WHERE issuer_id = ANY ($5::bytea[]) AND revoked_at IS NOT NULL)"
	" FROM (SELECT key.place, key.ek_digest, key.ak_name, key.ticket_digest, allowed.source,"
	"   allowed.labels, allowed.host AS registered,"
	"   coalesce(key.host, allowed.host) COLLATE \"C\" AS host"
	"  FROM (SELECT unnest($1::bytea[]) AS ek_digest, unnest($2::bytea[]) AS ak_name,"
	"   unnest($3::text[]) AS host, unnest($4::bytea[]) AS ticket_digest,"
	"   generate_series(0::bigint, cardinality($1::bytea[]) - 1) AS place) AS key"
	"  LEFT JOIN LATERAL (SELECT source, labels, host FROM ek_allowed"
	"   WHERE ek_allowed.ek_digest = key.ek_digest LIMIT 1) AS allowed ON true) AS asked"
	" LEFT JOIN LATERAL (SELECT ek_digest, device_id FROM ek"
	"  WHERE ek.ek_digest = asked.ek_digest LIMIT 1) AS ek ON true"
	" LEFT JOIN LATERAL (SELECT device_id, state, dialect FROM ak"
	"  WHERE ak.name = asked.ak_name LIMIT 1) AS ak ON true"
	" LEFT JOIN LATERAL (SELECT device_id, state, revision, labels FROM device"
	"  WHERE device.device_id = coalesce(ek.device_id, ak.device_id) LIMIT 1) AS device ON true"
	" LEFT JOIN LATERAL (SELECT name, device_id FROM host WHERE host.name = asked.host LIMIT 1)"
	"  AS host ON true"
	" LEFT JOIN LATERAL (SELECT request_digest FROM ticket"
	"  WHERE ticket.ticket_digest = asked.ticket_digest LIMIT 1) AS ticket ON true"
	" LEFT JOIN LATERAL (SELECT attempt_id, state FROM pending"
	"  WHERE pending.ek_digest = asked.ek_digest"
	"  AND coalesce(pending.host::text, '') = coalesce(asked.host, '') LIMIT 1) AS pending"
	"  ON true"};

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

const struct statement *const enrollment_look_statements[] = {
	&find_facts, &take_ssh_serials, &draw_crl_places, NULL};

/* The columns of find_facts. */
enum {
	PLACE,
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
	REVOKED_CAS,
};

static enum err take_ak(const PGresult *rows, int row, struct enrollment_facts *facts)
{
	bool is_ours;

	if (row_is_null(rows, row, AK_DEVICE))
		return OK;
	TRY(row_copy(rows, row, AK_DEVICE, facts->ak_device_id, DEVICE_ID_SIZE));
	is_ours = memcmp(facts->ak_device_id, facts->device_id, DEVICE_ID_SIZE) == 0;
	facts->ak_of_other_device = !is_ours;
	facts->ak_known = is_ours;
	facts->ak_live = is_ours && row_bool(rows, row, AK_LIVE);
	facts->ak_other_dialect = row_bool(rows, row, AK_OTHER_DIALECT);
	return OK;
}

static enum err take_standing(const PGresult *rows, int row, struct enrollment_facts *facts)
{
	facts->ek_allowed = !row_is_null(rows, row, ALLOWED_SOURCE);
	row_text(rows, row, ALLOWED_SOURCE, facts->allowed_source, sizeof(facts->allowed_source));
	row_text(
		rows, row, REGISTERED_HOST, facts->registered_host, sizeof(facts->registered_host));
	facts->host_of_other_ek = row_bool(rows, row, HOST_OF_OTHER_EK);
	facts->attempt_known = !row_is_null(rows, row, ATTEMPT);
	facts->attempt_accepted = row_bool(rows, row, ATTEMPT_ACCEPTED);
	facts->attempt_rejected = row_bool(rows, row, ATTEMPT_REJECTED);
	facts->ticket_held = row_bool(rows, row, TICKET_HELD);
	if (!row_is_null(rows, row, ALLOWED_LABELS_DIGEST))
		TRY(row_copy(rows, row, ALLOWED_LABELS_DIGEST, facts->allowed_labels, DIGEST_SIZE));
	if (facts->attempt_known)
		TRY(row_copy(rows, row, ATTEMPT, facts->attempt_id, sizeof(facts->attempt_id)));
	return OK;
}

static enum err take_device(const PGresult *rows, int row, struct enrollment_facts *facts)
{
	char state[16];

	facts->device_known = !row_is_null(rows, row, DEVICE);
	if (facts->device_known)
		TRY(row_copy(rows, row, DEVICE, facts->device_id, DEVICE_ID_SIZE));
	row_text(rows, row, STATE, state, sizeof(state));
	facts->device_state = device_state_named(state);
	facts->revision = row_int(rows, row, REVISION);
	facts->has_labels = row_bool(rows, row, HAS_LABELS);
	return OK;
}

/* Of all who ask, one behind the other: whose are they? */
static void take_revoked(struct view revoked, const struct enrollment_look *look)
{
	for (size_t i = 0; i < look->key->issuers_n; i++)
		for (size_t at = 0; at + DIGEST_SIZE <= revoked.n; at += DIGEST_SIZE)
			if (memcmp(look->key->issuers[i], revoked.p + at, DIGEST_SIZE) == 0) {
				look->facts->ca_revoked = true;
				memcpy(look->facts->revoked_ca, revoked.p + at, DIGEST_SIZE);
			}
}

static enum err take_row(const PGresult *rows, int row, const struct enrollment_look *look)
{
	struct enrollment_facts *facts = look->facts;

	TRY(take_device(rows, row, facts));
	facts->ek_known = row_bool(rows, row, EK_KNOWN);
	TRY(take_ak(rows, row, facts));
	facts->host_barred = row_bool(rows, row, HOST_BARRED);
	facts->host_bound = row_bool(rows, row, HOST_BOUND);
	facts->host_is_ours = row_bool(rows, row, HOST_IS_OURS);
	facts->device_hosts = (unsigned)row_int(rows, row, DEVICE_HOSTS);
	facts->ticket_used = !row_is_null(rows, row, TICKET_REQUEST);
	if (facts->ticket_used)
		TRY(row_copy(rows, row, TICKET_REQUEST, facts->ticket_request_digest, DIGEST_SIZE));
	take_revoked(row_bytes(rows, row, REVOKED_CAS), look);
	facts->clock = row_int(rows, row, CLOCK);
	return take_standing(rows, row, facts);
}

/* One row for each, in any order. */
static enum err take_facts(const PGresult *rows, void *into)
{
	const struct enrollment_looks *looks = into;
	bool is_taken[COMPANY_MAX] = {false};

	if ((size_t)PQntuples(rows) != looks->n)
		return fail(ERR_INTERNAL, "database-error", "%d rows of facts", PQntuples(rows));
	for (int row = 0; row < PQntuples(rows); row++) {
		int64_t place = row_int(rows, row, PLACE);

		if (place < 0 || place >= (int64_t)looks->n || is_taken[place])
			return fail(ERR_INTERNAL, "database-error", "facts of nobody who asked");
		is_taken[place] = true;
		TRY(take_row(rows, row, &looks->of[place]));
	}
	return OK;
}

static enum err take_serials(const PGresult *rows, void *into)
{
	const struct enrollment_looks *looks = into;
	int row = 0;

	for (size_t i = 0; i < looks->n; i++)
		for (unsigned k = 0; k < looks->of[i].key->ssh_serials; k++, row++) {
			if (row == PQntuples(rows))
				return fail(ERR_INTERNAL, "database-error", "%d serials", row);
			looks->of[i].facts->ssh_serials[k] = (uint64_t)row_int(rows, row, 0);
		}
	return OK;
}

/* None at all: there is no plan. */
static enum err take_places(const PGresult *rows, void *into)
{
	const struct enrollment_looks *looks = into;
	int row = 0;

	for (size_t i = 0; i < looks->n && PQntuples(rows) > 0; i++)
		for (unsigned k = 0; k < looks->of[i].key->crl_places; k++, row++) {
			struct enrollment_facts *facts = looks->of[i].facts;

			if (row == PQntuples(rows))
				return fail(ERR_INTERNAL, "database-error", "%d places", row);
			row_text(rows, row, 0, facts->crl_base, sizeof(facts->crl_base));
			facts->crl_shards[k] = row_int(rows, row, 1);
		}
	return OK;
}

void enrollment_looks_free(struct enrollment_looks *looks)
{
	for (size_t i = 0; i < COUNT(looks->arrays); i++)
		array_free(&looks->arrays[i]);
}

static void name_all(struct enrollment_looks *looks)
{
	static const enum array_kind kinds[] = {ARRAY_BYTES, ARRAY_BYTES, ARRAY_TEXT, ARRAY_BYTES};

	for (size_t i = 0; i < COUNT(kinds); i++)
		array_begin(&looks->arrays[i], kinds[i], looks->n, looks->n * ELEMENT_MAX);
	for (size_t i = 0; i < looks->n; i++) {
		const struct enrollment_key *key = looks->of[i].key;

		array_add(&looks->arrays[0], (struct view){key->ek_digest, DIGEST_SIZE});
		array_add(&looks->arrays[1], key->ak_name);
		array_add(&looks->arrays[2], view_str(key->host));
		array_add(&looks->arrays[3], (struct view){key->ticket_digest, DIGEST_SIZE});
	}
}

static void name_cas(struct enrollment_looks *looks, struct array *array)
{
	size_t n = 0;

	for (size_t i = 0; i < looks->n; i++)
		n += looks->of[i].key->issuers_n;
	array_begin(array, ARRAY_BYTES, n, n * DIGEST_SIZE);
	for (size_t i = 0; i < looks->n; i++)
		for (size_t k = 0; k < looks->of[i].key->issuers_n; k++)
			array_add(array, (struct view){looks->of[i].key->issuers[k], DIGEST_SIZE});
}

static bool are_in_bounds(const struct enrollment_looks *looks)
{
	for (size_t i = 0; i < looks->n; i++)
		if (looks->of[i].key->ssh_serials > ENROLLMENT_CERTIFICATES ||
			looks->of[i].key->crl_places > ENROLLMENT_CERTIFICATES ||
			looks->of[i].key->issuers_n > ENROLLMENT_ISSUERS)
			return false;
	return looks->n >= 1 && looks->n <= COMPANY_MAX;
}

enum err enrollment_looks_add(struct pipeline *trip, struct enrollment_looks *looks)
{
	struct value values[COUNT(looks->arrays)];
	int64_t serials = 0, places = 0;

	if (!are_in_bounds(looks))
		return fail(ERR_INTERNAL, "database-look", "%zu who ask too much", looks->n);
	name_all(looks);
	name_cas(looks, &looks->arrays[4]);
	for (size_t i = 0; i < COUNT(values); i++)
		TRY(array_value(&looks->arrays[i], &values[i]));
	step_add(trip, &find_facts, values, COUNT(values));
	step_take(trip, take_facts, looks);
	for (size_t i = 0; i < looks->n; i++) {
		serials += looks->of[i].key->ssh_serials;
		places += looks->of[i].key->crl_places;
	}
	if (serials > 0) {
		STEP(trip, &take_ssh_serials, value_int(serials));
		step_take(trip, take_serials, looks);
	}
	if (places > 0) {
		STEP(trip, &draw_crl_places, value_int(places));
		step_take(trip, take_places, looks);
	}
	return OK;
}
