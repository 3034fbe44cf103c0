/* freshness.h - how old what relying parties fetch is: CRLs, the KRL, and who signs OCSP answers. */
#pragma once

#include "db/pool.h"

#include <stddef.h>
#include <stdint.h>

#define FRESHNESS_RESPONDERS 32

/* Times are seconds since 1970, and 0 where there is nothing yet. */
struct freshness {
	int64_t crl_shards; /* how many there are */
	int64_t crl_behind; /* of them: something in it changed, and its CRL does not say so yet */
	int64_t crl_overdue; /* past their nextUpdate, and certificates that name them have not ended */
	int64_t crl_oldest; /* the earliest thisUpdate, and nextUpdate, of those that are kept up */
	int64_t crl_first_end;
	int64_t crl_last_end;
	int64_t krl_number, krl_at;
	int64_t krl_behind; /* 1: it changed, and has not been made anew */
	int64_t revision; /* moves with everything that is taken back or released */
	struct {
		uint8_t issuer[32];
		int64_t until; /* of the one that ends last */
	} responders[FRESHNESS_RESPONDERS];
	size_t responders_n;
};

/* Asks once. `out` is overwritten. Errors of db_run(). */
CHECKED enum err freshness_read(struct db *db, struct freshness *out);
