/* refusals.h - what proven devices were refused, read from the audit a stretch at a time. */
#pragma once

#include "db/enrollment_facts.h"

#define REFUSALS_STRETCH 5000 /* refusals that one call looks at, at most */
#define REFUSAL_TEXT 513 /* what the audit keeps of a text, and a NUL */
#define REFUSAL_CODE 65 /* a reason code, and a NUL */
#define REFUSAL_FIRST INT64_C(0) /* below every id */
#define REFUSAL_LAST INT64_MAX /* above every id */

struct refusal {
	int64_t id, at; /* at: seconds since 1970 */
	char host[REFUSAL_TEXT];
	char device_id[2 * DEVICE_ID_SIZE + 1]; /* hexadecimal; "": a TPM that is not known here */
	char code[REFUSAL_CODE];
	char sentence[REFUSAL_TEXT];
	char from[REFUSAL_TEXT];
	char request_id[REFUSAL_TEXT];
};

/* Which ones. Strings are borrowed; NULL: any. */
struct refusal_query {
	bool backwards; /* from the newest below `from` to older ones; else from the oldest above it */
	int64_t from; /* an id, which is not among the answers */
	int64_t since; /* seconds since 1970; what is older is left out */
	const char *code;
	/* A name in which * stands for anything, dots too; everything else for itself, in either case. */
	const char *host;
	size_t limit; /* rows, 1 to REFUSALS_STRETCH */
};

/*
 * A moment, by which ids of refusals were given out up to `id` to transactions older than `xid`. Ids
 * are given out before the row is seen, so a row may come to be seen after one with a higher id: once
 * every transaction older than `xid` has ended, no row up to `id` will appear any more.
 */
struct refusal_horizon {
	int64_t id, xid;
};

struct refusal_page {
	struct refusal *items; /* in the order they were asked for */
	size_t n;
	int64_t next; /* go on from here */
	bool more; /* there is something to go on to */
	struct refusal_horizon horizon; /* of this reading, taken before the rows */
	int64_t oldest_xid; /* every transaction older than this has ended before the rows were read */
};
void refusal_page_free(struct refusal_page *page); /* for AUTO */

/*
 * One stretch of refusals. Looks at REFUSALS_STRETCH of them at most, so a page may have no row and
 * `more` all the same; takes as long with a million rows as with a few. `page` is overwritten.
 * ERR_BUSY as db_run().
 */
CHECKED enum err refusals_read(
	struct db *db, const struct refusal_query *query, struct refusal_page *page);
