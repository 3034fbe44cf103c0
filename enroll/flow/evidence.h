/* evidence.h - the keys of a request, judged: what each certificate is for, and what speaks for the
 * key. */
#pragma once

#include "ca/grant.h"
#include "enroll/flow/service.h"
#include "enroll/proto/message.h"
#include "enroll/tpm/certified.h"

struct evidence {
	const struct template *tmpl; /* NULL: there is none of that name, which policy refuses */
	struct buf bits; /* what `key` points into */
	struct grant_key key;
	uint8_t key_sha256[SHA256_SIZE]; /* of the SubjectPublicKeyInfo as we encode it */
	struct certified *certified; /* what the AK said of it; NULL for keys of other classes */
};

struct evidence_list {
	struct evidence item[LIMIT_KEYS]; /* in the order of the request */
	size_t n;
};
void evidence_free(struct evidence_list *list); /* for AUTO */

/*
 * Judges all keys of a request by the class that their templates want: the AK; one that `ak`
 * certified, with certify_qualifying() of `ticket` as qualifying data; or any other, certified or
 * not. Needs no database. `out` is empty, and for evidence_free() also after a failure. ERR_MALFORMED
 * "request-key" (other members than the class wants, or the AK as any key), "request-keys" (a
 * template twice for one key), "spki", "ssh-key"; ERR_REJECTED "key-decrypts"; those of
 * certified_judge(). PROTOCOL.md, "Certified keys".
 */
CHECKED enum err evidence_judge(const struct service *service, const struct ak *ak,
	struct view ticket, const struct request *request, struct evidence_list *out);

/* Does the template make what verifiers take for an AK's certificate (TCG's tcg-kp-AIKCertificate)? */
bool makes_ak_certificates(const struct template *tmpl);
