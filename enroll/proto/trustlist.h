/* trustlist.h - what is in the trust set, over the admin API (PROTOCOL.md, "Administration"). */
#pragma once

#include "enroll/proto/vendors.h"

/*
 * GET /v1/admin/vendors and /v1/admin/vendors/export: {trust_version, items: [{sha256, role, class, manufacturers,
 * source, subject, until, path, imported_at, imported_by, why, certificate}]}. What was not imported lacks the
 * four before the last, and only the export has the last.
 */
struct trust_list_item {
	const char *sha256, *role, *class, *manufacturers, *source, *subject;
	int64_t until; /* seconds since 1970: the certificate's end, or the CRL's nextUpdate */
	const char *path, *imported_by, *why; /* NULL for what was not imported */
	int64_t imported_at;
	struct view der; /* empty: not there */
};
/* Writing: begin, add each, end. What fails shows at the end. */
struct json_t *trust_list_begin(const char *trust_version);
void trust_list_add(struct json_t *list, const struct trust_list_item *entry);
CHECKED enum err trust_list_end(struct json_t *list, struct buf *json); /* takes the reference */
void trust_list_drop(struct json_t **list); /* for AUTO */

struct trust_list {
	char trust_version[SHA256_TEXT];
	struct trust_list_item *items; /* what they point to belongs to the list */
	size_t n;
	struct json_t *json;
	struct buf der;
};
void trust_list_free(struct trust_list *list); /* for AUTO; accepts zeroes */
CHECKED enum err trust_list_parse(struct view json, struct trust_list *out);
