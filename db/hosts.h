/* hosts.h - host names that are bound, or barred, as admins look for them. */
#pragma once

#include "db/enrollment_facts.h"
#include "db/found.h"

/* Strings and bytes are borrowed, NULL: not asked for. */
struct hosts_query {
	const char *host; /* * stands for anything */
	const uint8_t *device_id; /* DEVICE_ID_SIZE: that has it */
	bool is_barred; /* only those that nobody may have */
	const char *after; /* found.next of the page before */
	size_t limit; /* rows, at least 1 */
};

/* By name, or by the reversed name where the pattern begins with a star; else as devices_find(). */
CHECKED enum err hosts_find(struct db *db, const struct hosts_query *query, struct found *out);
