#include "db/certificates.h"

#include "db/connection.h"
#include "db/cursor.h"
#include "db/found_rows.h"
#include "db/pattern.h"

#include <stdio.h>

/* $3 to $13: what is asked for; the rest is the index's. */
#define PASSES                                                                                     \
	" WHERE ($3::text IS NULL OR c.host LIKE $3::text ESCAPE '\\')"                            \
	" AND ($4::text IS NULL OR c.template = $4::text)"                                         \
	" AND ($5::text IS NULL OR c.kind = $5::text)"                                             \
	" AND ($6::bytea IS NULL OR c.issuer = $6::bytea)"                                         \
	" AND ($7::bigint < 0 OR c.shard = $7::bigint)"                                            \
	" AND CASE $8::text WHEN 'valid' THEN c.revoked_at IS NULL AND c.not_after > now()"        \
	"  WHEN 'expired' THEN c.not_after <= now() WHEN 'revoked' THEN c.revoked_at IS NOT NULL"  \
	"  ELSE true END"                                                                          \
	" AND c.issued_at >= to_timestamp($9::bigint) AND c.issued_at < to_timestamp($10::bigint)" \
	" AND ($11::uuid IS NULL OR c.device_id = $11::uuid)"                                      \
	" AND ($12::bytea IS NULL OR c.serial = $12::bytea)"                                       \
	" AND ($13::bytea IS NULL OR sha256(c.der) = $13::bytea)"

/* Beside macros clang-format moves texts to the right, further each time. */
/* clang-format off */
#define SHOWN \
	"encode(c.serial, 'hex') AS serial, c.kind, c.template, c.template_version," \
	" c.host::text AS host, " PLAIN_UUID("c.device_id") " AS device_id, c.key_kind, " \
	SECONDS("c.issued_at") " AS issued_at, " \
	SECONDS("c.not_before") " AS not_before, " \
	SECONDS("c.not_after") " AS not_after, " \
	SECONDS("c.revoked_at") " AS revoked_at," \
	" c.revocation_reason, encode(c.issuer, 'hex') AS issuer, c.shard"
/* clang-format on */
/* By its key, whatever the planner would rather scan. */
#define FROM                                                                                       \
	"stretch CROSS JOIN LATERAL (SELECT * FROM certificate"                                    \
	" WHERE certificate.serial = stretch.serial LIMIT 1) AS c" PASSES
#define TIME_KEY "'t' || " MICROS("stretch.issued_at") " || '-' || encode(stretch.serial, 'hex')"
#define NEWER "stretch.issued_at DESC, stretch.serial DESC"
#define MARK MOMENT("$14")
#define TIMES                                                                                      \
	" issued_at >= to_timestamp($9::bigint)"                                                   \
	" AND (issued_at, serial) < (" MARK ", $15::bytea)"                                        \
	" ORDER BY issued_at DESC, serial DESC LIMIT $1::bigint"
#define BY_TIME(from)                                                                              \
	FOUND_LIST("SELECT issued_at, serial FROM " from " " TIMES, "issued_at, serial", TIME_KEY, \
		SHOWN, FROM, NEWER)

static const struct statement find_newest = {"certificates_newest", BY_TIME("certificate WHERE")};
static const struct statement find_revoked = {"certificates_revoked",
	BY_TIME("certificate WHERE revoked_at IS NOT NULL AND revocation_reason IS NOT NULL AND")};
static const struct statement find_of_host = {
	"certificates_of_host", BY_TIME("certificate WHERE host = $16::text AND")};

/* A device has few: they are put in order, and the planner is not asked whether all of the newest are fewer. */
static const struct statement find_of_device = {"certificates_of_device",
	BY_TIME("(SELECT issued_at, serial FROM certificate WHERE device_id = $11::uuid OFFSET 0)"
		" AS own WHERE")};

/* A shard has some thousands at most, which stand together in one index. */
static const struct statement find_of_shard = {"certificates_of_shard",
	BY_TIME("(SELECT issued_at, serial FROM certificate WHERE issuer = ANY (ARRAY("
		" SELECT issuer_id::bytea FROM issuer WHERE issuer_id > ''::bytea AND $6::bytea IS "
		"NULL"
		" UNION ALL SELECT $6::bytea WHERE $6::bytea IS NOT NULL))"
		" AND shard = $7::bigint OFFSET 0) AS own WHERE")};

/* Each by one look; not_before is in no index that tells of the rest, so that none is read from end to end. */
static const struct statement find_one = {"certificates_one",
	BY_TIME("(SELECT c.issued_at, c.serial FROM (SELECT $12::bytea AS serial UNION"
		" (SELECT serial FROM certificate WHERE sha256(der) = $13::bytea LIMIT 8)) AS asked"
		" CROSS JOIN LATERAL (SELECT * FROM certificate WHERE certificate.serial = "
		"asked.serial"
		"  AND not_before > '-infinity' LIMIT 1) AS c OFFSET 0)"
		" AS own WHERE")};

/* Names below $16: by name, and of each the oldest first. $17: the name to go on from. */
static const struct statement find_of_hosts = {"certificates_of_hosts",
	FOUND_LIST("SELECT host, issued_at, serial FROM certificate"
		   " WHERE host < $16::text"
		   " AND (host, issued_at, serial) > ($17::text, " MARK ", $15::bytea)"
		   " ORDER BY host, issued_at, serial LIMIT $1::bigint",
		"host DESC, issued_at DESC, serial DESC",
		"'c' || " MICROS("stretch.issued_at") " || '-' || encode(stretch.serial, 'hex')"
						      " || '-' || stretch.host",
		SHOWN, FROM, "stretch.host, stretch.issued_at, stretch.serial")};

#define SHOW(which)                                                                                \
	"SELECT " SHOWN ", encode(sha256(c.der), 'hex') AS sha256,"                                \
	" encode(c.key_sha256, 'hex') AS key_sha256, encode(c.ak_name, 'hex') AS ak_name,"         \
	" c.trust_version, c.policy_version, "                                                     \
	" d.state AS device_state,"                                                                \
	" translate(encode(c.der, 'base64'), E'\\n', '') AS der,"                                  \
	" translate(encode(issuer.certificate, 'base64'), E'\\n', '') AS ca"                       \
	" FROM (SELECT * FROM certificate WHERE " which " LIMIT 1) AS c"                           \
	" LEFT JOIN LATERAL (SELECT certificate FROM issuer WHERE issuer_id = c.issuer LIMIT 1)"   \
	" AS issuer ON true"                                                                       \
	" LEFT JOIN LATERAL (SELECT state FROM device WHERE device.device_id = c.device_id LIMIT " \
	"1)"                                                                                       \
	" AS d ON true"
static const struct statement show_by_serial = {
	"certificate_by_serial", SHOW("serial = $1::bytea")};
static const struct statement show_by_digest = {
	"certificate_by_digest", SHOW("sha256(der) = $1::bytea")};

const struct statement *const certificates_statements[] = {&find_newest, &find_revoked,
	&find_of_host, &find_of_device, &find_of_shard, &find_one, &find_of_hosts, &show_by_serial,
	&show_by_digest, NULL};

static struct value bytes(const uint8_t *p, size_t n)
{
	return value_bytes((struct view){p, p == NULL ? 0 : n});
}

static const char *state_word(enum certificate_state state)
{
	static const char *const words[] = {"", "valid", "expired", "revoked"};

	return words[state];
}

/* "*.example.org" has no part of the index: the newest are looked through. */
static const struct statement *choose(
	const struct certificates_query *query, const struct pattern_range *range)
{
	if (query->serial != NULL || query->sha256 != NULL)
		return &find_one;
	if (query->device_id != NULL)
		return &find_of_device;
	if (query->shard >= 0 && query->host == NULL)
		return &find_of_shard;
	if (query->host != NULL && range->is_exact)
		return &find_of_host;
	if (query->host != NULL && range->from[0] != '\0' && !range->is_reversed)
		return &find_of_hosts;
	return query->state == CERTIFICATE_REVOKED ? &find_revoked : &find_newest;
}

static int64_t stretch_of(const struct certificates_query *query, const struct pattern_range *range)
{
	bool has_no_name = query->host == NULL ||
			   (range->is_whole && !range->is_reversed && range->from[0] != '\0');
	/* Those that are revoked have an index of their own, unless it is that of names. */
	bool is_any = query->state == CERTIFICATE_ANY ||
		      (query->state == CERTIFICATE_REVOKED && query->host == NULL);
	bool is_plain = query->serial == NULL && query->sha256 == NULL && has_no_name &&
			query->device_id == NULL && query->template == NULL &&
			query->kind == NULL && query->issuer == NULL && query->shard < 0 && is_any;

	return is_plain ? (int64_t)query->limit : FOUND_STRETCH;
}

static void add_find(struct pipeline *trip, const struct certificates_query *query,
	const struct statement *statement, const char *pattern, const struct pattern_range *range,
	const struct cursor *cursor)
{
	bool is_by_host = statement == &find_of_hosts;
	const struct value values[] = {value_int(stretch_of(query, range)),
		value_int((int64_t)query->limit), value_text(pattern), value_text(query->template),
		value_text(query->kind), bytes(query->issuer, DIGEST_SIZE), value_int(query->shard),
		value_text(state_word(query->state)), value_int(query->since),
		value_int(query->until), bytes(query->device_id, DEVICE_ID_SIZE),
		bytes(query->serial, query->serial_n), bytes(query->sha256, DIGEST_SIZE),
		value_int(cursor->number), bytes(cursor->key, cursor->key_n),
		value_text(is_by_host ? range->to : range->from), value_text(cursor->name)};

	step_add(trip, statement, values, is_by_host ? 17 : statement == &find_of_host ? 16 : 15);
}

enum err certificates_find(struct db *db, const struct certificates_query *query, struct found *out)
{
	AUTO(buf_free) struct buf pattern = BUF(1024);
	struct found_page page = {out, query->limit, 0};
	struct cursor cursor = {.key_n = 1}; /* below every serial number */
	struct pattern_range range = {.is_exact = false};
	struct pipeline trip = {.n = 0};
	const struct statement *statement;

	*out = (struct found){0};
	if (query->host != NULL) {
		TRY(pattern_add(&pattern, query->host));
		pattern_range(query->host, &range);
	}
	statement = choose(query, &range);
	page.stretch = stretch_of(query, &range);
	if (statement == &find_of_hosts)
		snprintf(cursor.name, sizeof(cursor.name), "%.*s", CURSOR_NAME - 1, range.from);
	else
		cursor.number = query->until * 1000000;
	TRY(cursor_read(query->after, statement == &find_of_hosts ? CURSOR_HOST_TIME : CURSOR_TIME,
		&cursor));
	add_find(&trip, query, statement, query->host == NULL ? NULL : buf_text(&pattern), &range,
		&cursor);
	step_take(&trip, found_take_page, &page);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

enum err certificate_show(
	struct db *db, struct view serial, const uint8_t *sha256, struct found *out)
{
	struct pipeline trip = {.n = 0};

	*out = (struct found){0};
	if (serial.n > 0)
		STEP(&trip, &show_by_serial, value_bytes(serial));
	else
		STEP(&trip, &show_by_digest, bytes(sha256, DIGEST_SIZE));
	step_take(&trip, found_take, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
