/* relying.h - what relying parties ask for: requests of OCSP, and paths of CRLs, made before they are sent. */
#pragma once

#include "tests/bench/endorse-bench/options.h"

#define RELYING_MAX 10000 /* questions; more are asked again */

/* Questions that are asked in turn. */
struct relying {
	struct buf questions[RELYING_MAX]; /* a request of OCSP, or a path */
	size_t n;
};

/*
 * Requests about the latest X.509 certificates of `options->database`, or where that is NULL about numbers that
 * nobody has. Their issuer is the first certificate of /ca/chain.pem, which is fetched from the service.
 * ERR_INTERNAL "bench-chain", "bench-database".
 */
CHECKED enum err relying_ocsp(const struct options *options, struct relying *out);
/* Paths of the CRLs that are in the database, or where there is none of the issuer's first shard. */
CHECKED enum err relying_crl(const struct options *options, struct relying *out);

/*
 * Has them asked in turn, as often as the options say. `make` is one of the two above; `work` finds a struct relying in
 * its ctx. ERR_INTERNAL "out-of-memory", and what `make` says.
 */
CHECKED enum err relying_run(struct options *options, struct load_work work,
	enum err (*make)(const struct options *options, struct relying *out), struct figures *out);
