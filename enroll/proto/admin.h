/* admin.h - the bodies of the admin API (PROTOCOL.md, "Administration"). */
#pragma once

#include "ca/base/buf.h"
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
	char device_id[33];
};
CHECKED enum err unbind_answer_parse(struct view json, struct unbind_answer *out);
CHECKED enum err unbind_answer_encode(const struct unbind_answer *answer, struct buf *json);
