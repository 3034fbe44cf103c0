/* status.h - the answer to GET /v1/admin/status (PROTOCOL.md): one server in a few numbers. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#include <stdbool.h>

#define STATUS_EXPIRIES 24
#define STATUS_TEXT 513

/* A certificate that the service stands on. */
struct status_expiry {
	char role
		[24]; /* "ca", "ca-above", "former-ca", "admin-ca", "ocsp-responder", "vendor-root" */
	char subject[256];
	int64_t until; /* seconds since 1970 */
};

/* Times are seconds since 1970, 0 where there is nothing yet. Without the database, what is in it is 0. */
struct status_answer {
	char service[LIMIT_SERVICE + 1], version[32];
	int64_t since, now; /* when it began to count, and its clock */
	bool is_ready, is_database_up;
	char code[LIMIT_REASON + 1], sentence[STATUS_TEXT]; /* why it is not ready; "" */
	int64_t failures, warnings; /* that GET /v1/admin/doctor tells of */
	int64_t connections_lent, connections_max;
	/* What this server answered since then. */
	int64_t tickets, issued, returned, repeated, held, refused, unproven, failed;
	/* What all servers share. */
	int64_t waiting; /* attempts that wait for an admin */
	int64_t crl_shards, crl_behind, crl_overdue, crl_next_update; /* the earliest one */
	int64_t krl_version, krl_at;
	bool krl_behind;
	struct status_expiry expiries[STATUS_EXPIRIES]; /* the first one to end first */
	size_t expiries_n;
};
CHECKED enum err status_answer_encode(const struct status_answer *answer, struct buf *json);
CHECKED enum err status_answer_parse(struct view json, struct status_answer *out);
