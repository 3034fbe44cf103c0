/* grants.h - what the certificates of one answer are made from: a grant for each key of a request. */
#pragma once

#include "db/enrollment_facts.h"
#include "enroll/flow/evidence.h"
#include "enroll/flow/judgement.h"
#include "enroll/flow/publication.h"

#define AK_LOCATION_SIZE 512 /* bytes, with the NUL */

/* One key, and the certificate for it. */
struct granted {
	const struct evidence *evidence; /* borrowed */
	struct grant grant;
	struct grant_evidence statement; /* what grant.evidence points to */
	uint8_t digest[SHA256_SIZE]; /* of the grant */
	/* Recorded for this very grant; NULL: a new one is due. */
	const struct stored_certificate *stored;
	struct issued issued; /* the new one */
	int64_t shard; /* of the new one; NO_SHARD: an OpenSSH certificate */
	char crl[PUBLICATION_URL_SIZE]; /* what grant.publication points to */
};

/* Grants point into it: it stays where it is. */
struct grants {
	struct granted item[LIMIT_KEYS]; /* in the order of the request */
	size_t n;
	struct grant_label labels[ENROLLMENT_LABELS];
	char ak_location[AK_LOCATION_SIZE]; /* "": no certificate names one */
	char ocsp[PUBLICATION_URL_SIZE], issuer[PUBLICATION_URL_SIZE];
};
void grants_free(struct grants *grants); /* for AUTO */

/* From what; all of it is borrowed, and outlives the grants. */
struct grants_from {
	const struct service *service;
	const struct judgement *judgement;
	const struct enrollment_facts *facts;
	const struct evidence_list *evidence;
	const char *device_id; /* hexadecimal */
};

/*
 * Makes the grants; nothing is signed. ERR_REJECTED "template-needs-ak-certificate": a certificate is
 * to name that of the AK, and there is none, neither asked for with it nor in force. `out` is empty.
 */
CHECKED enum err grants_make(const struct grants_from *from, struct grants *out);

/*
 * Has the signer judge each, for who is only promised certificates: all of them hold or none. Errors of
 * signer_judge().
 */
CHECKED enum err grants_judge(const struct grants_from *from, const struct grants *grants);

/* Finds what is recorded for the very same grants, by the CAs of today. */
void grants_find_recorded(const struct grants_from *from, struct grants *grants);

/*
 * Signs those for which nothing is recorded, AK certificates first, for others may name them; what is
 * recorded is judged as if it were to be signed. Errors of signer_issue() and signer_judge(). What was
 * signed goes nowhere unless it is recorded.
 */
CHECKED enum err grants_sign(const struct grants_from *from, int64_t now, struct grants *grants);

/* How many are new. */
size_t grants_new(const struct grants *grants);
/* The certificate of one, recorded or issued. */
struct view granted_certificate(const struct granted *granted);
