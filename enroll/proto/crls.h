/* crls.h - which CRLs a service publishes (PROTOCOL.md, "GET /v1/admin/crls"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#include <stdbool.h>

#define CRLS_MAX 1000 /* in one answer */
#define CRL_NAME_SIZE 48 /* "0123456789abcdef-17.crl", with the NUL */
#define CRLS_AFTER_MAX 84 /* 64 digits, "-", and a number */

struct crl_item {
	char name[CRL_NAME_SIZE]; /* the last segment of its URL */
	char issuer[65]; /* the CA's id: SHA-256 of its SubjectPublicKeyInfo, hexadecimal */
	int64_t shard;
	int64_t number; /* 0: nothing was published of it yet, and what follows is 0 too */
	int64_t this_update, next_update; /* seconds since 1970 */
	int64_t bytes;
	bool is_behind; /* something was revoked since */
};

struct crls_answer {
	char next[CRLS_AFTER_MAX +
		  1]; /* what `after` of the next request is; "": these were the last */
	struct crl_item *items; /* by issuer and shard */
	size_t n;
};
/* Makes room for `n`. */
CHECKED enum err crls_answer_init(struct crls_answer *answer, size_t n);
void crls_answer_free(struct crls_answer *answer); /* for AUTO; accepts zeroes */

CHECKED enum err crls_answer_encode(const struct crls_answer *answer, struct buf *json);
/* `out` is overwritten, and for crls_answer_free() also after a failure. */
CHECKED enum err crls_answer_parse(struct view json, struct crls_answer *out);
