#include "db/host.h"

#include "db/audit.h"
#include "db/connection.h"

#include <string.h>

#define UNBIND_TRIES 5

static const struct statement find_host = {
	"find_host", "SELECT device_id FROM host WHERE name = $1::text"};

/* The device first, then the name: the order of locks that enrollment.c keeps. */
static const struct statement move_owner = {
	"move_owner", "UPDATE device SET revision = revision + 1 WHERE device_id = $1::uuid"};

static const struct statement unbind_host = {"unbind_host",
	"WITH gone AS (DELETE FROM host WHERE name = $1::text AND device_id = $2::uuid RETURNING 1)"
	" SELECT insist((SELECT count(*) FROM gone) = 1, 'the name moved')"};

/* What was accepted is "this EK under this name": when the name goes, so does that. */
static const struct statement withdraw_approvals = {"withdraw_approvals",
	"WITH gone AS (DELETE FROM pending WHERE state = 'accepted'"
	"  AND ek_digest = ANY (ARRAY (SELECT ek_digest::bytea FROM ek WHERE device_id = $2::uuid))"
	"  AND coalesce(host::text, '') = $1::text RETURNING ek_digest, attempt_id)"
	" INSERT INTO audit (at, event, device_id, ek_digest, host, detail, who, client_address,"
	"  request_id)"
	" SELECT to_timestamp($3::bigint), 'attempt.withdrawn', $2::uuid, ek_digest, $1::text,"
	"  left('attempt ' || encode(attempt_id, 'hex') || ': ' || $4::text, 512), $5::text,"
	"  $6::text, $7::text FROM gone"};

const struct statement *const host_statements[] = {
	&find_host, &move_owner, &unbind_host, &withdraw_approvals, NULL};

struct owner {
	bool found;
	uint8_t device_id[DEVICE_ID_SIZE];
};

static enum err take_owner(const PGresult *rows, void *into)
{
	struct owner *owner = into;

	owner->found = PQntuples(rows) == 1;
	return owner->found ? row_copy(rows, 0, 0, owner->device_id, DEVICE_ID_SIZE) : OK;
}

static enum err find_owner(struct db *db, const char *host, struct owner *owner)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &find_host, value_text(host));
	step_take(&trip, take_owner, owner);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	if (!owner->found)
		return refuse(ERR_NOT_FOUND, "host-unknown", "PROTOCOL hosts",
			"no device has the name \"%s\": it is free", host);
	return OK;
}

static enum err unbind(
	struct db *db, const char *host, const struct act *act, const struct owner *owner)
{
	struct view device_id = VIEW(owner->device_id);
	struct pipeline trip = {.n = 0};
	struct audit_row row = {
		.at = act->now,
		.event = "host.unbound",
		.device_id = device_id,
		.host = host,
		.detail = act->reason,
		.who = act->who,
		.client_address = act->from,
		.request_id = act->request_id,
	};

	STEP(&trip, &move_owner, value_bytes(device_id));
	STEP(&trip, &unbind_host, value_text(host), value_bytes(device_id));
	STEP(&trip, &withdraw_approvals, value_text(host), value_bytes(device_id),
		value_int(act->now), value_prose(act->reason), value_prose(act->who),
		value_prose(act->from), value_prose(act->request_id));
	audit_add(&trip, &row);
	return db_run(db, &trip, LOST_GIVE_UP);
}

/* Between finding the device and taking the name from it the name may have moved: look again. */
enum err host_unbind(struct db *db, const char *host, const struct act *act,
	uint8_t device_id[static DEVICE_ID_SIZE])
{
	struct owner owner = {.found = false};
	enum err err = ERR_CONFLICT;

	for (unsigned i = 0; i < UNBIND_TRIES && err == ERR_CONFLICT; i++) {
		TRY(find_owner(db, host, &owner));
		err = unbind(db, host, act, &owner);
	}
	if (err == OK)
		memcpy(device_id, owner.device_id, DEVICE_ID_SIZE);
	return err;
}
