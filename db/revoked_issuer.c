#include "db/revoked_issuer.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "db/connection.h"
#include "db/lock.h"

#include <string.h>

#define TRIES 8

#define COLUMNS                                                                                    \
	" issuer_id, kind, extract(epoch FROM first_at)::bigint,"                                  \
	" coalesce(extract(epoch FROM not_after)::bigint, 0),"                                     \
	" coalesce(extract(epoch FROM revoked_at)::bigint, 0), revocation_reason, revoked_by,"     \
	" revoked_why, CASE WHEN revoked_at IS NULL THEN 0 ELSE (SELECT count(*)"                  \
	"  FROM certificate WHERE certificate.issuer = issuer.issuer_id"                           \
	"  AND certificate.not_after > to_timestamp($1::bigint)"                                   \
	"  AND (certificate.revoked_at IS NULL"                                                    \
	"   OR certificate.revocation_reason = 'certificateHold')) END"

static const struct statement list_issuers = {"list_issuers",
	"SELECT" COLUMNS " FROM issuer ORDER BY first_at DESC, issuer_id LIMIT $2::bigint"};

static const struct statement find_issuers = {"find_issuers",
	"SELECT" COLUMNS " FROM issuer WHERE encode(issuer_id, 'hex') LIKE $2::text || '%'"
	" ORDER BY issuer_id LIMIT 2"};

/* The KRL names an OpenSSH CA's key itself; all that OCSP says of the others' may be another now. */
static const struct statement revoke_issuer = {"revoke_issuer",
	"WITH moved AS (UPDATE issuer SET revoked_at = to_timestamp($2::bigint),"
	"  revocation_reason = $3::text, revoked_by = $5::text, revoked_why = $4::text"
	"  WHERE issuer_id = $1::bytea AND revoked_at IS NULL RETURNING kind),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($2::bigint), 'ca.revoked',"
	"   left(kind || ' ' || encode($1::bytea, 'hex') || ' ' || $3::text || ': ' || $4::text,"
	"    512), $5::text, $6::text, $7::text FROM moved)"
	" SELECT insist((SELECT count(*) FROM moved) = 1, 'the CA was revoked')"};
static const struct statement change_krl = {
	"change_krl", "UPDATE krl SET changed = changed + 1 WHERE $1::text <> 'x509'"};
static const struct statement move_revision = {
	"move_revision", "UPDATE revocation SET revision = revision + 1"};

/*
 * Rows that somebody else has in hand are his, or come next time: who waits for none cannot be part
 * of a circle. The devices' revisions stay: that the CA is revoked keeps these certificates from
 * being returned, whatever is said of them.
 */
static const struct statement take_of_issuers = {"take_of_issuers",
	"WITH aimed AS (SELECT serial FROM"
	"  (SELECT issuer_id::bytea AS id FROM issuer WHERE revoked_at IS NOT NULL) AS wounded"
	"  CROSS JOIN LATERAL (SELECT serial FROM certificate WHERE issuer = wounded.id"
	"   AND not_after > to_timestamp($1::bigint)"
	"   AND (revoked_at IS NULL OR revocation_reason = 'certificateHold')"
	"   ORDER BY not_after LIMIT $2::bigint FOR UPDATE SKIP LOCKED) AS batch),"
	" taken AS (UPDATE certificate SET revoked_with = 'ca-key', revoked_at ="
	"   coalesce(certificate.revoked_at, (SELECT issuer.revoked_at FROM issuer"
	"    WHERE issuer.issuer_id = certificate.issuer)),"
	"  revocation_reason = (SELECT issuer.revocation_reason FROM issuer"
	"   WHERE issuer.issuer_id = certificate.issuer)"
	"  WHERE serial = ANY (ARRAY (SELECT serial FROM aimed)) RETURNING 1)"
	" SELECT count(*) FROM taken"};

static const struct statement is_revoked = {"is_revoked",
	"SELECT count(*) FROM issuer WHERE issuer_id = $1::bytea AND revoked_at IS NOT NULL"};
static const struct statement any_revoked = {
	"any_revoked", "SELECT count(*) FROM issuer WHERE revoked_at IS NOT NULL"};

const struct statement *const revoked_issuer_statements[] = {&list_issuers, &find_issuers,
	&revoke_issuer, &change_krl, &move_revision, &take_of_issuers, &is_revoked, &any_revoked,
	NULL};

enum { ID, KIND, FIRST_AT, NOT_AFTER, REVOKED_AT, REASON, BY, WHY, REMAINING };

struct issuers {
	struct issuer_state *item;
	size_t room, n;
};

#define TAKE_TEXT(column, member) row_text(rows, row, column, out->member, sizeof(out->member))

static enum err take_issuer(const PGresult *rows, int row, struct issuer_state *out)
{
	TAKE_TEXT(KIND, kind);
	TAKE_TEXT(REASON, reason);
	TAKE_TEXT(BY, by);
	TAKE_TEXT(WHY, why);
	out->first_at = row_int(rows, row, FIRST_AT);
	out->not_after = row_int(rows, row, NOT_AFTER);
	out->revoked_at = row_int(rows, row, REVOKED_AT);
	out->remaining = row_int(rows, row, REMAINING);
	return row_copy(rows, row, ID, out->issuer_id, DIGEST_SIZE);
}

static enum err take_issuers(const PGresult *rows, void *into)
{
	struct issuers *out = into;
	size_t n = (size_t)PQntuples(rows);

	for (out->n = 0; out->n < n && out->n < out->room; out->n++)
		TRY(take_issuer(rows, (int)out->n, &out->item[out->n]));
	return OK;
}

static enum err take_count(const PGresult *rows, void *into)
{
	*(int64_t *)into = row_int(rows, 0, 0);
	return OK;
}

enum err issuers_read(struct db *db, int64_t now, struct issuer_state *out, size_t *n)
{
	struct issuers found = {out, ISSUERS_MAX, 0};
	struct pipeline trip = {.n = 0};

	STEP(&trip, &list_issuers, value_int(now), value_int(ISSUERS_MAX));
	step_take(&trip, take_issuers, &found);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	*n = found.n;
	return OK;
}

static enum err find(
	struct db *db, const char *digits, const struct act *act, struct issuer_state *out)
{
	struct issuer_state item[2];
	struct issuers found = {item, 2, 0};
	struct pipeline trip = {.n = 0};
	char at[CLOCK_TEXT_SIZE];

	STEP(&trip, &find_issuers, value_int(act->now), value_text(digits));
	step_take(&trip, take_issuers, &found);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	if (found.n != 1)
		return refuse(ERR_NOT_FOUND, "issuer-unknown", "PROTOCOL revocation",
			"%s CA has an id that begins with %s: endorsectl revocation tells which "
			"there are",
			found.n == 0 ? "no" : "more than one", digits);
	*out = item[0];
	clock_text(out->revoked_at, at);
	if (out->revoked_at != 0)
		return refuse(ERR_CONFLICT, "already-revoked", "PROTOCOL revocation",
			"the CA is revoked since %s, by %.64s (%s): %.200s", at, out->by,
			out->reason, out->why);
	return OK;
}

static enum err take_back(
	struct db *db, const struct issuer_state *issuer, const char *reason, const struct act *act)
{
	struct pipeline trip = {.n = 0};

	lock_add_rules(&trip);
	STEP(&trip, &revoke_issuer, value_bytes(VIEW(issuer->issuer_id)), value_int(act->now),
		value_text(reason), value_prose(act->reason), value_prose(act->who),
		value_prose(act->from), value_prose(act->request_id));
	STEP(&trip, &change_krl, value_text(issuer->kind));
	step_add(&trip, &move_revision, NULL, 0);
	return db_run(db, &trip, LOST_GIVE_UP);
}

static enum err count_rest(struct db *db, const struct act *act, struct issuer_state *out)
{
	struct issuers found = {out, 1, 0};
	struct pipeline trip = {.n = 0};
	char digits[2 * DIGEST_SIZE + 1];

	hex_write(VIEW(out->issuer_id), digits);
	STEP(&trip, &find_issuers, value_int(act->now), value_text(digits));
	step_take(&trip, take_issuers, &found);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

enum err issuer_revoke(struct db *db, const char *digits, const char *reason, const struct act *act,
	struct issuer_state *out)
{
	enum err err = ERR_CONFLICT;

	for (unsigned i = 0; i < TRIES && err == ERR_CONFLICT; i++) {
		TRY(find(db, digits, act, out));
		err = take_back(db, out, reason, act);
	}
	return err == OK ? count_rest(db, act, out) : err;
}

enum err revoked_issuer_round(struct db *db, int64_t now, unsigned limit, bool *more)
{
	struct pipeline look = {.n = 0}, trip = {.n = 0};
	int64_t revoked = 0, taken = 0;

	*more = false;
	step_add(&look, &any_revoked, NULL, 0);
	step_take(&look, take_count, &revoked);
	TRY(db_run(db, &look, LOST_REPEAT_ONCE));
	if (revoked == 0)
		return OK;
	STEP(&trip, &take_of_issuers, value_int(now), value_int(limit));
	step_take(&trip, take_count, &taken);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	*more = taken > 0;
	return OK;
}

enum err ca_revoked(const uint8_t id[static DIGEST_SIZE])
{
	char digits[2 * DIGEST_SIZE + 1];

	hex_write((struct view){id, DIGEST_SIZE}, digits);
	return fail(ERR_BUSY, "ca-revoked",
		"the CA %.16s was revoked, and signs nothing any more: give endorsed another one",
		digits);
}

enum err issuer_judge(struct db *db, const uint8_t id[static DIGEST_SIZE])
{
	struct pipeline trip = {.n = 0};
	int64_t revoked = 0;

	STEP(&trip, &is_revoked, value_bytes((struct view){id, DIGEST_SIZE}));
	step_take(&trip, take_count, &revoked);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	return revoked > 0 ? ca_revoked(id) : OK;
}
