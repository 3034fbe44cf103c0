/* operator.h - who may administer, by the name in his certificate. */
#pragma once

#include "ca/base/crypt.h"
#include "db/host.h"

#define ROLE_SIZE 16 /* "auditor", "operator", "admin" */

/* What the records say of a certificate that the admin CA signed. */
struct operator_standing {
	bool is_known, is_disabled; /* the operator */
	bool is_revoked; /* the certificate */
	char role[ROLE_SIZE];
};
/* Errors of db_run(). */
CHECKED enum err operator_find(struct db *db, const char *name,
	const uint8_t certificate[static SHA256_SIZE], struct operator_standing *out);

/* Adds an operator, or takes a disabled one back, with this role. ERR_CONFLICT "operator-exists". */
CHECKED enum err operator_add(
	struct db *db, const char *name, const char *role, const struct act *act);

/* From his next request on. ERR_NOT_FOUND "operator-missing". */
CHECKED enum err operator_set_role(
	struct db *db, const char *name, const char *role, const struct act *act);

/*
 * The same; one that is disabled stays so, since he was. `who` is what the records call him;
 * `*tokens` gets how many tokens there are that he created and that are good still.
 */
CHECKED enum err operator_disable(
	struct db *db, const char *name, const char *who, const struct act *act, int64_t *tokens);

/* A certificate is good no more, whoever's; again is nothing new. `name`: whose, for people. */
CHECKED enum err operator_revoke_certificate(struct db *db,
	const uint8_t certificate[static SHA256_SIZE], const char *name, const struct act *act);

struct operator_row {
	char name[65], role[ROLE_SIZE], created_by[513], disabled_by[513];
	int64_t created_at, disabled_at; /* seconds since 1970; 0: not */
};
struct operator_revoked_row {
	uint8_t certificate[SHA256_SIZE];
	char name[513], revoked_by[513], why[513];
	int64_t revoked_at;
};
struct operator_page {
	struct operator_row *items;
	size_t n;
	struct operator_revoked_row *revoked;
	size_t revoked_n;
	bool more; /* there are more of either */
};
void operator_page_free(struct operator_page *page); /* for AUTO; accepts zeroes */
/* By name; the certificates from the latest on; `limit` of either. `*page` is overwritten. */
CHECKED enum err operator_list(struct db *db, size_t limit, struct operator_page *page);
