/* host.h - host names and the device each is bound to. */
#pragma once

#include "db/enrollment.h"

/* Who does something to a record, and why: what the audit keeps. Borrowed. */
struct act {
	const char *who; /* "admin-token" */
	const char *from; /* client address */
	const char *reason;
	const char *request_id;
	int64_t now;
};

/*
 * Takes the name away from its device, so that the next device that may have it can. Certificates
 * stay as they are (revoking is another act) but are not returned to a repeat any more. Approvals
 * (pending.h) of the device's EKs for this name are taken back: its next attempt is held anew.
 * `device_id` gets the device that had it. ERR_NOT_FOUND "host-unknown". ERR_CONFLICT
 * "database-moved" when the name goes from device to device faster than we can follow.
 */
CHECKED enum err host_unbind(struct db *db, const char *host, const struct act *act,
	uint8_t device_id[static DEVICE_ID_SIZE]);
