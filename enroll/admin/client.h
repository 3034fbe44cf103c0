/* client.h - how endorsectl speaks to the service's admin listener, or to the edge in front of it. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/problem.h"

#include <signal.h>
#include <stdbool.h>

/* Where a service is unless it is told otherwise. */
#define ADMIN_URL "http://127.0.0.1:881"
#define ADMIN_TOKEN_FILE "/etc/endorse/admin.token"

struct admin_server {
	/* "http://127.0.0.1:881", the listener itself: plain HTTP is taken for 127.0.0.1 only. Or
	 * "https://ca.example.org:8443", an edge. */
	const char *url;
	/* NULL: that of the machine's own service, and for no edge. */
	const char *token_file;
	const char *cert, *key; /* instead of a token: the operator's; key NULL: in the same file */
	const char *ca; /* whom the edge's certificate has to be of; NULL: whom the system trusts */
	const volatile sig_atomic_t *stop; /* a request ends when this is not 0; NULL: never */
};
#define ADMIN_SERVER ((struct admin_server){.url = ADMIN_URL})

/* For the table that getopt_long() takes, before its last row; the ids are ours alone. */
enum admin_option_id {
	ADMIN_OPTION_URL = 2000,
	ADMIN_OPTION_TOKEN_FILE,
	ADMIN_OPTION_CERT,
	ADMIN_OPTION_KEY,
	ADMIN_OPTION_CA,
};
#define ADMIN_OPTIONS                                                                              \
	{"admin", required_argument, NULL, ADMIN_OPTION_URL},                                      \
		{"cert", required_argument, NULL, ADMIN_OPTION_CERT},                              \
		{"key", required_argument, NULL, ADMIN_OPTION_KEY},                                \
		{"ca", required_argument, NULL, ADMIN_OPTION_CA},                                  \
	{                                                                                          \
		"token-file", required_argument, NULL, ADMIN_OPTION_TOKEN_FILE                     \
	}
#define ADMIN_USAGE                                                                                \
	"  --admin URL        the service's admin listener, or its edge for admins by https\n"     \
	"                     (default: " ADMIN_URL ")\n"                                          \
	"  --token-file FILE  a token (default: " ADMIN_TOKEN_FILE ", for no edge)\n"              \
	"  --cert FILE        instead, an operator's certificate, by https only\n"                 \
	"  --key FILE         its key (default: in the same file)\n"                               \
	"  --ca FILE          the CA of the edge (default: those that the system trusts)\n"

/* Takes an option of ADMIN_OPTIONS; false for an id that is none of them. */
bool admin_option(struct admin_server *server, int id, const char *value);

/*
 * POSTs a JSON text and appends the answer's body. A refusal of the service fills `problem` and is
 * ERR_DENIED "refused"; ERR_BUSY "service-failed" when the trouble is the service's own (5xx),
 * "unreachable" when nothing that is Endorse answers; ERR_MALFORMED "admin-url", "admin-credential" (none
 * for an edge, or a certificate for no edge), and the errors of file_read_key() for the token, of
 * file_read_secret() for the key.
 */
CHECKED enum err admin_post(const struct admin_server *server, const char *path, struct view json,
	struct buf *answer, struct problem *problem);

/* The same with GET; `path` has its query with it. */
CHECKED enum err admin_get(const struct admin_server *server, const char *path, struct buf *answer,
	struct problem *problem);
