#include "db/trusted.h"

#include "db/connection.h"

const struct statement *const trusted_statements[] = {NULL};

void trusted_rows_free(struct trusted_rows *rows)
{
	(void)rows;
}

enum err trusted_revision(struct db *db, int64_t *revision)
{
	(void)db, (void)revision;
	return fail(ERR_INTERNAL, "not-built", "trusted_revision");
}

enum err trusted_read(struct db *db, struct trusted_rows *rows)
{
	(void)db, (void)rows;
	return fail(ERR_INTERNAL, "not-built", "trusted_read");
}

enum err trusted_import(
	struct db *db, const struct trusted *items, size_t n, const struct act *act, size_t *added)
{
	(void)db, (void)items, (void)n, (void)act, (void)added;
	return fail(ERR_INTERNAL, "not-built", "trusted_import");
}

enum err trusted_remove(
	struct db *db, const uint8_t sha256[static DIGEST_SIZE], const struct act *act)
{
	(void)db, (void)sha256, (void)act;
	return fail(ERR_INTERNAL, "not-built", "trusted_remove");
}
