/* parts.h - the parts of a running service, made from its configuration. */
#pragma once

#include "enroll/daemon/config.h"
#include "enroll/flow/service.h"

struct parts {
	struct trust *trust;
	struct signer *signer;
	struct policy *policy;
	struct ticket_keys *tickets;
	struct db *db;
	struct tally *tally;
	uint8_t edge_secret[32], admin_token[32];
	struct service service; /* what the flow sees of them */
	/* What they were made from, borrowed: the files are looked at again when somebody asks. */
	const char *path;
	const struct config *config;
};

/*
 * Makes every part that it can, and adds what is wrong with each of the others to `problems`, so
 * that an operator sees everything at once. Opens no connection. Free with parts_free(), also after
 * a failure. `path` and `config` must outlive the parts.
 */
CHECKED enum err parts_make(const char *path, const struct config *config,
	struct problems *problems, struct parts *out);
void parts_free(struct parts *parts);
