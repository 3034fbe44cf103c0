/* candidate.h - may this certificate, or this CRL, become part of what the service trusts, and as what? */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/trust/trust.h"

#define CANDIDATE_CERTIFICATE_MAX (16 * 1024) /* bytes */
#define CANDIDATE_CRL_MAX (1024 * 1024)

/* What whoever brings it wants it to be. */
enum candidate_wish {
	CANDIDATE_ANY, /* a self-signed CA is a root, every other one an intermediate */
	CANDIDATE_ROOT, /* an anchor, also when somebody else has signed it */
	CANDIDATE_INTERMEDIATE,
	CANDIDATE_CRL,
};

struct candidate {
	enum trust_role role;
	uint8_t sha256[SHA256_SIZE]; /* of the DER */
	char subject[256]; /* RFC 2253; of a CRL: its issuer */
	char organization[128], common_name[128]; /* of the subject; "" where it has none */
	int64_t until; /* its last second; of a CRL its nextUpdate, CLOCK_LAST when it has none */
};

/*
 * Judges one DER certificate or CRL that fills the bytes whole. Nobody is believed by this: whether
 * a root is to be trusted is the operator's decision. ERR_REJECTED: "ca-unreadable" (OpenSSL cannot
 * read it, or it is larger than these), "ca-role" (not what was wished), "ca-not-a-ca" (RFC 5280 4.2.1.9, 4.2.1.3), "ca-aik" (it
 * certifies attestation keys, EK Credential Profile 3.5.16), "ca-purpose" (its EKU lets it vouch for
 * no EK), "ca-expired", "ca-key" (size or kind of its key), "ca-weak" (somebody signed it with SHA-1
 * or worse), "ca-signature" (its signature by itself is wrong).
 */
CHECKED enum err candidate_judge(
	struct view der, enum candidate_wish wish, int64_t now, struct candidate *out);

/* "root", "intermediate", "crl": by the role, and then NULL. */
extern const char *const candidate_role_words[];
/* ERR_REJECTED "ca-role" for any other word. */
CHECKED enum err candidate_wish_read(const char *word, enum candidate_wish *out);
