#include "db/operator.h"

#include "db/connection.h"

#include <stdlib.h>

static const struct statement find_operator = {"find_operator",
	"SELECT name IS NOT NULL, disabled_at IS NOT NULL, role::text,"
	" EXISTS (SELECT FROM operator_revoked WHERE certificate_sha256 = $2::bytea)"
	" FROM (SELECT 1) AS one LEFT JOIN operator ON name = $1::text"};

static const struct statement add_operator = {"add_operator",
	"WITH added AS (INSERT INTO operator (name, role, created_at, created_by)"
	"  VALUES ($1::text, $2::text, to_timestamp($3::bigint), $4::text)"
	"  ON CONFLICT (name) DO UPDATE SET role = EXCLUDED.role, disabled_at = NULL,"
	"   disabled_by = NULL WHERE operator.disabled_at IS NOT NULL RETURNING name),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($3::bigint), 'operator.added',"
	"   left(name || ' as ' || $2::text || ': ' || $5::text, 512), $4::text, $6::text, $7::text"
	"  FROM added)"
	" SELECT EXISTS (SELECT FROM added)"};

static const struct statement set_role = {"set_operator_role",
	"WITH was AS (SELECT name, role FROM operator WHERE name = $1::text FOR UPDATE),"
	" changed AS (UPDATE operator SET role = $2::text FROM was WHERE operator.name = was.name"
	"  RETURNING was.name, was.role),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($3::bigint), 'operator.role',"
	"   left(name || ' as ' || $2::text || ', was ' || role || ': ' || $5::text, 512), "
	"$4::text,"
	"   $6::text, $7::text FROM changed)"
	" SELECT EXISTS (SELECT FROM changed)"};

static const struct statement disable_operator = {"disable_operator",
	"WITH gone AS (UPDATE operator SET disabled_at = to_timestamp($2::bigint),"
	"  disabled_by = $3::text WHERE name = $1::text AND disabled_at IS NULL RETURNING name),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($2::bigint), 'operator.disabled', left(name || ': ' || $4::text, "
	"512),"
	"   $3::text, $5::text, $6::text FROM gone)"
	" SELECT EXISTS (SELECT FROM operator WHERE name = $1::text),"
	" (SELECT count(*) FROM api_token WHERE created_by = $7::text AND revoked_at IS NULL"
	"  AND expires_at > to_timestamp($2::bigint))"};

static const struct statement revoke_operator_certificate = {"revoke_operator_certificate",
	"WITH gone AS (INSERT INTO operator_revoked"
	"  (certificate_sha256, name, revoked_at, revoked_by, why)"
	"  VALUES ($1::bytea, $2::text, to_timestamp($3::bigint), $4::text, $5::text)"
	"  ON CONFLICT (certificate_sha256) DO NOTHING RETURNING certificate_sha256)"
	" INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($3::bigint), 'operator.certificate-revoked',"
	"   left($2::text || ' ' || encode(certificate_sha256, 'hex') || ': ' || $5::text, 512),"
	"   $4::text, $6::text, $7::text FROM gone"};

static const struct statement list_operators = {"list_operators",
	"SELECT name, role::text, extract(epoch FROM created_at)::bigint, created_by,"
	" coalesce(extract(epoch FROM disabled_at)::bigint, 0), disabled_by"
	" FROM operator ORDER BY name LIMIT $1::bigint"};

static const struct statement list_revoked = {"list_revoked_operators",
	"SELECT certificate_sha256, name, extract(epoch FROM revoked_at)::bigint, revoked_by, why"
	" FROM operator_revoked ORDER BY revoked_at DESC, certificate_sha256 LIMIT $1::bigint"};

const struct statement *const operator_statements[] = {&find_operator, &add_operator, &set_role,
	&disable_operator, &revoke_operator_certificate, &list_operators, &list_revoked, NULL};

static enum err take_standing(const PGresult *rows, void *into)
{
	struct operator_standing *out = into;

	if (PQntuples(rows) != 1)
		return fail(ERR_INTERNAL, "database-error", "find_operator");
	out->is_known = row_bool(rows, 0, 0);
	out->is_disabled = row_bool(rows, 0, 1);
	row_text(rows, 0, 2, out->role, sizeof(out->role));
	out->is_revoked = row_bool(rows, 0, 3);
	return OK;
}

enum err operator_find(struct db *db, const char *name,
	const uint8_t certificate[static SHA256_SIZE], struct operator_standing *out)
{
	struct pipeline trip = {.n = 0};

	/* What could not be read is nobody's. */
	*out = (struct operator_standing){.is_disabled = true, .is_revoked = true};
	STEP(&trip, &find_operator, value_text(name),
		value_bytes((struct view){certificate, SHA256_SIZE}));
	step_take(&trip, take_standing, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

static enum err take_bool(const PGresult *rows, void *into)
{
	*(bool *)into = row_bool(rows, 0, 0);
	return OK;
}

static enum err change(struct db *db, const struct statement *statement, const char *name,
	const char *role, const struct act *act, bool *done)
{
	struct pipeline trip = {.n = 0};

	*done = false;
	STEP(&trip, statement, value_text(name), value_text(role), value_int(act->now),
		value_prose(act->who), value_prose(act->reason), value_prose(act->from),
		value_prose(act->request_id));
	step_take(&trip, take_bool, done);
	return db_run(db, &trip, LOST_GIVE_UP);
}

enum err operator_add(struct db *db, const char *name, const char *role, const struct act *act)
{
	bool done;

	TRY(change(db, &add_operator, name, role, act, &done));
	return done ? OK
		    : refuse(ERR_CONFLICT, "operator-exists", "PROTOCOL roles",
			      "there is an operator %s already: endorsectl operator role changes "
			      "what "
			      "he may",
			      name);
}

static enum err missing(const char *name)
{
	return refuse(ERR_NOT_FOUND, "operator-missing", "PROTOCOL roles",
		"there is no operator %s: endorsectl operator list tells who there is", name);
}

enum err operator_set_role(struct db *db, const char *name, const char *role, const struct act *act)
{
	bool done;

	TRY(change(db, &set_role, name, role, act, &done));
	return done ? OK : missing(name);
}

struct disabled {
	bool is_there;
	int64_t tokens;
};

static enum err take_disabled(const PGresult *rows, void *into)
{
	*(struct disabled *)into = (struct disabled){row_bool(rows, 0, 0), row_int(rows, 0, 1)};
	return OK;
}

enum err operator_disable(
	struct db *db, const char *name, const char *who, const struct act *act, int64_t *tokens)
{
	struct disabled disabled = {.is_there = false};
	struct pipeline trip = {.n = 0};

	STEP(&trip, &disable_operator, value_text(name), value_int(act->now), value_prose(act->who),
		value_prose(act->reason), value_prose(act->from), value_prose(act->request_id),
		value_text(who));
	step_take(&trip, take_disabled, &disabled);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	*tokens = disabled.tokens;
	return disabled.is_there ? OK : missing(name);
}

enum err operator_revoke_certificate(struct db *db, const uint8_t certificate[static SHA256_SIZE],
	const char *name, const struct act *act)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &revoke_operator_certificate,
		value_bytes((struct view){certificate, SHA256_SIZE}), value_prose(name),
		value_int(act->now), value_prose(act->who), value_prose(act->reason),
		value_prose(act->from), value_prose(act->request_id));
	return db_run(db, &trip, LOST_GIVE_UP);
}

void operator_page_free(struct operator_page *page)
{
	free(page->items);
	free(page->revoked);
	*page = (struct operator_page){0};
}

struct taking {
	struct operator_page *page;
	size_t limit;
};

/* How many of the rows there is room for; the one beyond says that there are more. */
static size_t shown(const struct taking *taking, const PGresult *rows)
{
	size_t n = (size_t)PQntuples(rows);

	if (n <= taking->limit)
		return n;
	taking->page->more = true;
	return taking->limit;
}

static enum err take_operators(const PGresult *rows, void *into)
{
	const struct taking *taking = into;
	struct operator_page *page = taking->page;
	size_t n = shown(taking, rows);

	if ((page->items = calloc(n + 1, sizeof(*page->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "operator_list");
	for (; page->n < n; page->n++) {
		struct operator_row *out = &page->items[page->n];
		int row = (int)page->n;

		row_text(rows, row, 0, out->name, sizeof(out->name));
		row_text(rows, row, 1, out->role, sizeof(out->role));
		out->created_at = row_int(rows, row, 2);
		row_text(rows, row, 3, out->created_by, sizeof(out->created_by));
		out->disabled_at = row_int(rows, row, 4);
		row_text(rows, row, 5, out->disabled_by, sizeof(out->disabled_by));
	}
	return OK;
}

static enum err take_revoked(const PGresult *rows, void *into)
{
	const struct taking *taking = into;
	struct operator_page *page = taking->page;
	size_t n = shown(taking, rows);

	if ((page->revoked = calloc(n + 1, sizeof(*page->revoked))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "operator_list");
	for (; page->revoked_n < n; page->revoked_n++) {
		struct operator_revoked_row *out = &page->revoked[page->revoked_n];
		int row = (int)page->revoked_n;

		TRY(row_copy(rows, row, 0, out->certificate, SHA256_SIZE));
		row_text(rows, row, 1, out->name, sizeof(out->name));
		out->revoked_at = row_int(rows, row, 2);
		row_text(rows, row, 3, out->revoked_by, sizeof(out->revoked_by));
		row_text(rows, row, 4, out->why, sizeof(out->why));
	}
	return OK;
}

enum err operator_list(struct db *db, size_t limit, struct operator_page *page)
{
	struct taking taking = {page, limit};
	struct pipeline trip = {.n = 0};

	*page = (struct operator_page){0};
	STEP(&trip, &list_operators, value_int((int64_t)limit + 1));
	step_take(&trip, take_operators, &taking);
	STEP(&trip, &list_revoked, value_int((int64_t)limit + 1));
	step_take(&trip, take_revoked, &taking);
	return db_run(db, &trip, LOST_GIVE_UP);
}
