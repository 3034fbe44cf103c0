/* audit.h - one row of the audit, written in the transaction of what it tells. Not for other
 * folders. */
#pragma once

#include "db/query.h"

/* What was done; a refusal is written by enrollment_refused(), which does so once for each ticket.
 * Everything is borrowed until the pipeline has run; NULL and empty views where there is nothing. */
struct audit_row {
	int64_t at;
	const char *event; /* "enroll.issued" */
	struct view device_id; /* empty: the device of ek_digest, where we know it */
	struct view ek_digest;
	const char *host;
	const char *detail;
	const char *serials; /* a bytea[] as text */
	const char *who; /* NULL: the device itself */
	const char *client_address;
	const char *request_id;
	const char *trust_version, *policy_version; /* hexadecimal; NULL: no rule decided it */
};
void audit_add(struct pipeline *pipeline, const struct audit_row *row);
