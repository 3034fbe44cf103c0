/* labels.h - the labels of a device, changed by an admin. */
#pragma once

#include "db/host.h"

#define LABELS_BYTES 4096 /* of all of them as the server writes them */

/*
 * Gives the device the labels of `set`, a JSON object of texts, and takes those away that the JSON list `remove`
 * names; what is in neither stays. `labels` gets all of them, as JSON. ERR_NOT_FOUND "device-unknown";
 * ERR_REJECTED "labels-too-many": it would have more than ENROLLMENT_LABELS, or more than LABELS_BYTES; errors
 * of db_run().
 */
CHECKED enum err device_label(struct db *db, const uint8_t device_id[static DEVICE_ID_SIZE],
	const char *set, const char *remove, const struct act *act, struct buf *labels);
