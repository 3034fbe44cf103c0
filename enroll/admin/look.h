/* look.h - how the commands that look for things are told what, and how they go from page to page. */
#pragma once

#include "enroll/admin/attempts_print.h"
#include "enroll/admin/client.h"
#include "enroll/proto/record.h"

#define LOOK_MAX 100000 /* rows that one command prints, at most */

/* What was asked for. */
struct look {
	struct admin_server server;
	struct buf path; /* of the request, with its query */
	enum print_form form;
	size_t limit; /* rows that are wanted */
	const char *after; /* what to go on from; NULL: from the beginning */
	const char *out, *format; /* of commands that write files */
	bool with_chain, as_der;
};
#define LOOK ((struct look){.server = ADMIN_SERVER, .path = BUF(8192), .limit = 50})
void look_free(struct look *look); /* for AUTO */

/*
 * Reads the options whose letters are in `allowed` into `look`, which is for look_free(); those that
 * pick rows go into the query of `path`. An exit code, or -1 to go on with `optind`.
 */
int look_options(int argc, char **argv, const char *usage, const char *path, const char *allowed,
	struct look *look);

/* One option each for usages. */
#define LOOK_PAGE_USAGE                                                                            \
	"  --limit N          at most so many (default: 50)\n"                                     \
	"  --after CURSOR     go on where an answer ended, with the same options else\n"           \
	"  --json             one JSON object a line\n"

/* Called for each record, in their order. */
typedef enum err look_take(void *ctx, const struct record *record);

/*
 * Fetches page after page and hands over at most look->limit records. `next` gets what to go on from, "" at the
 * end. Errors of admin_get(), of record_list_parse() and of `take`.
 */
CHECKED enum err look_through(const struct look *look, const struct record_shape *shape,
	look_take *take, void *ctx, char next[static LIMIT_CURSOR + 1], struct problem *problem);

/* One record, as JSON in a line. ERR_INTERNAL "output". */
CHECKED enum err look_print_json(const struct record *record);

/* The same, printed: as JSON a line each, or by `print`; and how to go on. Returns the exit code. */
int look_list(const struct look *look, const struct record_shape *shape,
	enum err (*print)(void *ctx, const struct record *record), void *ctx, const char *nothing);

/* Asks for one thing. `*out` is the caller's, for record_free(). */
CHECKED enum err look_at(const struct look *look, const struct record_shape *shape,
	struct record **out, struct problem *problem);
