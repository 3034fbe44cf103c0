#include "db/rebind.h"

#include "ca/base/encode.h"
#include "db/audit.h"
#include "db/connection.h"
#include "db/lock.h"
#include "db/taking.h"

#define REBIND_TRIES 5

/* By one look; the act insists that the name is still that device's. */
static const struct statement find_bound = {"rebind_find",
	"SELECT host.device_id, coalesce(ek.device_id = host.device_id, false),"
	" coalesce(ek_allowed.host <> $1::text, false),"
	" coalesce(ek.device_id <> host.device_id"
	"  AND (SELECT count(*) FROM host AS other WHERE other.device_id = ek.device_id) > 0, "
	"false)"
	" FROM host LEFT JOIN ek ON ek.ek_digest = $2::bytea"
	" LEFT JOIN ek_allowed ON ek_allowed.ek_digest = $2::bytea WHERE host.name = $1::text"};

/* Device first, then the name: the order of locks that enrollment.c keeps. */
static const struct statement move_owner = {
	"rebind_move", "UPDATE device SET revision = revision + 1 WHERE device_id = $1::uuid"};

static const struct statement take_name = {"rebind_take",
	"WITH gone AS (DELETE FROM host WHERE name = $1::text AND device_id = $2::uuid RETURNING 1)"
	" SELECT insist((SELECT count(*) FROM gone) = 1, 'the name moved'),"
	" insist(NOT EXISTS (SELECT FROM ek WHERE ek_digest = $3::bytea AND (device_id = $2::uuid"
	"  OR (SELECT count(*) FROM host WHERE host.device_id = ek.device_id) > 0)),"
	" 'the EK moved'),"
	" insist(NOT EXISTS (SELECT FROM ek_allowed WHERE ek_digest = $3::bytea"
	"  AND host <> $1::text), 'the EK was registered')"};

static const struct statement withdraw_approvals = {"rebind_withdraw",
	"DELETE FROM pending WHERE state = 'accepted' AND ek_digest = ANY (ARRAY"
	" (SELECT ek_digest::bytea FROM ek WHERE device_id = $2::uuid))"
	" AND coalesce(host::text, '') = $1::text"};

/* By serial, so that no two acts wait for each other, and the last rows that are locked: the trigger behind
 * it locks what all acts of revocation share. */
static const struct statement supersede_certificates = {"rebind_supersede",
	"WITH aimed AS (SELECT serial FROM certificate WHERE device_id = $2::uuid AND host = "
	"$1::text"
	"  AND not_after > to_timestamp($3::bigint)"
	"  AND " STANDS "  ORDER BY " TAKING_ORDER " FOR UPDATE),"
	" gone AS (UPDATE certificate SET revoked_at = coalesce(revoked_at, "
	"to_timestamp($3::bigint)),"
	"  revocation_reason = 'superseded', revoked_with = 'host' WHERE serial = ANY (ARRAY "
	"(SELECT serial FROM aimed))"
	"  RETURNING serial),"
	" noted AS (INSERT INTO audit (at, event, device_id, host, detail, serials, who,"
	"   client_address, request_id)"
	"  SELECT to_timestamp($3::bigint), 'certificate.revoked', $2::uuid, $1::text,"
	"   left('superseded: ' || $4::text, 512), array_agg(serial), $5::text, $6::text, $7::text"
	"  FROM gone HAVING count(*) > 0)"
	" SELECT count(*) FROM gone"};

static const struct statement forget_registration = {
	"rebind_forget", "DELETE FROM ek_allowed WHERE host = $1::text AND ek_digest <> $2::bytea"};

static const struct statement register_ek = {"rebind_register",
	"INSERT INTO ek_allowed (ek_digest, host, labels, source, added_at, added_by, why)"
	" VALUES ($1::bytea, $2::text, (SELECT labels FROM device WHERE device_id = $3::uuid),"
	"  'rebind', to_timestamp($4::bigint), $5::text, $6::text)"
	" ON CONFLICT (ek_digest) DO UPDATE SET host = excluded.host"};

const struct statement *const rebind_statements[] = {&find_bound, &move_owner, &take_name,
	&withdraw_approvals, &supersede_certificates, &forget_registration, &register_ek, NULL};

static enum err take_bound(const PGresult *rows, void *into)
{
	struct rebound *out = into;

	if (PQntuples(rows) != 1)
		return refuse(ERR_NOT_FOUND, "host-unknown", "PROTOCOL hosts",
			"no device has this name: endorsectl ek allow add registers an EK for it");
	out->is_ours_too = row_bool(rows, 0, 1);
	out->is_registered = row_bool(rows, 0, 2);
	out->is_bound = row_bool(rows, 0, 3);
	return row_copy(rows, 0, 0, out->device_id, DEVICE_ID_SIZE);
}

static enum err find(struct db *db, const char *host, const uint8_t *ek_digest, struct rebound *out)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &find_bound, value_text(host),
		value_bytes((struct view){ek_digest, DIGEST_SIZE}));
	step_take(&trip, take_bound, out);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	if (out->is_ours_too)
		return refuse(ERR_CONFLICT, "rebind-same-device", "PROTOCOL hosts",
			"the EK is one of the device that has \"%s\": there is nothing to rebind",
			host);
	if (out->is_registered)
		return refuse(ERR_CONFLICT, "rebind-ek-registered", "PROTOCOL hosts",
			"the EK is registered for another name: take it off the allow-list first, "
			"endorsectl ek allow remove");
	if (out->is_bound)
		return refuse(ERR_CONFLICT, "rebind-ek-bound", "PROTOCOL hosts",
			"the EK's device has a name of its own: unbind that first, endorsectl host "
			"unbind");
	return OK;
}

static enum err take_count(const PGresult *rows, void *into)
{
	*(int64_t *)into = row_int(rows, 0, 0);
	return OK;
}

static enum err rebind(struct db *db, const char *host, const uint8_t *ek_digest,
	const struct act *act, struct rebound *out)
{
	struct view device_id = VIEW(out->device_id), ek = {ek_digest, DIGEST_SIZE};
	struct value name = value_text(host), device = value_bytes(device_id);
	struct audit_row row = {.at = act->now,
		.event = "host.rebound",
		.device_id = device_id,
		.ek_digest = ek,
		.host = host,
		.detail = act->reason,
		.who = act->who,
		.client_address = act->from,
		.request_id = act->request_id};
	struct pipeline trip = {.n = 0};

	lock_add_rules(&trip);
	STEP(&trip, &move_owner, device);
	STEP(&trip, &take_name, name, device, value_bytes(ek));
	STEP(&trip, &withdraw_approvals, name, device);
	STEP(&trip, &forget_registration, name, value_bytes(ek));
	STEP(&trip, &register_ek, value_bytes(ek), name, device, value_int(act->now),
		value_prose(act->who), value_prose(act->reason));
	STEP(&trip, &supersede_certificates, name, device, value_int(act->now),
		value_prose(act->reason), value_prose(act->who), value_prose(act->from),
		value_prose(act->request_id));
	step_take(&trip, take_count, &out->revoked);
	audit_add(&trip, &row);
	return db_run(db, &trip, LOST_GIVE_UP);
}

/* Between the look and the act anything may have moved: look again. */
enum err host_rebind(struct db *db, const char *host, const uint8_t ek_digest[static DIGEST_SIZE],
	const struct act *act, struct rebound *out)
{
	enum err err = ERR_CONFLICT;

	for (unsigned i = 0; i < REBIND_TRIES && err == ERR_CONFLICT; i++) {
		*out = (struct rebound){.revoked = 0};
		TRY(find(db, host, ek_digest, out));
		err = rebind(db, host, ek_digest, act, out);
	}
	return err;
}
