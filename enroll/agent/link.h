/* link.h - does this tunnel end where it says? What a relying party checks (PROTOCOL.md, "Linking a
 * tunnel endpoint"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/agent/anchor.h"

#define LINK_NONCE_MIN 16 /* bytes */
#define LINK_NONCE_MAX 32

/* All of it is borrowed. */
struct link_question {
	const char *name; /* that was dialled, as hostname_check() wants it */
	X509 *endpoint; /* what the endpoint showed, its key proven by TLS or known otherwise */
	X509 *ak, *property; /* AK certificate, platform-property certificate */
	STACK_OF(X509) *intermediates; /* may be NULL */
	const struct anchors *anchors;
	struct view nonce; /* that this relying party chose for this question alone */
	struct view attest, signature; /* TPMS_ATTEST, TPMT_SIGNATURE */
	struct view log; /* text */
	unsigned pcr; /* that the log is to be about: the relying party's to say, not the host's */
};

/* In the order in which they are looked at. */
enum link_part {
	LINK_ENDPOINT, /* its certificate: in time, for a TLS server, by itself or by the CA */
	LINK_AK, /* its certificate: by the CA, for an AK and nothing else */
	LINK_PROPERTY, /* the same of the platform-property certificate */
	LINK_SAME_AK, /* both certify one key */
	LINK_NAME, /* dialled, in the endpoint's and in the platform-property certificate: one */
	LINK_LOG, /* can be read, and is about the PCR that is wanted */
	LINK_QUOTE, /* by that AK, fresh, over the log */
	LINK_KEY, /* the endpoint's is in the log, and not taken back */
	LINK_PARTS,
};
const char *link_part_text(enum link_part part); /* "same-ak"; stable */

/*
 * OK when every part holds; `*broken` is then LINK_PARTS. Otherwise `*broken` is the first that
 * does not, and why() says why: ERR_REJECTED or ERR_DENIED with the reason of enroll/tpm or
 * "link-...". ERR_INTERNAL for what went wrong here.
 */
CHECKED enum err link_judge(const struct link_question *question, enum link_part *broken);

/*
 * Is the certificate for what the part wants, LINK_AK or LINK_PROPERTY, and for nothing else, by
 * its extended key usage?
 */
bool link_part_takes(enum link_part part, X509 *certificate);

/*
 * Reads 16 to 32 bytes in hexadecimal; ERR_MALFORMED "usage" otherwise. `out` is made here, for
 * buf_free().
 */
CHECKED enum err link_nonce_read(const char *text, struct buf *out);
