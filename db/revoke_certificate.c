#include "db/revoke_certificate.h"

#include "ca/base/clock.h"
#include "db/connection.h"
#include "db/taking.h"

#include <string.h>

#define TRIES 8

static const struct statement find_certificate = {"find_certificate",
	"SELECT device_id, extract(epoch FROM revoked_at)::bigint, revocation_reason, revoked_with,"
	" extract(epoch FROM not_after)::bigint,"
	" (SELECT state FROM device WHERE device.device_id = certificate.device_id)"
	" FROM certificate WHERE serial = $1::bytea"};

/* The device first, as everywhere: whoever is about to return the certificate looks again. */
static const struct statement move_holder = {
	"move_holder", "UPDATE device SET revision = revision + 1 WHERE device_id = $1::uuid"};

/* Still as it was found; but for those of a revoked CA nobody changes it without its device. */
static const struct statement insist_certificate = {"insist_certificate",
	"SELECT insist((SELECT revocation_reason IS NOT DISTINCT FROM $2::text"
	"  AND revoked_with IS NOT DISTINCT FROM $3::text FROM certificate"
	"  WHERE serial = $1::bytea FOR UPDATE), 'the certificate was changed')"};

/* Whoever holds or revokes a device takes what is good then, and would not find what comes back later. */
static const struct statement insist_good_holder = {"insist_good_holder",
	"SELECT insist((SELECT state = 'active' FROM device WHERE device_id = $1::uuid),"
	" 'the device was held')"};

static const struct statement take_certificate = {
	"take_certificate", TAKE_CERTIFICATES("serial = $1::bytea")};
static const struct statement release_certificate = {
	"release_certificate", RELEASE_CERTIFICATES("serial = $1::bytea")};

const struct statement *const revoke_certificate_statements[] = {&find_certificate, &move_holder,
	&insist_certificate, &insist_good_holder, &take_certificate, &release_certificate, NULL};

struct found {
	bool is_there;
	uint8_t device_id[DEVICE_ID_SIZE];
	int64_t at, not_after;
	char reason[33], with[16]; /* "": it is good */
	char device_state[16];
};

enum { DEVICE, AT, REASON, WITH, NOT_AFTER, DEVICE_STATE };

static enum err take_found(const PGresult *rows, void *into)
{
	struct found *found = into;

	found->is_there = PQntuples(rows) == 1;
	if (!found->is_there)
		return OK;
	found->at = row_int(rows, 0, AT);
	found->not_after = row_int(rows, 0, NOT_AFTER);
	row_text(rows, 0, REASON, found->reason, sizeof(found->reason));
	row_text(rows, 0, WITH, found->with, sizeof(found->with));
	row_text(rows, 0, DEVICE_STATE, found->device_state, sizeof(found->device_state));
	return row_copy(rows, 0, DEVICE, found->device_id, DEVICE_ID_SIZE);
}

static bool is_held(const struct found *found)
{
	return strcmp(found->reason, "certificateHold") == 0;
}

/* What is to be done to one certificate. */
struct certificate_act {
	struct view serial;
	const char *reason; /* NULL: it is released */
	const char *event;
	const struct act *act;
};

static enum err judge_taking(const struct certificate_act *of, const struct found *found)
{
	char at[CLOCK_TEXT_SIZE];

	clock_text(found->reason[0] == '\0' ? found->not_after : found->at, at);
	if (found->reason[0] != '\0' && !is_held(found))
		return refuse(ERR_CONFLICT, "already-revoked", "PROTOCOL revocation",
			"the certificate is revoked since %s (%s, with its %s)", at, found->reason,
			found->with);
	if (is_held(found) && strcmp(of->reason, "certificateHold") == 0)
		return refuse(ERR_CONFLICT, "already-held", "PROTOCOL revocation",
			"the certificate is held since %s, with its %s", at, found->with);
	if (found->not_after <= of->act->now)
		return refuse(ERR_CONFLICT, "certificate-ended", "PROTOCOL revocation",
			"the certificate ended at %s, and nobody takes it any more", at);
	return OK;
}

static enum err judge_release(const struct found *found)
{
	if (!is_held(found))
		return refuse(ERR_CONFLICT, "not-held", "PROTOCOL revocation",
			"the certificate is %s, and not held",
			found->reason[0] == '\0' ? "good" : "revoked");
	if (strcmp(found->with, "certificate") != 0)
		return refuse(ERR_CONFLICT, "not-held", "PROTOCOL revocation",
			"the certificate is held with its device: endorsectl unhold device");
	if (strcmp(found->device_state, "active") != 0)
		return refuse(ERR_CONFLICT, "certificate-of-barred-device", "PROTOCOL revocation",
			"the device of the certificate is %s, and none of its certificates is "
			"given "
			"back meanwhile: endorsectl unhold device first",
			found->device_state);
	return OK;
}

static enum err find(struct db *db, const struct certificate_act *of, struct found *found)
{
	struct pipeline trip = {.n = 0};

	*found = (struct found){.is_there = false};
	STEP(&trip, &find_certificate, value_bytes(of->serial));
	step_take(&trip, take_found, found);
	TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	if (!found->is_there)
		return refuse(ERR_NOT_FOUND, "certificate-unknown", "PROTOCOL revocation",
			"no certificate of this service has this serial number");
	return of->reason == NULL ? judge_release(found) : judge_taking(of, found);
}

static struct value text_or_null(const char *text)
{
	return value_text(text[0] == '\0' ? NULL : text);
}

static enum err do_it(struct db *db, const struct certificate_act *of, const struct found *found,
	struct reached *out)
{
	struct pipeline trip = {.n = 0};
	struct taking taking = {
		.which = value_bytes(of->serial),
		.reason = of->reason,
		.with = "certificate",
		.event = of->event,
		.device_id = VIEW(found->device_id),
		.act = of->act,
	};

	STEP(&trip, &move_holder, value_bytes(VIEW(found->device_id)));
	STEP(&trip, &insist_certificate, value_bytes(of->serial), text_or_null(found->reason),
		text_or_null(found->with));
	if (of->reason == NULL)
		STEP(&trip, &insist_good_holder, value_bytes(VIEW(found->device_id)));
	taking_add(
		&trip, of->reason == NULL ? &release_certificate : &take_certificate, &taking, out);
	return db_run(db, &trip, LOST_GIVE_UP);
}

static enum err run(struct db *db, const struct certificate_act *of, struct reached *out)
{
	enum err err = ERR_CONFLICT;
	struct found found;

	*out = (struct reached){.x509 = 0};
	for (unsigned i = 0; i < TRIES && err == ERR_CONFLICT; i++) {
		TRY(find(db, of, &found));
		err = do_it(db, of, &found, out);
	}
	memcpy(out->device_id, found.device_id, DEVICE_ID_SIZE);
	return err;
}

enum err certificate_revoke(struct db *db, struct view serial, const char *reason,
	const struct act *act, struct reached *out)
{
	return run(db, &(struct certificate_act){serial, reason, "certificate.revoked", act}, out);
}

enum err certificate_hold(
	struct db *db, struct view serial, const struct act *act, struct reached *out)
{
	return run(db,
		&(struct certificate_act){serial, "certificateHold", "certificate.held", act}, out);
}

enum err certificate_unhold(
	struct db *db, struct view serial, const struct act *act, struct reached *out)
{
	return run(db, &(struct certificate_act){serial, NULL, "certificate.released", act}, out);
}
