/* manifest.h - a factory's list of EKs as CSV: a line that says what its columns are, then one EK a line. */
#pragma once

#include "enroll/proto/allow.h"

#define MANIFEST_MAX (64 * 1024 * 1024) /* bytes of a file */

struct manifest {
	struct allow_request request; /* its entries are those lines that are good */
	size_t *line; /* of each entry */
	size_t bad; /* lines that are none */
	struct buf problems; /* one a line: "FILE:LINE: what is wrong" */
};
void manifest_init(struct manifest *manifest);
void manifest_free(struct manifest *manifest); /* for AUTO */

/*
 * Reads it. Columns: ek_digest, ek_public (TPM2B_PUBLIC in base64 or hexadecimal), serial, host, labels
 * ("name=text;name=text"), in any order, at least one of the first two; fields may be empty. `path` is for
 * messages. What is wrong with a line is a problem; ERR_MALFORMED "manifest" when the first line is no such
 * line, or there are more than ALLOW_MAX, or no EK at all.
 */
CHECKED enum err manifest_read(struct view text, const char *path, struct manifest *out);

/* A public area as people write it: its bytes, hexadecimal, or base64. ERR_MALFORMED "tpm-public". */
CHECKED enum err manifest_public(struct view text, struct buf *out);
/* A digest of either case as it is sent, in lower case. ERR_MALFORMED "ek-digest". */
CHECKED enum err manifest_digest(const char *text, char out[static EK_DIGEST_DIGITS + 1]);
/* Judges an entry and completes its digest from its public area. ERR_MALFORMED "ek-digest", "tpm-public",
 * "host-name"; ERR_REJECTED "ek-template" and others of ek_public_read(). */
CHECKED enum err manifest_judge(struct allow_entry *entry);
