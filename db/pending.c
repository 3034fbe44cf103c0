#include "db/pending.h"

enum err pending_hold(struct db *db, const struct pending_record *record,
	const struct pending_limits *limits, struct pending_ticket *out)
{
	(void)db, (void)record, (void)limits, (void)out;
	return fail(ERR_INTERNAL, "not-built", "pending_hold");
}

void pending_free(struct pending *pending)
{
	(void)pending;
}

void pending_page_free(struct pending_page *page)
{
	(void)page;
}

enum err pending_list(struct db *db, int state, size_t limit, struct pending_page *page)
{
	(void)db, (void)state, (void)limit, (void)page;
	return fail(ERR_INTERNAL, "not-built", "pending_list");
}

enum err pending_find(
	struct db *db, const uint8_t attempt_id[static ATTEMPT_ID_SIZE], struct pending *out)
{
	(void)db, (void)attempt_id, (void)out;
	return fail(ERR_INTERNAL, "not-built", "pending_find");
}

enum err pending_decide(struct db *db, const uint8_t attempt_id[static ATTEMPT_ID_SIZE],
	enum pending_state state, const struct act *act)
{
	(void)db, (void)attempt_id, (void)state, (void)act;
	return fail(ERR_INTERNAL, "not-built", "pending_decide");
}

enum err pending_purge(struct db *db, unsigned days)
{
	(void)db, (void)days;
	return fail(ERR_INTERNAL, "not-built", "pending_purge");
}
