#include "db/labels.h"

#include "db/connection.h"

/* Nothing is written where nothing changes: the device's revision would move under an enrollment. */
static const struct statement label_device = {"label_device",
	"WITH found AS MATERIALIZED (SELECT device_id, labels AS before, (labels -"
	"  ARRAY (SELECT jsonb_array_elements_text($3::jsonb))) || $2::jsonb AS labels"
	"  FROM device WHERE device_id = $1::uuid FOR UPDATE),"
	" judged AS MATERIALIZED (SELECT *, (SELECT count(*) FROM jsonb_object_keys(labels))"
	"  <= $4::bigint AND octet_length(labels::text) <= $5::bigint AS fits FROM found),"
	" moved AS (UPDATE device SET labels = judged.labels, revision = revision + 1 FROM judged"
	"  WHERE device.device_id = $1::uuid AND fits AND before <> judged.labels"
	"  RETURNING device.device_id, before, device.labels),"
	" noted AS (INSERT INTO audit (at, event, device_id, detail, who, client_address, "
	"request_id)"
	"  SELECT to_timestamp($6::bigint), 'device.labels', device_id,"
	"   left($7::text || ': ' || labels::text || ' was ' || before::text, 500), $8::text,"
	"   $9::text, $10::text FROM moved)"
	" SELECT fits, labels::text FROM judged"};

const struct statement *const labels_statements[] = {&label_device, NULL};

struct labelled {
	bool is_known, fits;
	struct buf *labels;
};

static enum err take_labels(const PGresult *rows, void *into)
{
	struct labelled *labelled = into;

	if (PQntuples(rows) != 1)
		return OK;
	labelled->is_known = true;
	labelled->fits = row_bool(rows, 0, 0);
	buf_add(labelled->labels, row_bytes(rows, 0, 1));
	return buf_ok(labelled->labels);
}

enum err device_label(struct db *db, const uint8_t device_id[static DEVICE_ID_SIZE],
	const char *set, const char *remove, const struct act *act, struct buf *labels)
{
	struct labelled labelled = {.labels = labels};
	struct pipeline trip = {.n = 0};

	STEP(&trip, &label_device, value_bytes((struct view){device_id, DEVICE_ID_SIZE}),
		value_text(set), value_text(remove), value_int(ENROLLMENT_LABELS),
		value_int(LABELS_BYTES), value_int(act->now), value_prose(act->reason),
		value_prose(act->who), value_prose(act->from), value_prose(act->request_id));
	step_take(&trip, take_labels, &labelled);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	if (!labelled.is_known)
		return refuse(ERR_NOT_FOUND, "device-unknown", "PROTOCOL devices",
			"there is no such device: endorsectl device list tells which there are");
	if (!labelled.fits)
		return refuse(ERR_REJECTED, "labels-too-many", "PROTOCOL devices",
			"the device would have more than %d labels, or more than %d bytes of them; "
			"take some away in the same act",
			ENROLLMENT_LABELS, LABELS_BYTES);
	return OK;
}
