/* truststore.h - whom `vendors verify` believes: the bundle, and what the operator names beside it. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/trust/trust.h"

struct truststore {
	struct trust *trust;
	size_t roots, intermediates, crls;
	size_t left_out; /* as an import would */
	const char *
		manufacturers; /* of every root that is judged as an import does; NULL: found out */
	struct buf notes; /* what was passed over, one a line, for people */
};
void truststore_init(struct truststore *store);
void truststore_free(struct truststore *store); /* for AUTO */

/*
 * Loads every path: a tree of vendors (with PATH/VENDOR/vendor.yaml); a directory with roots/, intermediates/ and
 * crls/ in it, as a source of endorsed.yaml; or what `vendors import` takes: a bundle, a file, a directory, each
 * certificate judged as an import judges it. No path: the bundle that was installed.
 * ERR_INTERNAL "trust-empty" when there is no root in all of them, `notes` saying why; and those of trust_load() and gather().
 */
CHECKED enum err truststore_load(
	const char *const *paths, size_t n, int64_t now, struct truststore *out);
