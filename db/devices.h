/* devices.h - devices as admins look for them and see them. */
#pragma once

#include "db/enrollment_facts.h"
#include "db/found.h"

/* What is known of those that are looked for; strings and bytes are borrowed, NULL: not asked for. All of it
 * has to be so. */
struct devices_query {
	const char *host; /* a name that it has; * stands for anything */
	const char *state; /* "active", "held", "revoked" */
	const char *manufacturer; /* "id:49465800" */
	const char *label_name, *label_text; /* the text only together with the name */
	const char *machine; /* a serial number of the allow-list */
	const uint8_t *device_id; /* DEVICE_ID_SIZE */
	const uint8_t *ek_digest; /* DIGEST_SIZE */
	const uint8_t *serial; /* of a certificate that it got */
	size_t serial_n;
	int64_t since, until; /* enrolled first from then on, and before then; seconds since 1970 */
	const char *after; /* found.next of the page before */
	size_t limit; /* rows, at least 1 */
};

/*
 * Those that came last first; with `host` alone, or with a time, or with what only many have, in the order of
 * names. Looks at FOUND_STRETCH at most, so a page may have fewer rows, or none, and `next` all the same.
 * `out` is overwritten, and for found_free() also after a failure. ERR_MALFORMED "query-value" for `after`;
 * errors of db_run().
 */
CHECKED enum err devices_find(struct db *db, const struct devices_query *query, struct found *out);

/* One device with all that hangs on it: one row, or none. */
CHECKED enum err device_show(
	struct db *db, const uint8_t device_id[static DEVICE_ID_SIZE], struct found *out);
