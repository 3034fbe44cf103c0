/* enrollment_look.h - what is asked about several enrollments at once, from one snapshot. Not for other folders. */
#pragma once

#include "db/array.h"
#include "db/company.h"
#include "db/enrollment_facts.h"

/* One of those who ask. */
struct enrollment_look {
	const struct enrollment_key *key;
	int64_t now; /* of the enrollment; not asked about here */
	struct enrollment_facts *facts; /* zeroes, before */
};

/* Those who ask together, 1 to COMPANY_MAX, and what their trip borrows. One of zeroes is empty. */
struct enrollment_looks {
	struct enrollment_look of[COMPANY_MAX];
	size_t n;
	struct array arrays[5];
};
void enrollment_looks_free(struct enrollment_looks *looks); /* for AUTO; what they point to stays */

/*
 * Adds to a trip what each enrollment asks: the facts, serials and places as many as he wants, and none twice.
 * What only some need is not among it: labels, certificates. Where nobody has said what a shard is, `crl_base`
 * remains "".
 */
CHECKED enum err enrollment_looks_add(struct pipeline *trip, struct enrollment_looks *looks);
