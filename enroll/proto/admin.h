/* admin.h - the bodies of the admin API (PROTOCOL.md, "Administration"). */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/proto/limits.h"

#define LIMIT_WHY 512
#define LIMIT_ADMIN_BODY 4096

/* POST /v1/admin/host/unbind: {host, why}. */
struct unbind_request {
	char host[LIMIT_HOST + 1];
	char why[LIMIT_WHY + 1];
};
CHECKED enum err unbind_request_parse(struct view json, struct unbind_request *out);
CHECKED enum err unbind_request_encode(const struct unbind_request *request, struct buf *json);

/* Its answer: {host, device_id}. */
struct unbind_answer {
	char host[LIMIT_HOST + 1];
	char device_id[LIMIT_DEVICE_ID + 1];
};
CHECKED enum err unbind_answer_parse(struct view json, struct unbind_answer *out);
CHECKED enum err unbind_answer_encode(const struct unbind_answer *answer, struct buf *json);

/*
 * POST /v1/admin/reload, without a body. Its answer says what the service works with from now on:
 * {trust_version, policy_version, ca_certificate, changes, warnings}.
 */
struct reload_answer {
	/* SHA-256 in hexadecimal: versions as the records have them, and the issuing CA's certificate. */
	char trust_version[2 * SHA256_SIZE + 1], policy_version[2 * SHA256_SIZE + 1];
	char ca_certificate[2 * SHA256_SIZE + 1];
	struct buf changes, warnings; /* for people, one a line */
	struct buf problems; /* of a refusal, one a line: they go with the problem document */
};
void reload_answer_init(struct reload_answer *answer);
void reload_answer_free(struct reload_answer *answer); /* for AUTO */
CHECKED enum err reload_answer_parse(struct view json, struct reload_answer *out);
CHECKED enum err reload_answer_encode(const struct reload_answer *answer, struct buf *json);
