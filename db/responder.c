#include "db/responder.h"

#include "db/connection.h"

static const struct statement add_responder = {"add_responder",
	"INSERT INTO ocsp_responder (serial, issuer, der, not_before, not_after, made_at)"
	" VALUES ($1::bytea, $2::bytea, $3::bytea, to_timestamp($4::bigint),"
	"  to_timestamp($5::bigint), to_timestamp($6::bigint))"
	" ON CONFLICT (serial) DO NOTHING"};

const struct statement *const responder_statements[] = {&add_responder, NULL};

enum err responder_record(struct db *db, const struct responder_record *record)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &add_responder, value_bytes(record->serial),
		value_bytes((struct view){record->issuer, 32}), value_bytes(record->der),
		value_int(record->not_before), value_int(record->not_after),
		value_int(record->now));
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
