/* token.h - tokens of programs that administer: their digests, for the tokens are kept nowhere. */
#pragma once

#include "ca/base/crypt.h"
#include "db/operator.h"

struct token_standing {
	bool is_known, is_revoked;
	int64_t expires_at; /* seconds since 1970 */
	char name[65], role[ROLE_SIZE];
};
/* Finds a token by its SHA-256, and notes that it was used where it is good. Errors of db_run(). */
CHECKED enum err token_find(struct db *db, const uint8_t sha256[static SHA256_SIZE], int64_t now,
	struct token_standing *out);

/* A name is for one token, for ever: the audit knows it by that. ERR_CONFLICT "token-exists". */
CHECKED enum err token_create(struct db *db, const uint8_t sha256[static SHA256_SIZE],
	const char *name, const char *role, int64_t expires_at, const struct act *act);

/* From its next request on; one that is revoked stays so, since it was. ERR_NOT_FOUND "token-missing". */
CHECKED enum err token_revoke(struct db *db, const char *name, const struct act *act);

struct token_row {
	char name[65], role[ROLE_SIZE], created_by[513], revoked_by[513];
	int64_t created_at, expires_at, revoked_at, used_at; /* seconds since 1970; 0: not */
};
struct token_page {
	struct token_row *items;
	size_t n;
	bool more;
};
void token_page_free(struct token_page *page); /* for AUTO; accepts zeroes */
/* Those that were created last first. `*page` is overwritten. */
CHECKED enum err token_list(struct db *db, size_t limit, struct token_page *page);
