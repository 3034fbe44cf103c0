/* vendors.h - imports into the trust set and removals from it, over the admin API (PROTOCOL.md). */
#pragma once

#include "enroll/proto/admin.h"

struct json_t;

#define LIMIT_IMPORT_BODY (16 * 1024 * 1024)
#define LIMIT_IMPORT_ITEMS 5000
#define LIMIT_IMPORT_CRL (1024 * 1024)
#define LIMIT_IMPORT_TEXT 512
#define SHA256_TEXT (2 * SHA256_SIZE + 1)

/* POST /v1/admin/vendors/import: {items: [{role, manufacturers, source, path, certificate}], why, dry_run}. */
struct import_item {
	const char *role; /* "root", "intermediate", "crl" */
	const char *manufacturers; /* of a root: "id:49465800,id:53544D20" or "any" */
	const char *source, *path; /* where it comes from, and where it lay in that */
	struct view der;
};
struct import_request {
	struct import_item
		*items; /* what they point to belongs to the request, or to who made it */
	size_t n;
	char why[LIMIT_WHY + 1];
	bool is_dry_run; /* only tell what would change */
	struct json_t *json;
	struct buf der;
};
/* Makes room for `n` items. */
CHECKED enum err import_request_init(struct import_request *request, size_t n);
void import_request_free(struct import_request *request); /* for AUTO; accepts zeroes */
/* `out` is overwritten, and for import_request_free() also after a failure. */
CHECKED enum err import_request_parse(struct view json, struct import_request *out);
CHECKED enum err import_request_encode(const struct import_request *request, struct buf *json);

/* Its answer: {items: [{sha256, result, reason, sentence}]}, in the order of the request. */
enum import_result { IMPORT_ADDED, IMPORT_KNOWN, IMPORT_REFUSED };
struct import_outcome {
	char sha256[SHA256_TEXT];
	enum import_result result; /* of a dry run: what it would be */
	char reason[LIMIT_REASON + 1], sentence[LIMIT_IMPORT_TEXT + 1]; /* of a refusal; "" */
};
struct import_answer {
	struct import_outcome *items;
	size_t n;
};
CHECKED enum err import_answer_init(struct import_answer *answer, size_t n);
void import_answer_free(struct import_answer *answer); /* for AUTO; accepts zeroes */
CHECKED enum err import_answer_parse(struct view json, struct import_answer *out);
CHECKED enum err import_answer_encode(const struct import_answer *answer, struct buf *json);

/* POST /v1/admin/vendors/remove: {sha256, why}; its answer: {sha256}. */
struct remove_request {
	char sha256[SHA256_TEXT];
	char why[LIMIT_WHY + 1];
};
CHECKED enum err remove_request_parse(struct view json, struct remove_request *out);
CHECKED enum err remove_request_encode(const struct remove_request *request, struct buf *json);
CHECKED enum err remove_answer_encode(const char *sha256, struct buf *json);
