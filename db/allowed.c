#include "db/allowed.h"

#include "db/connection.h"

const struct statement *const allowed_statements[] = {NULL};

void allowed_page_free(struct allowed_page *page)
{
	(void)page;
}

enum err allowed_read(struct db *db, const struct allowed_query *query, struct allowed_page *page)
{
	(void)db, (void)query, (void)page;
	return fail(ERR_INTERNAL, "not-built", "allowed_read");
}

enum err allowed_add(struct db *db, const struct allowed *entries, size_t n, const char *source,
	bool skip_bad, bool dry_run, const struct act *act, enum allowed_fate *fate)
{
	(void)db, (void)entries, (void)n, (void)source, (void)skip_bad, (void)dry_run;
	(void)act, (void)fate;
	return fail(ERR_INTERNAL, "not-built", "allowed_add");
}

enum err allowed_remove(
	struct db *db, const uint8_t ek_digest[static DIGEST_SIZE], const struct act *act)
{
	(void)db, (void)ek_digest, (void)act;
	return fail(ERR_INTERNAL, "not-built", "allowed_remove");
}
