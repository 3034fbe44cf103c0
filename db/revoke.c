#include "db/revoke.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "db/connection.h"
#include "db/taking.h"

#include <string.h>

/*
 * Each time that an act looks again somebody else got on: an admin, or the name's owner moved. The
 * device itself cannot keep an act off by enrolling again and again, for no act stands on its revision.
 */
#define TRIES 8

/*
 * Why nothing slips through. An act on a device changes its row first, and holds it to the commit.
 * Whoever records an enrollment or a renewal of a known device changes that row too, before he adds
 * certificates (enrollment.c, move_device), and only while its state is active. So either he was
 * first: then we waited for his commit, and the statements behind, each of which sees what was
 * committed before it began, see his certificates. Or we were: then he waits for us, finds the
 * device revoked, and records nothing. A device that nobody knows yet cannot be named here.
 *
 * The rows: device, host, attempts, certificates by serial, CRLs in their order, KRL, revision. No
 * enrollment locks one of the last three.
 */

static const struct statement find_device = {"find_device",
	"SELECT device.device_id, device.state, extract(epoch FROM device.barred_at)::bigint,"
	" device.barred_reason, device.barred_why, device.barred_by,"
	" EXISTS (SELECT FROM host WHERE host.name = $4::text"
	"  AND host.device_id = device.device_id)"
	" FROM device WHERE device.device_id = coalesce("
	" (SELECT known.device_id FROM device AS known WHERE known.device_id = $1::uuid),"
	" (SELECT ek.device_id FROM ek WHERE ek.ek_digest = $2::bytea),"
	" (SELECT certificate.device_id FROM certificate WHERE certificate.serial = $3::bytea),"
	" (SELECT host.device_id FROM host WHERE host.name = $4::text),"
	" (SELECT certificate.device_id FROM certificate WHERE certificate.host = $4::text"
	"  ORDER BY certificate.issued_at DESC LIMIT 1))"};

static const struct statement bar_device = {"bar_device",
	"WITH moved AS (UPDATE device SET state = $2::text, revision = revision + 1,"
	" barred_at = to_timestamp($3::bigint), barred_reason = $4::text, barred_why = $5::text,"
	" barred_by = $6::text WHERE device_id = $1::uuid"
	" AND (state = 'active' OR (state = 'held' AND $2::text = 'revoked')) RETURNING 1)"
	" SELECT insist((SELECT count(*) FROM moved) = 1, 'the device was changed')"};

static const struct statement readmit_device = {"readmit_device",
	"WITH moved AS (UPDATE device SET state = 'active', revision = revision + 1,"
	" barred_at = NULL, barred_reason = NULL, barred_why = NULL, barred_by = NULL"
	" WHERE device_id = $1::uuid AND state = $2::text RETURNING 1)"
	" SELECT insist((SELECT count(*) FROM moved) = 1, 'the device was changed')"};

/* Who means the machine of that name does not mean the one that it was taken from just now. */
static const struct statement insist_owner = {"insist_owner",
	"SELECT insist(EXISTS (SELECT FROM host WHERE name = $2::text AND device_id = $1::uuid),"
	" 'the name moved')"};

static const struct statement free_names = {"free_names",
	"WITH gone AS (DELETE FROM host WHERE device_id = $1::uuid RETURNING name),"
	" noted AS (INSERT INTO audit (at, event, device_id, host, detail, who, client_address,"
	"   request_id)"
	"  SELECT to_timestamp($2::bigint), 'host.unbound', $1::uuid, name,"
	"   left('its device is revoked: ' || $3::text, 512), $4::text, $5::text, $6::text"
	"  FROM gone)"
	" SELECT name FROM gone ORDER BY name"};

/* What an admin rejected stays rejected. */
static const struct statement end_attempts_of = {"end_attempts_of",
	"WITH gone AS (DELETE FROM pending WHERE state <> 'rejected'"
	"  AND ek_digest = ANY (ARRAY (SELECT ek_digest::bytea FROM ek WHERE device_id = $1::uuid))"
	"  RETURNING ek_digest, host, attempt_id),"
	" noted AS (INSERT INTO audit (at, event, device_id, ek_digest, host, detail, who,"
	"   client_address, request_id)"
	"  SELECT to_timestamp($2::bigint), 'attempt.withdrawn', $1::uuid, ek_digest, host,"
	"   left('attempt ' || encode(attempt_id, 'hex') || ': ' || $3::text, 512), $4::text,"
	"   $5::text, $6::text FROM gone)"
	" SELECT count(*) FROM gone"};

static const struct statement count_keys = {"count_keys",
	"SELECT (SELECT count(*) FROM ek WHERE device_id = $1::uuid),"
	" (SELECT count(*) FROM ak WHERE device_id = $1::uuid),"
	" count(ek_allowed.ek_digest), min(ek_allowed.host::text) FROM ek_allowed"
	" WHERE ek_digest = ANY (ARRAY (SELECT ek_digest::bytea FROM ek WHERE device_id = "
	"$1::uuid))"};

static const struct statement take_of_device = {
	"take_of_device", TAKE_CERTIFICATES("device_id = $1::uuid")};
static const struct statement release_of_device = {
	"release_of_device", RELEASE_CERTIFICATES("device_id = $1::uuid")};
/* Nothing is given back; the row of the audit is. */
static const struct statement release_nothing = {
	"release_nothing", RELEASE_CERTIFICATES("device_id = $1::uuid AND false")};

const struct statement *const revoke_statements[] = {&find_device, &bar_device, &readmit_device,
	&insist_owner, &free_names, &end_attempts_of, &count_keys, &take_of_device,
	&release_of_device, &release_nothing, NULL};

/* What find_device answers. */
struct found {
	bool is_there;
	uint8_t device_id[DEVICE_ID_SIZE];
	char state[16];
	int64_t at;
	char reason[33], why[PROSE_MAX + 1], by[PROSE_MAX + 1];
	bool has_name; /* the one that it was asked for by */
};

enum { DEVICE, STATE, AT, REASON, WHY, BY, HAS_NAME };

#define TAKE_TEXT(column, member) row_text(rows, 0, column, found->member, sizeof(found->member))

static enum err take_found(const PGresult *rows, void *into)
{
	struct found *found = into;

	found->is_there = PQntuples(rows) == 1;
	if (!found->is_there)
		return OK;
	TAKE_TEXT(STATE, state);
	TAKE_TEXT(REASON, reason);
	TAKE_TEXT(WHY, why);
	TAKE_TEXT(BY, by);
	found->at = row_int(rows, 0, AT);
	found->has_name = row_bool(rows, 0, HAS_NAME);
	return row_copy(rows, 0, DEVICE, found->device_id, DEVICE_ID_SIZE);
}

static enum err take_number(const PGresult *rows, void *into)
{
	*(int64_t *)into = row_int(rows, 0, 0);
	return OK;
}

static enum err take_keys(const PGresult *rows, void *into)
{
	struct reached *out = into;

	out->eks = row_int(rows, 0, 0);
	out->aks = row_int(rows, 0, 1);
	out->registered = row_int(rows, 0, 2);
	row_text(rows, 0, 3, out->registered_host, sizeof(out->registered_host));
	return OK;
}

static enum err find(struct db *db, const struct device_key *key, struct found *found)
{
	struct pipeline trip = {.n = 0};

	*found = (struct found){.is_there = false};
	STEP(&trip, &find_device, value_bytes(key->device_id), value_bytes(key->ek_digest),
		value_bytes(key->serial), value_text(key->host));
	step_take(&trip, take_found, found);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	if (!found->is_there)
		return refuse(ERR_NOT_FOUND, "device-unknown", "PROTOCOL revocation",
			"no device that enrolled here is known by that%s%s. A TPM that only waits: "
			"endorsectl pending reject",
			key->host == NULL ? "" : ", nor had one the name ",
			key->host == NULL ? "" : key->host);
	return OK;
}

/* "device 00... is revoked since 2026-11-23T03:12:07Z, by admin-token (keyCompromise): stolen" */
static enum err tell_state(const struct found *found)
{
	char id[2 * DEVICE_ID_SIZE + 1], at[CLOCK_TEXT_SIZE];
	bool is_held = strcmp(found->state, "held") == 0;

	hex_write(VIEW(found->device_id), id);
	clock_text(found->at, at);
	if (is_held)
		return refuse(ERR_CONFLICT, "already-held", "PROTOCOL revocation",
			"device %s is held since %s, by %.64s: %.200s", id, at, found->by,
			found->why);
	return refuse(ERR_CONFLICT, "already-revoked", "PROTOCOL revocation",
		"device %s is revoked since %s, by %.64s (%s): %.200s", id, at, found->by,
		found->reason, found->why);
}

/* A name that is nobody's now only finds what is revoked already. */
static enum err judge_name(const struct device_key *key, const struct found *found)
{
	char id[2 * DEVICE_ID_SIZE + 1];

	if (key->host == NULL || found->has_name)
		return OK;
	hex_write(VIEW(found->device_id), id);
	return refuse(ERR_NOT_FOUND, "device-unknown", "PROTOCOL revocation",
		"no device has the name %s now; the last one that had it is %s: is that the one "
		"that you mean? then name it so",
		key->host, id);
}

static void add_owner(
	struct pipeline *trip, const struct device_key *key, const struct found *found)
{
	if (key->host != NULL && found->has_name)
		STEP(trip, &insist_owner, value_bytes(VIEW(found->device_id)),
			value_text(key->host));
}

static void add_bar(struct pipeline *trip, const struct found *found, const char *state,
	const char *reason, const struct act *act)
{
	STEP(trip, &bar_device, value_bytes(VIEW(found->device_id)), value_text(state),
		value_int(act->now), value_text(reason), value_prose(act->reason),
		value_prose(act->who));
}

static void add_keys(struct pipeline *trip, const struct found *found, struct reached *out)
{
	STEP(trip, &count_keys, value_bytes(VIEW(found->device_id)));
	step_take(trip, take_keys, out);
}

/* What hangs on the device, and is no certificate. */
static void add_rest(struct pipeline *trip, const struct found *found, const struct act *act,
	struct reached *out)
{
	struct value device = value_bytes(VIEW(found->device_id));

	STEP(trip, &free_names, device, value_int(act->now), value_prose(act->reason),
		value_prose(act->who), value_prose(act->from), value_prose(act->request_id));
	step_take(trip, taking_names, out);
	STEP(trip, &end_attempts_of, device, value_int(act->now), value_prose(act->reason),
		value_prose(act->who), value_prose(act->from), value_prose(act->request_id));
	step_take(trip, take_number, &out->attempts);
}

static struct taking taking_of(const struct found *found, const char *reason, const char *event,
	const struct device_key *key, const struct act *act)
{
	return (struct taking){
		.which = value_bytes(VIEW(found->device_id)),
		.reason = reason,
		.with = "device",
		.event = event,
		.device_id = VIEW(found->device_id),
		.host = key->host,
		.act = act,
	};
}

/* One act on a device: looks, judges, and does it, or looks again. */
struct device_act {
	struct db *db;
	const struct device_key *key;
	const char *reason;
	const struct act *act;
	enum err (*try)(
		const struct device_act *of, const struct found *found, struct reached *out);
};

static enum err run(const struct device_act *of, struct reached *out)
{
	enum err err = ERR_CONFLICT;
	struct found found;

	*out = (struct reached){.x509 = 0};
	for (unsigned i = 0; i < TRIES && err == ERR_CONFLICT; i++) {
		TRY(find(of->db, of->key, &found));
		err = of->try(of, &found, out);
		if (err == ERR_CONFLICT && strcmp(why()->code, "database-moved") != 0)
			return err;
	}
	memcpy(out->device_id, found.device_id, DEVICE_ID_SIZE);
	return err;
}

static enum err try_revoke(
	const struct device_act *of, const struct found *found, struct reached *out)
{
	struct pipeline trip = {.n = 0};
	struct taking taking = taking_of(found, of->reason, "device.revoked", of->key, of->act);

	if (strcmp(found->state, "revoked") == 0)
		return tell_state(found);
	TRY(judge_name(of->key, found));
	add_bar(&trip, found, "revoked", of->reason, of->act);
	add_owner(&trip, of->key, found);
	add_rest(&trip, found, of->act, out);
	add_keys(&trip, found, out);
	taking_add(&trip, &take_of_device, &taking, out);
	return db_run(of->db, &trip, LOST_GIVE_UP);
}

enum err device_revoke(struct db *db, const struct device_key *key, const char *reason,
	const struct act *act, struct reached *out)
{
	return run(&(struct device_act){db, key, reason, act, try_revoke}, out);
}

static enum err try_hold(
	const struct device_act *of, const struct found *found, struct reached *out)
{
	struct pipeline trip = {.n = 0};
	struct taking taking = taking_of(found, of->reason, "device.held", of->key, of->act);

	if (strcmp(found->state, "active") != 0)
		return tell_state(found);
	TRY(judge_name(of->key, found));
	add_bar(&trip, found, "held", of->reason, of->act);
	add_owner(&trip, of->key, found);
	add_keys(&trip, found, out);
	taking_add(&trip, &take_of_device, &taking, out);
	return db_run(of->db, &trip, LOST_GIVE_UP);
}

enum err device_hold(
	struct db *db, const struct device_key *key, const struct act *act, struct reached *out)
{
	return run(&(struct device_act){db, key, "certificateHold", act, try_hold}, out);
}

static void add_readmit(struct pipeline *trip, const struct found *found)
{
	STEP(trip, &readmit_device, value_bytes(VIEW(found->device_id)), value_text(found->state));
}

static enum err try_unhold(
	const struct device_act *of, const struct found *found, struct reached *out)
{
	struct pipeline trip = {.n = 0};
	struct taking taking = taking_of(found, NULL, "device.released", of->key, of->act);

	if (strcmp(found->state, "held") != 0)
		return refuse(ERR_CONFLICT, "not-held", "PROTOCOL revocation",
			"the device is %s, and not held%s", found->state,
			strcmp(found->state, "revoked") == 0
				? ": endorsectl reinstate device lets it enroll again"
				: "");
	TRY(judge_name(of->key, found));
	add_readmit(&trip, found);
	add_owner(&trip, of->key, found);
	add_keys(&trip, found, out);
	taking_add(&trip, &release_of_device, &taking, out);
	return db_run(of->db, &trip, LOST_GIVE_UP);
}

enum err device_unhold(
	struct db *db, const struct device_key *key, const struct act *act, struct reached *out)
{
	return run(&(struct device_act){db, key, NULL, act, try_unhold}, out);
}

/* By a name it is found that lost it when it was revoked. */
static enum err try_reinstate(
	const struct device_act *of, const struct found *found, struct reached *out)
{
	struct pipeline trip = {.n = 0};
	struct taking taking = taking_of(found, NULL, "device.reinstated", of->key, of->act);

	if (strcmp(found->state, "revoked") != 0)
		return refuse(ERR_CONFLICT, "not-revoked", "PROTOCOL revocation",
			"the device is %s, and not revoked%s", found->state,
			strcmp(found->state, "held") == 0 ? ": endorsectl unhold device gives it "
							    "back what it had"
							  : "");
	add_readmit(&trip, found);
	add_keys(&trip, found, out);
	taking_add(&trip, &release_nothing, &taking, out);
	return db_run(of->db, &trip, LOST_GIVE_UP);
}

enum err device_reinstate(
	struct db *db, const struct device_key *key, const struct act *act, struct reached *out)
{
	return run(&(struct device_act){db, key, NULL, act, try_reinstate}, out);
}
