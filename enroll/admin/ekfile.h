/* ekfile.h - a file that somebody takes for an EK certificate, and what it is. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

struct ekfile {
	const char *kind; /* "certificate", "private key", ...; never NULL after ekfile_read() */
	/* What a device would send of it: DER, or an NV index as it is; empty for another kind. */
	struct buf content;
	struct buf chain[LIMIT_INTERMEDIATES]; /* of a PEM file, the certificates after the first */
	size_t chain_n;
};
void ekfile_init(struct ekfile *file);
void ekfile_free(struct ekfile *file); /* for AUTO */

/*
 * Reads a file, or standard input for "-": DER, PEM, or raw NV content. `out` is one of ekfile_init().
 * Errors are those of file_read(): whatever can be read has a kind.
 */
CHECKED enum err ekfile_read(const char *path, struct ekfile *out);
/* What to do about a file of this kind; NULL for a certificate. */
const char *ekfile_advice(const struct ekfile *file);
