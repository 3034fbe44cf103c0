/* rebind.h - a host name goes on with another TPM, after a board was swapped. */
#pragma once

#include "db/host.h"

struct rebound {
	uint8_t device_id[DEVICE_ID_SIZE]; /* that had the name */
	int64_t revoked; /* certificates of it for this name, as superseded */
	bool is_ours_too; /* refusals below: the EK is of the device that has the name */
	bool is_registered, is_bound;
};

/*
 * In one transaction: the name leaves its device, whose unexpired certificates for it are revoked as superseded,
 * approvals for it are taken back, and the new EK is registered for the name in place of any other, with the labels that
 * the old device had. The device with that EK gets the name when it enrolls. ERR_NOT_FOUND "host-unknown";
 * ERR_CONFLICT "rebind-same-device" (it is an EK of the very device), "rebind-ek-registered" (the EK is registered for another
 * name), "rebind-ek-bound" (its device has another name), "database-moved" when the name goes from device to device faster
 * than we can follow; errors of db_run().
 */
CHECKED enum err host_rebind(struct db *db, const char *host,
	const uint8_t ek_digest[static DIGEST_SIZE], const struct act *act, struct rebound *out);
