#include "db/krl.h"

#include "db/connection.h"
#include "db/pool_connection.h"

#include <stdlib.h>

#define BYTES_MAX ((size_t)64 << 20) /* of one field */

static const struct statement ask_krl = {"ask_krl",
	"SELECT changed <> published OR this_update IS NULL OR this_update <= "
	"to_timestamp($1::bigint)"
	" FROM krl"};

/* In front of what follows, each of which sees what was committed before it: so a change that is
 * counted here is in the list, and one that is not may be. */
static const struct statement read_krl = {"read_krl", "SELECT changed, number FROM krl"};

/* By certificate_krl, before anything is joined or put in order that would be had from another index. */
#define LISTED                                                                                     \
	" FROM certificate WHERE kind <> 'x509' AND revoked_at IS NOT NULL"                        \
	" AND not_after > to_timestamp($1::bigint) AND octet_length(serial) = 8"

static const struct statement read_krl_serials = {"read_krl_serials",
	"SELECT ca.certificate, string_agg(listed.serial, ''::bytea ORDER BY listed.serial)"
	" FROM (SELECT issuer, serial" LISTED " OFFSET 0) AS listed"
	" CROSS JOIN LATERAL (SELECT certificate FROM issuer WHERE issuer_id = listed.issuer"
	"  AND revoked_at IS NULL LIMIT 1) AS ca"
	" GROUP BY listed.issuer, ca.certificate ORDER BY listed.issuer"};

/* Of the time before issuers were recorded: who signed stands in the certificate. */
static const struct statement read_krl_nameless = {"read_krl_nameless",
	"SELECT der, serial FROM (SELECT der, serial" LISTED
	" AND (SELECT issuer_id FROM issuer WHERE issuer_id = certificate.issuer) IS NULL"
	" OFFSET 0) AS listed ORDER BY serial"};

static const struct statement read_krl_issuers = {"read_krl_issuers",
	"SELECT certificate FROM issuer WHERE kind <> 'x509' AND revoked_at IS NOT NULL"
	" ORDER BY issuer_id"};

static const struct statement read_krl_devices = {"read_krl_devices",
	"SELECT string_agg(uuid_send(device_id), ''::bytea ORDER BY device_id) FROM"
	" (SELECT device_id FROM device WHERE state <> 'active' AND state = 'revoked'"
	"  AND (SELECT true FROM certificate WHERE certificate.device_id = device.device_id"
	"   AND kind <> 'x509' AND not_after > to_timestamp($1::bigint) LIMIT 1)"
	"  ORDER BY barred_at DESC NULLS LAST, device_id LIMIT $2::bigint) AS last"};

static const struct statement publish_krl = {"publish_krl",
	"WITH made AS (UPDATE krl SET published = $1::bigint, number = $3::bigint,"
	"  this_update = to_timestamp($4::bigint), bytes = $5::bytea, signature = $6::bytea"
	"  WHERE number = $2::bigint RETURNING number)"
	" SELECT count(*) FROM made"};

static const struct statement fetch_krl = {
	"fetch_krl", "SELECT bytes, signature FROM krl WHERE bytes IS NOT NULL"};

static const struct statement fetch_krl_signature = {
	"fetch_krl_signature", "SELECT ''::bytea, signature FROM krl WHERE bytes IS NOT NULL"};

const struct statement *const krl_statements[] = {&ask_krl, &read_krl, &read_krl_serials,
	&read_krl_nameless, &read_krl_issuers, &read_krl_devices, &publish_krl, &fetch_krl,
	&fetch_krl_signature, NULL};

static void list_free(struct krl_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		buf_free(&list->entries[i].blob);
		buf_free(&list->entries[i].serials);
	}
	free(list->entries);
	*list = (struct krl_list){NULL, 0};
}

void krl_facts_free(struct krl_facts *facts)
{
	list_free(&facts->issuers);
	list_free(&facts->nameless);
	list_free(&facts->revoked);
	buf_free(&facts->devices);
}

static enum err run(struct db *db, const struct pipeline *trip, enum when_lost when_lost)
{
	enum err err = db_run(db, trip, when_lost);

	standing_note(db_standing(db), err);
	return err;
}

static enum err take_is_due(const PGresult *rows, void *into)
{
	*(bool *)into = PQntuples(rows) == 1 && row_bool(rows, 0, 0);
	return OK;
}

enum err krl_is_due(struct db *db, int64_t before, bool *is_due)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &ask_krl, value_int(before));
	step_take(&trip, take_is_due, is_due);
	return run(db, &trip, LOST_REPEAT_ONCE);
}

static enum err take_state(const PGresult *rows, void *into)
{
	struct krl_facts *facts = into;

	if (PQntuples(rows) != 1)
		return fail(ERR_INTERNAL, "database-error", "%d rows in the table krl",
			PQntuples(rows));
	facts->changed = row_int(rows, 0, 0);
	facts->number = row_int(rows, 0, 1);
	return OK;
}

static enum err take_list(const PGresult *rows, void *into)
{
	struct krl_list *list = into;
	int n = PQntuples(rows);

	list_free(list); /* a trip that is repeated hands over once, and this costs nothing */
	if (n == 0)
		return OK;
	if ((list->entries = calloc((size_t)n, sizeof(*list->entries))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a KRL");
	list->n = (size_t)n;
	for (int i = 0; i < n; i++) {
		struct krl_entry *entry = &list->entries[i];

		entry->blob = entry->serials = BUF(BYTES_MAX);
		buf_add(&entry->blob, row_bytes(rows, i, 0));
		if (PQnfields(rows) > 1)
			buf_add(&entry->serials, row_bytes(rows, i, 1));
		TRY(buf_ok(&entry->blob));
		TRY(buf_ok(&entry->serials));
	}
	return OK;
}

static enum err take_devices(const PGresult *rows, void *into)
{
	struct buf *devices = into;

	if (PQntuples(rows) == 1)
		buf_add(devices, row_bytes(rows, 0, 0));
	return buf_ok(devices);
}

enum err krl_read(struct db *db, int64_t ended, struct krl_facts *out)
{
	struct pipeline trip = {.n = 0};

	*out = (struct krl_facts){.devices = BUF(BYTES_MAX)};
	STEP(&trip, &read_krl);
	step_take(&trip, take_state, out);
	STEP(&trip, &read_krl_serials, value_int(ended));
	step_take(&trip, take_list, &out->issuers);
	STEP(&trip, &read_krl_nameless, value_int(ended));
	step_take(&trip, take_list, &out->nameless);
	STEP(&trip, &read_krl_issuers);
	step_take(&trip, take_list, &out->revoked);
	STEP(&trip, &read_krl_devices, value_int(ended), value_int(KRL_DEVICES_MAX));
	step_take(&trip, take_devices, &out->devices);
	return run(db, &trip, LOST_REPEAT_ONCE);
}

static enum err take_published(const PGresult *rows, void *into)
{
	*(bool *)into = row_int(rows, 0, 0) == 1;
	return OK;
}

enum err krl_publish(struct db *db, const struct krl_made *made, bool *published)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &publish_krl, value_int(made->changed), value_int(made->before),
		value_int(made->number), value_int(made->at), value_bytes(made->bytes),
		value_bytes(made->signature));
	step_take(&trip, take_published, published);
	return run(db, &trip, LOST_REPEAT_ONCE);
}

struct fetched {
	struct buf *bytes, *signature;
};

static enum err take_krl(const PGresult *rows, void *into)
{
	struct fetched *fetched = into;

	if (PQntuples(rows) == 0)
		return OK;
	if (fetched->bytes != NULL) {
		buf_add(fetched->bytes, row_bytes(rows, 0, 0));
		TRY(buf_ok(fetched->bytes));
	}
	if (fetched->signature == NULL)
		return OK;
	buf_add(fetched->signature, row_bytes(rows, 0, 1));
	return buf_ok(fetched->signature);
}

enum err krl_fetch(struct db *db, struct buf *bytes, struct buf *signature)
{
	struct pipeline trip = {.n = 0};
	struct fetched fetched = {bytes, signature};

	STEP(&trip, bytes == NULL ? &fetch_krl_signature : &fetch_krl);
	step_take(&trip, take_krl, &fetched);
	return run(db, &trip, LOST_REPEAT_ONCE);
}
