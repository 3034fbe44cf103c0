/* audit_read.h - what was done and refused, as the auditor reads it. */
#pragma once

#include "db/enrollment_facts.h"
#include "db/found.h"

/* Strings and bytes are borrowed, NULL: not asked for. All of it has to be so. */
struct audit_query {
	const uint8_t *device_id; /* DEVICE_ID_SIZE */
	const uint8_t *ek_digest; /* DIGEST_SIZE */
	const uint8_t *serial; /* of a certificate that was issued, or given back */
	size_t serial_n;
	const char *host; /* as it was asked for; * stands for anything */
	const char *event; /* "enroll.issued", "enroll.*" */
	const char *code; /* of a refusal */
	const char *who;
	const char *request_id;
	bool is_act; /* only what people and their programs did */
	int64_t since, until; /* from then on, and before then; seconds since 1970 */
	const char *after; /* found.next of the page before */
	size_t limit; /* rows, at least 1 */
};

/* The newest first; else as devices_find(). */
CHECKED enum err audit_find(struct db *db, const struct audit_query *query, struct found *out);
