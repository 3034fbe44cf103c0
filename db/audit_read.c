#include "db/audit_read.h"

#include "ca/base/clock.h"

#include "db/connection.h"
#include "db/cursor.h"
#include "db/found_rows.h"
#include "db/pattern.h"

#include <string.h>

/* How far ids may be off the clocks that wrote `at`; see CLOCK_SKEW. */
#define ASTRAY " interval '5 minutes'"

/* $3 to $12: what is asked for; $13: the id to go on from;
 * $14: the host, of its own index. */
#define PASSES                                                                                     \
	" WHERE ($3::text IS NULL OR lower(a.host) LIKE $3::text ESCAPE '\\')"                     \
	" AND ($4::text IS NULL OR a.event LIKE $4::text ESCAPE '\\')"                             \
	" AND ($5::text IS NULL OR a.code = $5::text)"                                             \
	" AND ($6::text IS NULL OR a.who = $6::text)"                                              \
	" AND ($7::text IS NULL OR a.request_id = $7::text)"                                       \
	" AND ($8::uuid IS NULL OR a.device_id = $8::uuid)"                                        \
	" AND ($9::bytea IS NULL OR a.ek_digest = $9::bytea)"                                      \
	" AND ($10::bytea IS NULL OR $10::bytea = ANY (a.serials))"                                \
	" AND a.at >= to_timestamp($11::bigint) AND a.at < to_timestamp($12::bigint)"
#define SHOWN                                                                                      \
	"a.id, " SECONDS("a.at") " AS at, a.event, " PLAIN_UUID(                                   \
		"a.device_id") " AS device_id,"                                                    \
			       " encode(a.ek_digest, 'hex') AS ek_digest, a.host, a.code, "        \
			       "a.detail,"                                                         \
			       " (SELECT json_agg(encode(serial, 'hex')) FROM unnest(a.serials) "  \
			       "AS serial) AS serials,"                                            \
			       " a.who, a.client_address, a.request_id, a.trust_version, "         \
			       "a.policy_version"
/* By its key, whatever the planner would rather scan. */
#define FROM                                                                                       \
	"stretch CROSS JOIN LATERAL (SELECT * FROM audit WHERE audit.id = stretch.id LIMIT 1) AS " \
	"a" PASSES
#define BY_ID(of_index)                                                                            \
	FOUND_LIST("SELECT id FROM audit WHERE " of_index " id < least($13::bigint,"               \
		   "  audit_id_at(to_timestamp($12::bigint) + " ASTRAY "))"                        \
		   " AND id >= audit_id_at(to_timestamp($11::bigint) - " ASTRAY ")"                \
		   " ORDER BY id DESC LIMIT $1::bigint",                                           \
		"id", "'i' || stretch.id", SHOWN, FROM, "stretch.id DESC")

static const struct statement find_newest = {"audit_newest", BY_ID("")};
static const struct statement find_of_device = {
	"audit_of_device", BY_ID("device_id = $8::uuid AND")};
static const struct statement find_of_host = {
	"audit_of_host", BY_ID("lower(host) COLLATE \"C\" = $14::text AND")};
static const struct statement find_acts_of = {
	"audit_acts_of", BY_ID("who COLLATE \"C\" = $6::text AND")};
static const struct statement find_acts = {"audit_acts", BY_ID("who IS NOT NULL AND")};
/* Whose certificate it is, is one look away. */
static const struct statement find_of_serial = {"audit_of_serial",
	BY_ID("device_id = (SELECT c.device_id FROM certificate AS c WHERE c.serial = $10::bytea)"
	      " AND")};
const struct statement *const audit_read_statements[] = {&find_newest, &find_of_device,
	&find_of_host, &find_acts_of, &find_acts, &find_of_serial, NULL};

static const struct statement *choose(
	const struct audit_query *query, const struct pattern_range *range)
{
	if (query->device_id != NULL)
		return &find_of_device;
	if (query->serial != NULL)
		return &find_of_serial;
	if (query->host != NULL && range->is_exact)
		return &find_of_host;
	if (query->who != NULL)
		return &find_acts_of;
	return query->is_act ? &find_acts : &find_newest;
}

static int64_t stretch_of(const struct audit_query *query, const struct pattern_range *range)
{
	bool is_plain = query->ek_digest == NULL && query->device_id == NULL &&
			query->serial == NULL && (query->host == NULL || range->is_exact) &&
			query->event == NULL && query->code == NULL && query->who == NULL &&
			query->request_id == NULL && query->until >= CLOCK_LAST;

	return is_plain ? (int64_t)query->limit : FOUND_STRETCH;
}

static struct value bytes(const uint8_t *p, size_t n)
{
	return value_bytes((struct view){p, p == NULL ? 0 : n});
}

static void add_find(struct pipeline *trip, const struct audit_query *query,
	const struct pattern_range *range, const char *host, const char *event, int64_t before)
{
	const struct statement *statement = choose(query, range);
	const struct value values[] = {value_int(stretch_of(query, range)),
		value_int((int64_t)query->limit), value_text(query->host == NULL ? NULL : host),
		value_text(query->event == NULL ? NULL : event), value_text(query->code),
		value_prose(query->who), value_prose(query->request_id),
		bytes(query->device_id, DEVICE_ID_SIZE), bytes(query->ek_digest, DIGEST_SIZE),
		bytes(query->serial, query->serial_n), value_int(query->since),
		value_int(query->until), value_int(before), value_text(range->from)};

	step_add(trip, statement, values, statement == &find_of_host ? 14 : 13);
}

enum err audit_find(struct db *db, const struct audit_query *query, struct found *out)
{
	AUTO(buf_free) struct buf host = BUF(1024), event = BUF(1024);
	struct found_page page = {out, query->limit, 0};
	struct cursor cursor = {.number = INT64_MAX};
	struct pattern_range range = {.is_exact = false};
	struct pipeline trip = {.n = 0};

	*out = (struct found){0};
	if (query->host != NULL) {
		TRY(pattern_add(&host, query->host));
		pattern_range(query->host, &range);
	}
	if (query->event != NULL)
		TRY(pattern_add(&event, query->event));
	TRY(cursor_read(query->after, CURSOR_ID, &cursor));
	page.stretch = stretch_of(query, &range);
	add_find(&trip, query, &range, buf_text(&host), buf_text(&event), cursor.number);
	step_take(&trip, found_take_page, &page);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
