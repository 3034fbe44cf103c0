/* publisher.h - CRLs made anew: what has changed, and what is due. */
#pragma once

#include "enroll/flow/service.h"

/* What a round did. */
struct publisher_round {
	unsigned made; /* CRLs that were published */
	bool has_more; /* there was no time for all of them */
};

/*
 * Publishes the CRLs of this snapshot's CAs that something has changed in, then those that are due:
 * at a third of their life. Whatever goes wrong with one, the others are made. It takes about
 * `within_ms` at most. The first error; ERR_BUSY "clock-differs" when our clock is not the
 * database's, those of db_run(), ERR_INTERNAL of signer_crl().
 */
CHECKED enum err publisher_round(
	const struct service *service, unsigned within_ms, struct publisher_round *out);
