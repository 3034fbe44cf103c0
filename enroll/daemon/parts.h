/* parts.h - the parts of a running service, made from its configuration. */
#pragma once

#include "enroll/daemon/config.h"
#include "enroll/flow/service.h"

struct parts {
	struct ticket_keys *tickets;
	struct db *db;
	struct traffic *traffic;
	struct tally *tally;
	struct ocsp *ocsp;
	/* The snapshot that requests work with; it borrows those above it. Whoever takes it over
	 * leaves NULL. */
	struct service *service;
	struct buf skipped; /* certificates of the trust set that were passed over, one a line */
};

/*
 * Makes every part that it can, and adds what is wrong with each of the others to `problems`, so
 * that an operator sees everything at once. Opens no connection. Free with parts_free(), also after
 * a failure. `path` and `config` must outlive the parts.
 */
CHECKED enum err parts_make(const char *path, const struct config *config,
	struct problems *problems, struct parts *out);
void parts_free(struct parts *parts);
