/* client.h - how endorsectl speaks to the service's admin listener. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/problem.h"

#include <signal.h>
#include <stdbool.h>

/* Where a service is unless it is told otherwise. */
#define ADMIN_URL "http://127.0.0.1:881"
#define ADMIN_TOKEN_FILE "/etc/endorse/admin.token"

struct admin_server {
	const char *url; /* "http://127.0.0.1:881": plain HTTP is taken for 127.0.0.1 only */
	const char *token_file;
	const volatile sig_atomic_t *stop; /* a request ends when this is not 0; NULL: never */
};
#define ADMIN_SERVER ((struct admin_server){ADMIN_URL, ADMIN_TOKEN_FILE, NULL})

/* For the table that getopt_long() takes, before its last row; the ids are ours alone. */
enum admin_option_id { ADMIN_OPTION_URL = 2000, ADMIN_OPTION_TOKEN_FILE };
#define ADMIN_OPTIONS                                                                              \
	{"admin", required_argument, NULL, ADMIN_OPTION_URL},                                      \
	{                                                                                          \
		"token-file", required_argument, NULL, ADMIN_OPTION_TOKEN_FILE                     \
	}
#define ADMIN_USAGE                                                                                \
	"  --admin URL        the service's admin listener (default: " ADMIN_URL ")\n"             \
	"  --token-file FILE  the admin token (default: " ADMIN_TOKEN_FILE ")\n"

/* Takes an option of ADMIN_OPTIONS; false for an id that is none of them. */
bool admin_option(struct admin_server *server, int id, const char *value);

/*
 * POSTs a JSON text and appends the answer's body. A refusal of the service fills `problem` and is
 * ERR_DENIED "refused"; ERR_BUSY "service-failed" when the trouble is the service's own (5xx),
 * "unreachable" when nothing that is Endorse answers; ERR_MALFORMED "admin-url", and the errors of
 * file_read_key() for the token.
 */
CHECKED enum err admin_post(const struct admin_server *server, const char *path, struct view json,
	struct buf *answer, struct problem *problem);

/* The same with GET; `path` has its query with it. */
CHECKED enum err admin_get(const struct admin_server *server, const char *path, struct buf *answer,
	struct problem *problem);
