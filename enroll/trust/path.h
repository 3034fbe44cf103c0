/* path.h - the ways up from a certificate to the roots of a trust set. */
#pragma once

#include "enroll/trust/set.h"

#define PATH_ABOVE 4 /* certificates above the first, at most */
#define PATH_CHECKS 8 /* signatures computed in one search, at most */
#define PATH_JUDGED 16 /* paths judged in one search, at most: each computes its signatures again */

struct path_step {
	X509 *cert;
	const struct trust_entry *entry; /* NULL: the first one, or one that was sent */
};

/* From the certificate in question upwards; each has signed the one before it. */
struct path {
	struct path_step step[1 + PATH_ABOVE];
	size_t n;
};

/*
 * Judges a path: OK ends the search; ERR_REJECTED is kept and the search goes on; any other error ends it.
 * `is_whole`: the last one is a root of the set. Otherwise nobody knows who issued the last one, and what is
 * asked is whether that is its only fault.
 */
typedef enum err path_judge(void *ctx, const struct path *path, bool is_whole);

/*
 * Searches for a path that `judge` says OK to: by names (X509_NAME_cmp), by X509_check_issued() with its
 * key identifiers, and by signature; in roots first, then intermediates, then in what was sent. A
 * certificate of the set without an authority key identifier is tried with all of its issuer's name.
 * ERR_REJECTED with the most telling of all refusals; of its own "ek-untrusted", "ek-signature",
 * "ek-chain" (also when a bound above was met).
 */
CHECKED enum err path_search(const struct trust *trust, const STACK_OF(X509) *sent, X509 *first,
	path_judge *judge, void *ctx);
