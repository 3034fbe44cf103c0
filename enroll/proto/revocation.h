/* revocation.h - the bodies of the admin API's part on what is taken back (PROTOCOL.md, "Revocation"). */
#pragma once

#include "enroll/proto/admin.h"

#define LIMIT_CRL_REASON 32 /* "keyCompromise" */
#define LIMIT_SERIAL 40 /* hexadecimal digits */
#define LIMIT_ISSUER 64 /* hexadecimal digits */
#define REVOCATION_TOLD 100 /* certificates of one answer, and names */

/*
 * What is to be revoked, held or given back: {id | host | ek_digest | serial | issuer, reason, why}.
 * Exactly one of the first five; which ones a route takes, and whether it takes a reason, the route
 * says. "" is left out.
 */
struct revocation_request {
	char id[LIMIT_DEVICE_ID + 1]; /* of a device */
	char host[LIMIT_HOST + 1];
	char ek_digest[2 * SHA256_SIZE + 1];
	char serial[LIMIT_SERIAL + 1]; /* of a certificate; of an OpenSSH one 16 digits */
	char issuer[LIMIT_ISSUER + 1]; /* SHA-256 of the CA's key, or its first 16 digits or more */
	char reason[LIMIT_CRL_REASON + 1]; /* RFC 5280 5.3.1 */
	char why[LIMIT_WHY + 1];
};
CHECKED enum err revocation_request_parse(struct view json, struct revocation_request *out);
CHECKED enum err revocation_request_encode(
	const struct revocation_request *request, struct buf *json);

/* A certificate that was reached. */
struct revoked_certificate {
	char kind[16]; /* "x509", "ssh-host", "ssh-user" */
	char template[LIMIT_TEMPLATE_NAME + 1], serial[LIMIT_SERIAL + 1], host[LIMIT_HOST + 1];
	int64_t not_after; /* seconds since 1970 */
};

/* What was reached. Texts are "" where there is none, and left out. */
struct revocation_answer {
	char state[16]; /* "revoked", "held", "active", "retired" */
	char device_id[LIMIT_DEVICE_ID + 1], host[LIMIT_HOST + 1], serial[LIMIT_SERIAL + 1];
	char issuer[LIMIT_ISSUER + 1], reason[LIMIT_CRL_REASON + 1];
	int64_t at; /* when, seconds since 1970 */
	int64_t x509, ssh_host, ssh_user; /* certificates */
	int64_t unlisted; /* of x509: that name no CRL, so that only OCSP tells */
	int64_t crls; /* that are to be made anew */
	int64_t crls_until; /* nobody keeps a CRL of before for longer; 0: there was none */
	int64_t names; /* that are free now */
	int64_t devices; /* whose certificates were reached, by a name */
	int64_t eks, aks; /* of the device */
	int64_t registered; /* of these EKs, those on the allow-list */
	char registered_host[LIMIT_HOST + 1]; /* that one of them is registered for */
	int64_t attempts; /* that are gone */
	int64_t remaining; /* of a CA: certificates that are still to be reached, in the background */
	struct buf name; /* the first of the names, one a line */
	struct revoked_certificate *certificates; /* the first REVOCATION_TOLD */
	size_t certificates_n;
};
/* An empty one with room for `n` certificates. */
CHECKED enum err revocation_answer_init(struct revocation_answer *answer, size_t n);
void revocation_answer_free(struct revocation_answer *answer); /* for AUTO; accepts zeroes */
CHECKED enum err revocation_answer_encode(const struct revocation_answer *answer, struct buf *json);
/* `out` is overwritten, and for revocation_answer_free() also after a failure. */
CHECKED enum err revocation_answer_parse(struct view json, struct revocation_answer *out);

/* A CA that signed what is recorded. */
struct revocation_issuer {
	char id[LIMIT_ISSUER + 1];
	char kind[16]; /* "x509", "ssh-host", "ssh-user" */
	int64_t first_at, not_after; /* not_after 0: never */
	int64_t revoked_at; /* 0: it is not */
	char reason[LIMIT_CRL_REASON + 1], revoked_by[LIMIT_WHY + 1], why[LIMIT_WHY + 1];
	int64_t remaining; /* of a revoked one: certificates that are not revoked yet */
};

#define REVOCATION_ISSUERS 64

/* GET /v1/admin/revocation?device=ID (or host, or serial; none: all): what is still to be published. */
struct revocation_status {
	int64_t crls, crls_behind; /* behind: what they tell of has changed */
	int64_t crls_oldest; /* of those: when the oldest was made; 0: none, or never */
	int64_t crls_until; /* the latest nextUpdate; 0: there is none */
	bool krl_behind;
	int64_t krl_at; /* 0: never */
	struct revocation_issuer issuers[REVOCATION_ISSUERS];
	size_t issuers_n;
};
CHECKED enum err revocation_status_encode(const struct revocation_status *status, struct buf *json);
CHECKED enum err revocation_status_parse(struct view json, struct revocation_status *out);
