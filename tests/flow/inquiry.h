/* inquiry.h - who relies on a certificate, and asks by OCSP what became of it. */
#pragma once

#include "ca/base/cert.h"
#include "tests/flow/world.h"

#include <pthread.h>

#define PROMISED_MS 2000 /* within which a revocation is heard of */

/* A certificate of a device of its own. */
struct leaf {
	char *pem; /* its file */
	char serial[CERT_SERIAL_SIZE];
	struct buf der;
};
/* Enrolls at the first service, whose policy is world_any_name. */
void leaf_make(struct world *world, struct leaf *out);
void leaf_free(struct leaf *leaf); /* for AUTO */
/* By the records alone: what has to follow, follows whoever revokes. */
void leaf_revoke(struct world *world, const struct leaf *leaf, const char *reason);
void leaf_release(struct world *world, const struct leaf *leaf);

/* `openssl ocsp` at one of the services with what every question has; `more` ends with NULL. */
void inquire_by_openssl(
	struct world *world, size_t service, const char *const *more, struct output *output);
#define MORE(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Appends a request as openssl makes it, without a nonce, for the certificate of one file or of two. */
void inquiry_make(struct world *world, const char *first, const char *second, struct buf *out);
/* Sends it to the first service; by GET with what clients percent-encode, or without. */
void inquire_get(
	struct world *world, struct view request, bool encodes, struct httpc_answer *answer);
void inquire_post(struct world *world, struct view request, struct httpc_answer *answer);

/* One that asks again and again, on a connection of its own. */
struct inquirer {
	pthread_t thread;
	const struct httpc_peer *peer;
	struct view request;
	const int64_t *revoked_at; /* by now_ms(), atomically; 0: not yet */
	int64_t until;
	unsigned good, revoked, late, back; /* good too late, and after it was revoked */
	bool is_broken;
};
/* Its thread; `of_inquirer` is a struct inquirer *; returns NULL. */
void *inquire_on(void *of_inquirer);
