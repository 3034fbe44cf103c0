#include "db/audit.h"

#include "db/connection.h"

static const struct statement audit_record = {"audit_record",
	"INSERT INTO audit (at, event, device_id, ek_digest, host, detail, serials, who,"
	" client_address, request_id, trust_version, policy_version)"
	" VALUES (to_timestamp($1::bigint), $2::text,"
	" coalesce($3::uuid, (SELECT device_id FROM ek WHERE ek_digest = $4::bytea)),"
	" $4::bytea, $5::text::prose, $6::text, $7::bytea[], $8::text::prose, $9::text, $10::text,"
	" $11::text, $12::text)"};

const struct statement *const audit_statements[] = {&audit_record, NULL};

void audit_add(struct pipeline *pipeline, const struct audit_row *row)
{
	STEP(pipeline, &audit_record, value_int(row->at), value_text(row->event),
		value_bytes(row->device_id), value_bytes(row->ek_digest), value_prose(row->host),
		value_prose(row->detail), value_text(row->serials), value_prose(row->who),
		value_prose(row->client_address), value_prose(row->request_id),
		value_text(row->trust_version), value_text(row->policy_version));
}
