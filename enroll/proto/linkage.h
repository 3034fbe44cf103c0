/* linkage.h - what a host shows a relying party to link a tunnel's end to its TPM (PROTOCOL.md,
 * "Linking a tunnel endpoint"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#define LINKAGE_MAX (640 * 1024) /* bytes of the JSON text */
#define LINKAGE_LOG (320 * 1024)
#define LINKAGE_CERTIFICATE (8 * 1024)

struct linkage {
	struct buf attest; /* TPMS_ATTEST */
	struct buf signature; /* TPMT_SIGNATURE */
	struct buf log; /* the text of the log of endpoints */
	struct buf ak_certificate; /* DER */
	struct buf platform_property; /* DER, the certificate */
	struct buf intermediates[LIMIT_INTERMEDIATES]; /* DER, of both */
	size_t intermediates_n;
};
void linkage_init(struct linkage *linkage);
void linkage_free(struct linkage *linkage); /* for AUTO */

/* `out` is overwritten, and for linkage_free() also after a failure. Errors as in claim_parse(). */
CHECKED enum err linkage_parse(struct view json, struct linkage *out);
CHECKED enum err linkage_encode(const struct linkage *linkage, struct buf *json);
