#include "db/pending.h"

#include "ca/base/encode.h"
#include "db/array.h"
#include "db/connection.h"
#include "db/lock.h"
#include "db/purge.h"

#include <stdlib.h>
#include <string.h>

#define CHAIN_BYTES (PENDING_CHAIN * 8192)
/* A ticket opens for minutes; asking costs who asks nothing, and each time leaves a row. */
#define HELD_TICKETS_KEPT INT64_C(3600)

static const char *const state_text[] = {"held", "accepted", "rejected"};

/* Held is what has no `decided_at`: that word keeps the planner from the index over all that is held,
 * which looks better to it than the right one while it is small. */
#define THIS_ONE                                                                                   \
	" WHERE ek_digest = $1::bytea AND coalesce(host::text, '') = coalesce($2::text, '')"

static const struct statement insist_unused = {"insist_unused",
	"SELECT insist(NOT EXISTS (SELECT FROM ticket WHERE ticket_digest = $1::bytea),"
	" 'the ticket enrolled')"};

/* One at a time (lock.h), so what is counted is so until the commit. */
static const struct statement hold_attempt = {"hold_attempt",
	"WITH known AS (UPDATE pending SET asked = asked + 1,"
	"  last_at = greatest(last_at, to_timestamp($5::bigint))" THIS_ONE
	"  RETURNING attempt_id),"
	" verdict AS (SELECT CASE"
	"  WHEN EXISTS (SELECT FROM known) THEN 'known'"
	"  WHEN (SELECT count(*) FROM pending WHERE ek_digest = $1::bytea"
	"   AND decided_at IS NULL) >= $14::bigint THEN 'ek'"
	"  WHEN (SELECT count(*) FROM pending WHERE ak_name = $7::bytea"
	"   AND decided_at IS NULL) >= $14::bigint THEN 'ak'"
	"  WHEN $12::text IS NOT NULL AND (SELECT count(*) FROM pending WHERE source = $12::text"
	"   AND decided_at IS NULL) >= $15::bigint THEN 'address'"
	"  WHEN (SELECT count(*) FROM pending WHERE first_at > '-infinity'"
	"   AND state = 'held') >= $13::bigint THEN 'all'"
	"  ELSE 'new' END AS word),"
	" added AS (INSERT INTO pending (attempt_id, ek_digest, host, ek_public, ak_name, code,"
	"   sentence, client_address, source, first_at, last_at)"
	"  SELECT $3::bytea, $1::bytea, $2::text, $6::bytea, $7::bytea, $8::text, $9::text,"
	"   $11::text, $12::text, to_timestamp($5::bigint), to_timestamp($5::bigint)"
	"  FROM verdict WHERE word = 'new' RETURNING attempt_id),"
	" asked AS (SELECT attempt_id FROM known UNION ALL SELECT attempt_id FROM added),"
	" spent AS (INSERT INTO pending_ticket (ticket_digest, attempt_id, at)"
	"  SELECT $4::bytea, attempt_id, to_timestamp($5::bigint) FROM asked"
	"  ON CONFLICT DO NOTHING),"
	" noted AS (INSERT INTO audit (at, event, device_id, ek_digest, host, code, detail,"
	"   client_address, request_id)"
	"  SELECT to_timestamp($5::bigint), 'attempt.held',"
	"   (SELECT device_id FROM ek WHERE ek_digest = $1::bytea), $1::bytea, $2::text, $8::text,"
	"   left('attempt ' || encode(attempt_id, 'hex') || ': ' || $9::text, 512), $11::text,"
	"   $10::text FROM added)"
	" SELECT (SELECT attempt_id FROM asked), word FROM verdict"};

/* What an admin decided on stays as he saw it. */
static const struct statement keep_evidence = {"keep_evidence",
	"UPDATE pending SET ek_public = $3::bytea, ek_certificate = $4::bytea, chain = $5::bytea[],"
	" ak_name = $6::bytea, manufacturer = $7::text, model = $8::text, version = $9::text,"
	" code = $10::text, sentence = $11::text, rule = $12::text, client_address = "
	"$13::text" THIS_ONE " AND decided_at IS NULL"};

#define COLUMNS                                                                                    \
	" attempt_id, state, ek_digest, ak_name, host::text, manufacturer, model, version, code,"  \
	" sentence, rule, client_address, extract(epoch FROM first_at)::bigint,"                   \
	" extract(epoch FROM last_at)::bigint, asked, extract(epoch FROM decided_at)::bigint,"     \
	" decided_by, why"

/* The order of the index; there is no other way in. */
static const struct statement list_attempts = {"list_attempts",
	"SELECT" COLUMNS " FROM pending WHERE last_at > '-infinity'"
	" AND ($1::text IS NULL OR state = $1::text)"
	" ORDER BY last_at DESC LIMIT $2::bigint"};

static const struct statement find_attempt = {"find_attempt",
	"SELECT" COLUMNS
	", ek_public, ek_certificate, cardinality(chain)::bigint, chain[1], chain[2],"
	" chain[3], chain[4], chain[5], chain[6], chain[7], chain[8]"
	" FROM pending WHERE attempt_id = $1::bytea"};

static const struct statement count_attempts = {"count_attempts",
	"WITH waiting AS MATERIALIZED (SELECT source FROM pending"
	"  WHERE first_at > '-infinity' AND state = 'held')"
	" SELECT (SELECT count(*) FROM waiting), count(*), coalesce(source, '') FROM waiting"
	" GROUP BY source ORDER BY count(*) DESC, source LIMIT 1"};

static const struct statement decide_attempt = {"decide_attempt",
	"WITH moved AS (UPDATE pending SET state = $2::text, decided_at = to_timestamp($3::bigint),"
	"  decided_by = $4::text, why = $5::text"
	"  WHERE attempt_id = $1::bytea AND state <> $2::text RETURNING ek_digest, host),"
	" noted AS (INSERT INTO audit (at, event, device_id, ek_digest, host, detail, who,"
	"   client_address, request_id)"
	"  SELECT to_timestamp($3::bigint), 'attempt.' || $2::text,"
	"   (SELECT device_id FROM ek WHERE ek.ek_digest = moved.ek_digest), ek_digest, host,"
	"   left('attempt ' || encode($1::bytea, 'hex') || ': ' || $5::text, 512), $4::text,"
	"   $6::text, $7::text FROM moved)"
	" SELECT EXISTS (SELECT FROM moved),"
	" EXISTS (SELECT FROM pending WHERE attempt_id = $1::bytea)"};

static const struct statement purge_attempts = {"purge_attempts",
	"WITH gone AS (DELETE FROM pending WHERE ctid = ANY (ARRAY"
	" (SELECT ctid FROM pending WHERE state = 'held'"
	"  AND first_at < now() - make_interval(secs => $1::bigint)"
	"  ORDER BY first_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) RETURNING 1)"
	" SELECT count(*) FROM gone"};

static const struct statement purge_held_tickets = {"purge_held_tickets",
	"WITH gone AS (DELETE FROM pending_ticket WHERE ctid = ANY (ARRAY"
	" (SELECT ctid FROM pending_ticket WHERE at < now() - make_interval(secs => $1::bigint)"
	"  ORDER BY at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) RETURNING 1)"
	" SELECT count(*) FROM gone"};

const struct statement *const pending_statements[] = {&insist_unused, &hold_attempt, &keep_evidence,
	&list_attempts, &find_attempt, &count_attempts, &decide_attempt, &purge_attempts,
	&purge_held_tickets, NULL};

static struct value digest(const uint8_t *bytes)
{
	return value_bytes((struct view){bytes, DIGEST_SIZE});
}

/* What hold_attempt answers. */
struct held {
	struct pending_ticket ticket;
	char word[16];
};

static enum err take_held(const PGresult *rows, void *into)
{
	struct held *held = into;

	if (PQntuples(rows) != 1)
		return fail(
			ERR_INTERNAL, "database-error", "%d rows of one attempt", PQntuples(rows));
	row_text(rows, 0, 1, held->word, sizeof(held->word));
	held->ticket.is_new = strcmp(held->word, "new") == 0;
	if (!held->ticket.is_new && strcmp(held->word, "known") != 0)
		return OK;
	return row_copy(rows, 0, 0, held->ticket.attempt_id, ATTEMPT_ID_SIZE);
}

static enum err judge_limits(const char *word, const struct pending_limits *limits)
{
	const struct {
		const char *word, *what;
		unsigned limit;
	} reached[] = {
		{"ek", "of this EK", limits->per_ek},
		{"ak", "of this AK", limits->per_ek},
		{"address", "from this address", limits->per_address},
		{"all", "in all", limits->attempts},
	};

	for (size_t i = 0; i < COUNT(reached); i++)
		if (strcmp(word, reached[i].word) == 0)
			return refuse(ERR_LIMITED, "pending-limit", "PROTOCOL pending",
				"an admin is to decide on this TPM, and %u attempts %s, the"
				" most that may be, wait already: once some of them are decided, "
				"ask"
				" again",
				reached[i].limit, reached[i].what);
	return OK;
}

static void add_hold(struct pipeline *trip, const struct pending_record *record,
	const struct pending_limits *limits)
{
	STEP(trip, &hold_attempt, digest(record->ek_digest), value_text(record->host),
		value_bytes((struct view){record->attempt_id, ATTEMPT_ID_SIZE}),
		digest(record->ticket_digest), value_int(record->now),
		value_bytes(record->ek_public), value_bytes(record->ak_name),
		value_text(record->code), value_prose(record->sentence),
		value_prose(record->request_id), value_prose(record->client_address),
		value_text(record->source), value_int(limits->attempts), value_int(limits->per_ek),
		value_int(limits->per_address));
}

static void add_evidence(
	struct pipeline *trip, const struct pending_record *record, struct value chain)
{
	STEP(trip, &keep_evidence, digest(record->ek_digest), value_text(record->host),
		value_bytes(record->ek_public), value_bytes(record->ek_certificate), chain,
		value_bytes(record->ak_name), value_prose(record->manufacturer),
		value_prose(record->model), value_prose(record->version), value_text(record->code),
		value_prose(record->sentence), value_prose(record->rule),
		value_prose(record->client_address));
}

enum err pending_hold(struct db *db, const struct pending_record *record,
	const struct pending_limits *limits, struct pending_ticket *out)
{
	AUTO(array_free) struct array chain = {.missing = 0};
	struct pipeline trip = {.n = 0};
	struct value chain_value;
	struct held held = {.word = ""};

	array_begin(&chain, ARRAY_BYTES, record->chain_n, CHAIN_BYTES);
	for (size_t i = 0; i < record->chain_n; i++)
		array_add(&chain, record->chain[i]);
	TRY(array_value(&chain, &chain_value));
	lock_add_hold(&trip, record->ticket_digest);
	STEP(&trip, &insist_unused, digest(record->ticket_digest));
	add_hold(&trip, record, limits);
	step_take(&trip, take_held, &held);
	add_evidence(&trip, record, chain_value);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	TRY(judge_limits(held.word, limits));
	*out = held.ticket;
	return OK;
}

void pending_free(struct pending *pending)
{
	buf_free(&pending->ek_public);
	buf_free(&pending->ek_certificate);
	buf_free(&pending->ak_name);
	for (size_t i = 0; i < PENDING_CHAIN; i++)
		buf_free(&pending->chain[i]);
	pending->chain_n = 0;
}

void pending_page_free(struct pending_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		pending_free(&page->items[i]);
	free(page->items);
	*page = (struct pending_page){0};
}

/* COLUMNS, and what find_attempt has behind them. */
enum {
	ID,
	STATE,
	EK,
	AK,
	HOST,
	MANUFACTURER,
	MODEL,
	VERSION,
	CODE,
	SENTENCE,
	RULE,
	ADDRESS,
	FIRST_AT,
	LAST_AT,
	ASKED,
	DECIDED_AT,
	DECIDED_BY,
	WHY,
	EK_PUBLIC,
	EK_CERTIFICATE,
	CHAIN_N,
	CHAIN,
};

static enum err take_buf(const PGresult *rows, int row, int column, struct buf *out)
{
	struct view bytes = row_bytes(rows, row, column);

	*out = BUF(bytes.n);
	buf_add(out, bytes);
	if (out->failed)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu bytes of an attempt", bytes.n);
	return OK;
}

#define TAKE_TEXT(column, member) row_text(rows, row, column, out->member, sizeof(out->member))

static enum err take_row(const PGresult *rows, int row, struct pending *out)
{
	char state[16];

	row_text(rows, row, STATE, state, sizeof(state));
	for (size_t i = 0; i < COUNT(state_text); i++)
		if (strcmp(state, state_text[i]) == 0)
			out->state = (enum pending_state)i;
	TAKE_TEXT(HOST, host);
	TAKE_TEXT(MANUFACTURER, manufacturer);
	TAKE_TEXT(MODEL, model);
	TAKE_TEXT(VERSION, version);
	TAKE_TEXT(CODE, code);
	TAKE_TEXT(SENTENCE, sentence);
	TAKE_TEXT(RULE, rule);
	TAKE_TEXT(ADDRESS, client_address);
	TAKE_TEXT(DECIDED_BY, decided_by);
	TAKE_TEXT(WHY, why);
	out->first_at = row_int(rows, row, FIRST_AT);
	out->last_at = row_int(rows, row, LAST_AT);
	out->asked = row_int(rows, row, ASKED);
	out->decided_at = row_int(rows, row, DECIDED_AT);
	TRY(row_copy(rows, row, ID, out->attempt_id, ATTEMPT_ID_SIZE));
	TRY(row_copy(rows, row, EK, out->ek_digest, DIGEST_SIZE));
	return take_buf(rows, row, AK, &out->ak_name);
}

struct listing {
	struct pending_page *page;
	size_t limit;
};

static enum err take_list(const PGresult *rows, void *into)
{
	const struct listing *listing = into;
	struct pending_page *page = listing->page;
	size_t n = (size_t)PQntuples(rows);

	page->more = n > listing->limit;
	n = page->more ? listing->limit : n;
	if ((page->items = calloc(n + 1, sizeof(*page->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "pending_list");
	for (page->n = 0; page->n < n; page->n++)
		TRY(take_row(rows, (int)page->n, &page->items[page->n]));
	return OK;
}

enum err pending_list(struct db *db, int state, size_t limit, struct pending_page *page)
{
	struct listing listing = {page, limit};
	struct pipeline trip = {.n = 0};

	*page = (struct pending_page){0};
	STEP(&trip, &list_attempts, value_text(state < 0 ? NULL : state_text[state]),
		value_int((int64_t)limit + 1));
	step_take(&trip, take_list, &listing);
	return db_run(db, &trip, LOST_GIVE_UP);
}

static enum err take_crowd(const PGresult *rows, void *into)
{
	struct pending_crowd *out = into;

	if (PQntuples(rows) != 1)
		return OK;
	out->held = row_int(rows, 0, 0);
	out->of_source = row_int(rows, 0, 1);
	row_text(rows, 0, 2, out->source, sizeof(out->source));
	return OK;
}

enum err pending_crowd(struct db *db, struct pending_crowd *out)
{
	struct pipeline trip = {.n = 0};

	*out = (struct pending_crowd){0};
	step_add(&trip, &count_attempts, NULL, 0);
	step_take(&trip, take_crowd, out);
	return db_run(db, &trip, LOST_GIVE_UP);
}

struct finding {
	struct pending *out;
	bool found;
};

static enum err take_attempt(const PGresult *rows, void *into)
{
	struct finding *finding = into;
	struct pending *out = finding->out;

	finding->found = PQntuples(rows) == 1;
	if (!finding->found)
		return OK;
	TRY(take_row(rows, 0, out));
	TRY(take_buf(rows, 0, EK_PUBLIC, &out->ek_public));
	TRY(take_buf(rows, 0, EK_CERTIFICATE, &out->ek_certificate));
	for (int i = 0; i < PENDING_CHAIN && i < row_int(rows, 0, CHAIN_N); i++) {
		TRY(take_buf(rows, 0, CHAIN + i, &out->chain[i]));
		out->chain_n = (size_t)i + 1;
	}
	return OK;
}

static enum err unknown(const uint8_t attempt_id[static ATTEMPT_ID_SIZE])
{
	char hex[2 * ATTEMPT_ID_SIZE + 1];

	hex_write((struct view){attempt_id, ATTEMPT_ID_SIZE}, hex);
	return refuse(ERR_NOT_FOUND, "attempt-unknown", "PROTOCOL pending",
		"there is no attempt %s: it enrolled, or was too old and went away", hex);
}

enum err pending_find(
	struct db *db, const uint8_t attempt_id[static ATTEMPT_ID_SIZE], struct pending *out)
{
	struct finding finding = {out, false};
	struct pipeline trip = {.n = 0};

	*out = (struct pending){.state = PENDING_HELD};
	STEP(&trip, &find_attempt, value_bytes((struct view){attempt_id, ATTEMPT_ID_SIZE}));
	step_take(&trip, take_attempt, &finding);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	return finding.found ? OK : unknown(attempt_id);
}

struct decided {
	bool is_moved, is_there;
};

static enum err take_decided(const PGresult *rows, void *into)
{
	*(struct decided *)into = (struct decided){row_bool(rows, 0, 0), row_bool(rows, 0, 1)};
	return OK;
}

enum err pending_decide(struct db *db, const uint8_t attempt_id[static ATTEMPT_ID_SIZE],
	enum pending_state state, const struct act *act)
{
	struct decided decided = {.is_moved = false};
	struct pipeline trip = {.n = 0};

	if (state == PENDING_HELD)
		return fail(ERR_INTERNAL, "database-record", "nobody decides to hold an attempt");
	lock_add_rules(&trip);
	STEP(&trip, &decide_attempt, value_bytes((struct view){attempt_id, ATTEMPT_ID_SIZE}),
		value_text(state_text[state]), value_int(act->now), value_prose(act->who),
		value_prose(act->reason), value_prose(act->from), value_prose(act->request_id));
	step_take(&trip, take_decided, &decided);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	if (decided.is_moved)
		return OK;
	if (!decided.is_there)
		return unknown(attempt_id);
	return refuse(ERR_CONFLICT, "attempt-decided", "PROTOCOL pending",
		"this attempt is %s already", state_text[state]);
}

enum err pending_purge(struct db *db, unsigned days)
{
	TRY(purge_run(db, &purge_attempts, (int64_t)days * 86400));
	return purge_run(db, &purge_held_tickets, HELD_TICKETS_KEPT);
}
