#include "db/token.h"

#include "db/connection.h"

#include <stdlib.h>

/* When it was used is written once a minute, so that a busy program is no load. */
static const struct statement find_token = {"find_token",
	"WITH used AS (UPDATE api_token SET used_at = to_timestamp($2::bigint)"
	"  WHERE token_sha256 = $1::bytea AND revoked_at IS NULL"
	"  AND expires_at > to_timestamp($2::bigint)"
	"  AND (used_at IS NULL OR used_at < to_timestamp($2::bigint) - interval '1 minute'))"
	" SELECT name, role::text, extract(epoch FROM expires_at)::bigint, revoked_at IS NOT NULL"
	" FROM api_token WHERE token_sha256 = $1::bytea"};

static const struct statement create_token = {"create_token",
	"WITH added AS (INSERT INTO api_token"
	"  (token_sha256, name, role, created_at, created_by, expires_at)"
	"  VALUES ($1::bytea, $2::text, $3::text, to_timestamp($5::bigint), $6::text,"
	"   to_timestamp($4::bigint)) ON CONFLICT (name) DO NOTHING RETURNING name),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($5::bigint), 'token.created',"
	"   left(name || ' as ' || $3::text || ': ' || $7::text, 512), $6::text, $8::text, $9::text"
	"  FROM added)"
	" SELECT EXISTS (SELECT FROM added)"};

static const struct statement revoke_token = {"revoke_token",
	"WITH gone AS (UPDATE api_token SET revoked_at = to_timestamp($2::bigint),"
	"  revoked_by = $3::text WHERE name = $1::text AND revoked_at IS NULL RETURNING name),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($2::bigint), 'token.revoked', left(name || ': ' || $4::text, 512),"
	"   $3::text, $5::text, $6::text FROM gone)"
	" SELECT EXISTS (SELECT FROM api_token WHERE name = $1::text)"};

static const struct statement list_tokens = {"list_tokens",
	"SELECT name, role::text, extract(epoch FROM created_at)::bigint, created_by,"
	" extract(epoch FROM expires_at)::bigint,"
	" coalesce(extract(epoch FROM revoked_at)::bigint, 0), revoked_by,"
	" coalesce(extract(epoch FROM used_at)::bigint, 0)"
	" FROM api_token ORDER BY created_at DESC, name LIMIT $1::bigint"};

const struct statement *const token_statements[] = {
	&find_token, &create_token, &revoke_token, &list_tokens, NULL};

static enum err take_standing(const PGresult *rows, void *into)
{
	struct token_standing *out = into;

	if (PQntuples(rows) != 1)
		return OK;
	out->is_known = true;
	row_text(rows, 0, 0, out->name, sizeof(out->name));
	row_text(rows, 0, 1, out->role, sizeof(out->role));
	out->expires_at = row_int(rows, 0, 2);
	out->is_revoked = row_bool(rows, 0, 3);
	return OK;
}

enum err token_find(struct db *db, const uint8_t sha256[static SHA256_SIZE], int64_t now,
	struct token_standing *out)
{
	struct pipeline trip = {.n = 0};

	*out = (struct token_standing){.is_known = false};
	STEP(&trip, &find_token, value_bytes((struct view){sha256, SHA256_SIZE}), value_int(now));
	step_take(&trip, take_standing, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

static enum err take_bool(const PGresult *rows, void *into)
{
	*(bool *)into = row_bool(rows, 0, 0);
	return OK;
}

enum err token_create(struct db *db, const uint8_t sha256[static SHA256_SIZE], const char *name,
	const char *role, int64_t expires_at, const struct act *act)
{
	struct pipeline trip = {.n = 0};
	bool done = false;

	STEP(&trip, &create_token, value_bytes((struct view){sha256, SHA256_SIZE}),
		value_text(name), value_text(role), value_int(expires_at), value_int(act->now),
		value_prose(act->who), value_prose(act->reason), value_prose(act->from),
		value_prose(act->request_id));
	step_take(&trip, take_bool, &done);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	return done ? OK
		    : refuse(ERR_CONFLICT, "token-exists", "PROTOCOL roles",
			      "there is or was a token %s: choose another name, for the audit "
			      "knows "
			      "tokens by theirs",
			      name);
}

enum err token_revoke(struct db *db, const char *name, const struct act *act)
{
	struct pipeline trip = {.n = 0};
	bool is_there = false;

	STEP(&trip, &revoke_token, value_text(name), value_int(act->now), value_prose(act->who),
		value_prose(act->reason), value_prose(act->from), value_prose(act->request_id));
	step_take(&trip, take_bool, &is_there);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	return is_there ? OK
			: refuse(ERR_NOT_FOUND, "token-missing", "PROTOCOL roles",
				  "there is no token %s: endorsectl token list tells which there "
				  "are",
				  name);
}

void token_page_free(struct token_page *page)
{
	free(page->items);
	*page = (struct token_page){0};
}

struct taking {
	struct token_page *page;
	size_t limit;
};

static void take_row(const PGresult *rows, int row, struct token_row *out)
{
	row_text(rows, row, 0, out->name, sizeof(out->name));
	row_text(rows, row, 1, out->role, sizeof(out->role));
	out->created_at = row_int(rows, row, 2);
	row_text(rows, row, 3, out->created_by, sizeof(out->created_by));
	out->expires_at = row_int(rows, row, 4);
	out->revoked_at = row_int(rows, row, 5);
	row_text(rows, row, 6, out->revoked_by, sizeof(out->revoked_by));
	out->used_at = row_int(rows, row, 7);
}

static enum err take_page(const PGresult *rows, void *into)
{
	const struct taking *taking = into;
	struct token_page *page = taking->page;
	size_t n = (size_t)PQntuples(rows);

	page->more = n > taking->limit;
	n = page->more ? taking->limit : n;
	if ((page->items = calloc(n + 1, sizeof(*page->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "token_list");
	for (; page->n < n; page->n++)
		take_row(rows, (int)page->n, &page->items[page->n]);
	return OK;
}

enum err token_list(struct db *db, size_t limit, struct token_page *page)
{
	struct taking taking = {page, limit};
	struct pipeline trip = {.n = 0};

	*page = (struct token_page){0};
	STEP(&trip, &list_tokens, value_int((int64_t)limit + 1));
	step_take(&trip, take_page, &taking);
	return db_run(db, &trip, LOST_GIVE_UP);
}
