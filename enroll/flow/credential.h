/* credential.h - who asks as an admin, and what he may. */
#pragma once

#include "ca/admin_ca.h"
#include "enroll/flow/service.h"

/* Each may what the one before it may; in the order of enum admission. */
enum role { ROLE_AUDITOR, ROLE_OPERATOR, ROLE_ADMIN };
extern const char *const role_words[]; /* by enum role; ends with NULL */
/* ERR_MALFORMED "role-unknown". */
CHECKED enum err role_read(const char *word, enum role *out);

/* What a request has with it; empty where there is none. Borrowed. */
struct credential {
	struct view certificate; /* DER; TLS has proven that who asks has its key */
	const char *token; /* as it was sent; NULL: none */
	/* It came to the service itself, and through no edge: the token of the service's file is for
	 * that alone. */
	bool is_local;
};

#define WHO_SIZE (OPERATOR_NAME + 16)
enum admitted_by { BY_FILE, BY_CERTIFICATE, BY_TOKEN };
extern const char *const admitted_by_words[]; /* "file", "certificate", "token" */

struct admitted {
	enum role role;
	enum admitted_by by;
	/* What the audit keeps: "admin-token", "operator:alice", "token:ci". */
	char who[WHO_SIZE];
	int64_t until; /* when the credential ends, in seconds since 1970; 0: never */
};

/* How the audit calls somebody; `who` is of BY_CERTIFICATE or BY_TOKEN. */
void who_write(enum admitted_by by, const char *name, char out[static WHO_SIZE]);

/*
 * Judges a credential as of the caller's time. Of the token of the service's file no record is asked,
 * so that it is good while the database is away. ERR_MALFORMED "credential-twice" (a certificate and a
 * token); ERR_UNPROVEN "credential-missing", "token-unknown", "token-expired", "token-revoked";
 * ERR_DENIED "operator-unknown", "operator-disabled", "operator-certificate-revoked", and those of
 * admin_ca_judge(); ERR_BUSY as db_run() and service_clock().
 */
CHECKED enum err credential_judge(const struct service *service, const struct caller *caller,
	const struct credential *credential, struct admitted *out);

/* Has he at least this role? ERR_DENIED "role-insufficient". */
CHECKED enum err admitted_has(const struct admitted *admitted, enum role role);
