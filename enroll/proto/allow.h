/* allow.h - the bodies of the allow-list's part of the admin API (PROTOCOL.md, "Administration"). */
#pragma once

#include "enroll/proto/admin.h"
#include "enroll/proto/labels.h"

#define LIMIT_ALLOW_BODY (16 * 1024 * 1024)
#define ALLOW_MAX 20000 /* entries of one request */
#define ALLOW_PAGE 200 /* entries of one answer */
#define LIMIT_SERIAL 128
#define LIMIT_SOURCE 256
#define EK_DIGEST_DIGITS (2 * SHA256_SIZE)

/* One EK; it has a digest, a public area, or both. */
struct allow_entry {
	char ek_digest[EK_DIGEST_DIGITS + 1]; /* hexadecimal; "" */
	struct buf ek_public; /* TPM2B_PUBLIC; empty */
	char *serial, *host; /* NULL: none; for free() */
	char *labels; /* a JSON object of texts (labels.h); NULL: none */
};
void allow_entry_free(struct allow_entry *entry); /* accepts zeroes */

/* POST /v1/admin/ek/allow: {entries, source, why, skip_bad, dry_run}. */
struct allow_request {
	struct allow_entry *entries;
	size_t n;
	char source[LIMIT_SOURCE + 1]; /* a file's name; "": typed by hand */
	char why[LIMIT_WHY + 1];
	bool skip_bad, dry_run;
};
void allow_request_free(struct allow_request *request); /* for AUTO; accepts zeroes */
/* `out` is overwritten, and for allow_request_free() also after a failure. */
CHECKED enum err allow_request_parse(struct view json, struct allow_request *out);
CHECKED enum err allow_request_encode(const struct allow_request *request, struct buf *json);

/* What became of an entry. */
enum allow_fate {
	ALLOW_ADDED,
	ALLOW_SAME, /* was there, just like this */
	ALLOW_EK_TAKEN, /* the EK is on the list, with another name, serial or labels */
	ALLOW_HOST_TAKEN, /* the name is registered for another EK */
	ALLOW_HOST_BOUND, /* the name is bound to a device that has not this EK */
	ALLOW_EK_BOUND, /* the EK's device has another name */
};
/* "added", "same", "ek-taken", "host-taken", "host-bound", "ek-bound": by the fate, and then NULL. */
extern const char *const allow_fate_words[];

/* Its answer: {added, same, changed, bad: [{entry, fate}]}. */
struct allow_answer {
	int64_t added, same; /* with `dry_run`: that would be */
	bool changed; /* anything was written */
	struct allow_bad {
		int64_t entry; /* from 0, in the order of the request */
		enum allow_fate fate;
	} * bad;
	size_t bad_n;
};
/* Makes room for `n` bad ones. */
CHECKED enum err allow_answer_init(struct allow_answer *answer, size_t n);
void allow_answer_free(struct allow_answer *answer); /* for AUTO; accepts zeroes */
CHECKED enum err allow_answer_encode(const struct allow_answer *answer, struct buf *json);
/* `out` is overwritten, and for allow_answer_free() also after a failure. */
CHECKED enum err allow_answer_parse(struct view json, struct allow_answer *out);

/* POST /v1/admin/ek/disallow: {ek_digest, why}; its answer is {ek_digest}. */
struct disallow_request {
	char ek_digest[EK_DIGEST_DIGITS + 1];
	char why[LIMIT_WHY + 1];
};
CHECKED enum err disallow_request_parse(struct view json, struct disallow_request *out);
CHECKED enum err disallow_request_encode(const struct disallow_request *request, struct buf *json);
CHECKED enum err disallow_answer_encode(const char *ek_digest, struct buf *json);

/* One entry as it is recorded. */
struct allow_item {
	char ek_digest[EK_DIGEST_DIGITS + 1];
	char serial[513], host[LIMIT_HOST + 1], source[513], added_by[513], why[513]; /* "" */
	char labels[2 * LIMIT_LABELS]; /* "{}"; with blanks, as a database writes them */
	int64_t added_at; /* seconds since 1970 */
	bool is_enrolled; /* a device has this EK */
};
CHECKED enum err allow_item_encode(const struct allow_item *item, struct buf *json);

/* GET /v1/admin/ek/allowed: {allowed: [...], more}, by digest. */
struct allow_list {
	struct allow_item *items;
	size_t n;
	bool more; /* go on after the last one's digest */
};
CHECKED enum err allow_list_init(struct allow_list *list, size_t n);
void allow_list_free(struct allow_list *list); /* for AUTO; accepts zeroes */
CHECKED enum err allow_list_encode(const struct allow_list *list, struct buf *json);
/* `out` is overwritten, and for allow_list_free() also after a failure. */
CHECKED enum err allow_list_parse(struct view json, struct allow_list *out);
