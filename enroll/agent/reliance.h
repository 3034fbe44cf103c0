/* reliance.h - may a relying party believe that a certificate's key is in a TPM? (PROTOCOL.md, "SKAE") */
#pragma once

#include "ca/skae.h"
#include "enroll/agent/anchor.h"
#include "enroll/tpm/skae.h"

/* All of it is borrowed. */
struct reliance_question {
	X509 *certificate;
	enum skae_kind kind;
	STACK_OF(X509) *intermediates; /* may be NULL */
	const struct anchors *anchors;
	int64_t now;
};

/* In the order in which they are looked at. */
enum reliance_part {
	RELIANCE_CERTIFICATE, /* by the CA and in time; a self-signed one: in time */
	RELIANCE_SKAE, /* it carries one, of TPM 2.0 */
	RELIANCE_AK_CERTIFICATE, /* by the CA, for an AK, and no CA's */
	RELIANCE_EVIDENCE, /* said by that AK of the certificate's key, which is a TPM's to stay */
	RELIANCE_PARTS,
};
const char *reliance_part_text(enum reliance_part part); /* "ak-certificate"; stable */

/*
 * The first two parts: whatever the certificate says after them, a CA of the anchors has said, but
 * for a self-signed one. `skae` was made by skae_init(). When a part does not hold, `*broken` is
 * that part and why() says why: ERR_REJECTED, ERR_DENIED, ERR_MALFORMED or ERR_NOT_FOUND.
 * ERR_INTERNAL for what went wrong here.
 */
CHECKED enum err reliance_read(
	const struct reliance_question *question, struct skae *skae, enum reliance_part *broken);

/* The other two, by the AK's certificate. Errors as before. */
CHECKED enum err reliance_judge(const struct reliance_question *question, const struct skae *skae,
	X509 *ak_certificate, enum reliance_part *broken);
