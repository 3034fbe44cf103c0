/* binding.h - labels of a device, and a name that goes on with another TPM (PROTOCOL.md, "Administration"). */
#pragma once

#include "enroll/proto/admin.h"
#include "enroll/proto/labels.h"

#define LIMIT_LABELS_BODY 16384

/* POST /v1/admin/device/labels: {device_id, set, remove, why}. */
struct label_request {
	char device_id[LIMIT_DEVICE_ID + 1];
	struct buf set; /* a JSON object of texts (labels.h) */
	struct buf remove; /* a JSON list of names */
	char why[LIMIT_WHY + 1];
};
void label_request_init(struct label_request *request);
void label_request_free(struct label_request *request); /* for AUTO */
/* `out` is one of label_request_init(). ERR_MALFORMED "labels", also when there is nothing to do; as json.h. */
CHECKED enum err label_request_parse(struct view json, struct label_request *out);
CHECKED enum err label_request_encode(const struct label_request *request, struct buf *json);
/* Its answer: {device_id, labels}, the latter appended as JSON. */
CHECKED enum err label_answer_encode(const char *device_id, const char *labels, struct buf *json);
CHECKED enum err label_answer_parse(struct view json, struct buf *labels);

/* POST /v1/admin/host/rebind: {host, ek_digest, why}. */
struct rebind_request {
	char host[LIMIT_HOST + 1];
	char ek_digest[2 * SHA256_SIZE + 1]; /* of the TPM that is to have the name */
	char why[LIMIT_WHY + 1];
};
CHECKED enum err rebind_request_parse(struct view json, struct rebind_request *out);
CHECKED enum err rebind_request_encode(const struct rebind_request *request, struct buf *json);

/* Its answer: {host, device_id, revoked}. */
struct rebind_answer {
	char host[LIMIT_HOST + 1];
	char device_id[LIMIT_DEVICE_ID + 1]; /* that had the name */
	int64_t revoked; /* certificates of it for this name */
};
CHECKED enum err rebind_answer_parse(struct view json, struct rebind_answer *out);
CHECKED enum err rebind_answer_encode(const struct rebind_answer *answer, struct buf *json);
