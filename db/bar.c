#include "db/bar.h"

#include "ca/base/clock.h"
#include "db/connection.h"
#include "db/lock.h"
#include "db/taking.h"

#define TRIES 8

static const struct statement find_bar = {"find_bar",
	"SELECT EXISTS (SELECT FROM host WHERE name = $1::text)"
	"  OR EXISTS (SELECT FROM certificate WHERE host = $1::text"
	"   AND not_after > to_timestamp($2::bigint)"
	"   AND " STANDS "),"
	" (SELECT extract(epoch FROM at)::bigint FROM host_barred WHERE name = $1::text),"
	" (SELECT reason FROM host_barred WHERE name = $1::text),"
	" (SELECT why FROM host_barred WHERE name = $1::text),"
	" (SELECT by FROM host_barred WHERE name = $1::text)"};

/* Whose certificates or name go, in one order for all. */
static const struct statement move_holders = {"move_holders",
	"WITH moved AS (UPDATE device SET revision = revision + 1"
	"  WHERE device_id = ANY (ARRAY (SELECT device_id FROM device"
	"  WHERE device_id = ANY (ARRAY (SELECT device_id FROM host WHERE name = $1::text"
	"    UNION SELECT device_id FROM certificate WHERE host = $1::text"
	"     AND not_after > to_timestamp($2::bigint)"
	"     AND " STANDS "))"
	"  ORDER BY device_id FOR UPDATE)) RETURNING 1)"
	" SELECT count(*) FROM moved"};

static const struct statement end_binding = {
	"end_binding", "DELETE FROM host WHERE name = $1::text RETURNING name"};

static const struct statement end_attempts_for = {"end_attempts_for",
	"WITH gone AS (DELETE FROM pending WHERE host = $1::text AND state <> 'rejected'"
	"  RETURNING ek_digest, host, attempt_id),"
	" noted AS (INSERT INTO audit (at, event, device_id, ek_digest, host, detail, who,"
	"   client_address, request_id)"
	"  SELECT to_timestamp($2::bigint), 'attempt.withdrawn',"
	"   (SELECT device_id FROM ek WHERE ek.ek_digest = gone.ek_digest), ek_digest, host,"
	"   left('attempt ' || encode(attempt_id, 'hex') || ': ' || $3::text, 512), $4::text,"
	"   $5::text, $6::text FROM gone)"
	" SELECT count(*) FROM gone"};

static const struct statement bar_host = {"bar_host",
	"INSERT INTO host_barred (name, at, reason, why, by)"
	" VALUES ($1::text, to_timestamp($2::bigint), $3::text, $4::text, $5::text)"};

static const struct statement lift_bar = {"lift_bar",
	"WITH gone AS (DELETE FROM host_barred WHERE name = $1::text RETURNING 1)"
	" SELECT insist((SELECT count(*) FROM gone) = 1, 'the bar is gone')"};

static const struct statement take_of_host = {"take_of_host", TAKE_CERTIFICATES("host = $1::text")};
static const struct statement release_none_of_host = {
	"release_none_of_host", RELEASE_CERTIFICATES("host = $1::text AND false")};

const struct statement *const bar_statements[] = {&find_bar, &move_holders, &end_binding,
	&end_attempts_for, &bar_host, &lift_bar, &take_of_host, &release_none_of_host, NULL};

struct found {
	bool has_something; /* to be reached */
	int64_t at; /* 0: it is not barred */
	char reason[33], why[PROSE_MAX + 1], by[PROSE_MAX + 1];
};

static enum err take_found(const PGresult *rows, void *into)
{
	struct found *found = into;

	found->has_something = row_bool(rows, 0, 0);
	found->at = row_int(rows, 0, 1);
	row_text(rows, 0, 2, found->reason, sizeof(found->reason));
	row_text(rows, 0, 3, found->why, sizeof(found->why));
	row_text(rows, 0, 4, found->by, sizeof(found->by));
	return OK;
}

static enum err take_number(const PGresult *rows, void *into)
{
	*(int64_t *)into = row_int(rows, 0, 0);
	return OK;
}

static enum err find(struct db *db, const char *host, const struct act *act, struct found *found)
{
	struct pipeline trip = {.n = 0};

	*found = (struct found){.at = 0};
	STEP(&trip, &find_bar, value_text(host), value_int(act->now));
	step_take(&trip, take_found, found);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

static enum err tell_bar(const char *host, const struct found *found)
{
	char at[CLOCK_TEXT_SIZE];

	clock_text(found->at, at);
	return refuse(ERR_CONFLICT, "already-revoked", "PROTOCOL revocation",
		"the name %s is revoked since %s, by %.64s (%s): %.200s", host, at, found->by,
		found->reason, found->why);
}

static struct taking taking_of(
	const char *host, const char *reason, const char *event, const struct act *act)
{
	return (struct taking){
		.which = value_text(host),
		.reason = reason,
		.with = "host",
		.event = event,
		.host = host,
		.act = act,
	};
}

static void add_ends(
	struct pipeline *trip, const char *host, const struct act *act, struct reached *out)
{
	lock_add_rules(trip);
	STEP(trip, &move_holders, value_text(host), value_int(act->now));
	step_take(trip, take_number, &out->devices);
	STEP(trip, &end_binding, value_text(host));
	step_take(trip, taking_names, out);
	STEP(trip, &end_attempts_for, value_text(host), value_int(act->now),
		value_prose(act->reason), value_prose(act->who), value_prose(act->from),
		value_prose(act->request_id));
	step_take(trip, take_number, &out->attempts);
}

static enum err try_revoke(struct db *db, const char *host, const char *reason,
	const struct act *act, struct reached *out)
{
	struct taking taking = taking_of(host, reason, "host.revoked", act);
	struct pipeline trip = {.n = 0};
	struct found found;

	TRY(find(db, host, act, &found));
	if (found.at != 0)
		return tell_bar(host, &found);
	add_ends(&trip, host, act, out);
	STEP(&trip, &bar_host, value_text(host), value_int(act->now), value_text(reason),
		value_prose(act->reason), value_prose(act->who));
	taking_add(&trip, &take_of_host, &taking, out);
	return db_run(db, &trip, LOST_GIVE_UP);
}

static enum err try_retire(struct db *db, const char *host, const char *reason,
	const struct act *act, struct reached *out)
{
	struct taking taking = taking_of(host, reason, "host.retired", act);
	struct pipeline trip = {.n = 0};
	struct found found;

	TRY(find(db, host, act, &found));
	if (!found.has_something)
		return refuse(ERR_NOT_FOUND, "host-unknown", "PROTOCOL revocation",
			"no device has the name %s, and no certificate of it is good", host);
	add_ends(&trip, host, act, out);
	taking_add(&trip, &take_of_host, &taking, out);
	return db_run(db, &trip, LOST_GIVE_UP);
}

static enum err try_reinstate(struct db *db, const char *host, const char *reason,
	const struct act *act, struct reached *out)
{
	struct taking taking = taking_of(host, reason, "host.reinstated", act);
	struct pipeline trip = {.n = 0};
	struct found found;

	TRY(find(db, host, act, &found));
	if (found.at == 0)
		return refuse(ERR_CONFLICT, "not-revoked", "PROTOCOL revocation",
			"the name %s is not revoked", host);
	STEP(&trip, &lift_bar, value_text(host));
	taking_add(&trip, &release_none_of_host, &taking, out);
	return db_run(db, &trip, LOST_GIVE_UP);
}

typedef enum err try_it(struct db *db, const char *host, const char *reason, const struct act *act,
	struct reached *out);

/* Two who come at once: the second one's bar is there, or his has gone; he looks again. */
static enum err run(try_it *try, struct db *db, const char *host, const char *reason,
	const struct act *act, struct reached *out)
{
	enum err err = ERR_CONFLICT;

	*out = (struct reached){.x509 = 0};
	for (unsigned i = 0; i < TRIES && err == ERR_CONFLICT; i++) {
		err = try(db, host, reason, act, out);
		if (err == ERR_CONFLICT && strcmp(why()->code, "database-moved") != 0)
			return err;
	}
	return err;
}

enum err host_revoke(struct db *db, const char *host, const char *reason, const struct act *act,
	struct reached *out)
{
	return run(try_revoke, db, host, reason, act, out);
}

enum err host_retire(struct db *db, const char *host, const char *reason, const struct act *act,
	struct reached *out)
{
	return run(try_retire, db, host, reason, act, out);
}

enum err host_reinstate(struct db *db, const char *host, const struct act *act, struct reached *out)
{
	return run(try_reinstate, db, host, NULL, act, out);
}
