/* trusted.h - certificates and CRLs that an operator imported: whom else we believe. */
#pragma once

#include "ca/base/buf.h"
#include "db/host.h"

#define TRUSTED_TEXT 513 /* what is kept of a text, and a NUL */

/* One certificate or CRL; strings and views are borrowed when it is given. */
struct trusted {
	uint8_t sha256[DIGEST_SIZE]; /* over the DER */
	const char *role; /* "root", "intermediate", "crl" */
	struct view der; /* at most 1 MiB for a CRL, 16 KiB otherwise */
	const char *manufacturers; /* "id:49465800,id:53544D20"; "": any */
	const char *source; /* what it was imported from: "TrustedTpm.cab" */
	const char *path; /* where it lay in that; "" */
};

/* One as it is recorded. */
struct trusted_row {
	struct trusted item; /* points into what follows */
	struct buf der;
	char role[16], manufacturers[TRUSTED_TEXT], source[TRUSTED_TEXT], path[TRUSTED_TEXT];
	int64_t imported_at;
	char imported_by[TRUSTED_TEXT], why[TRUSTED_TEXT];
};
struct trusted_rows {
	struct trusted_row *items;
	size_t n;
	int64_t revision; /* of the reading, see trusted_revision() */
};
void trusted_rows_free(struct trusted_rows *rows); /* for AUTO; accepts zeroes */

/* Moves with every change, in the same transaction. ERR_BUSY as db_run(). */
CHECKED enum err trusted_revision(struct db *db, int64_t *revision);
/* All of them, in the order of import, from one snapshot together with its revision. */
CHECKED enum err trusted_read(struct db *db, struct trusted_rows *rows);

/*
 * Adds all of `items` that are not there yet, in one transaction with one audit row for each and the revision
 * raised once; `*added` gets how many were new. An item that is there is left as it is, and when none is new the
 * revision stays. One that is not what its digest says, or too large, keeps all out with ERR_INTERNAL.
 * ERR_TOO_LARGE for more than 256 MiB at once.
 */
CHECKED enum err trusted_import(
	struct db *db, const struct trusted *items, size_t n, const struct act *act, size_t *added);
/* ERR_NOT_FOUND "certificate-unknown". Raises the revision. */
CHECKED enum err trusted_remove(
	struct db *db, const uint8_t sha256[static DIGEST_SIZE], const struct act *act);
