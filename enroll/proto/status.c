#include "enroll/proto/status.h"

#include "enroll/proto/field.h"

#define TEXT(name) FIELD_TEXT(status_answer, name)
#define NUMBER(name) FIELD_NUMBER(status_answer, name)
static const struct field fields[] = {TEXT(service), TEXT(version), NUMBER(since), NUMBER(now),
	FIELD_TEXT_OR_NONE(status_answer, code), FIELD_TEXT_OR_NONE(status_answer, sentence),
	NUMBER(failures), NUMBER(warnings), NUMBER(connections_lent), NUMBER(connections_max),
	NUMBER(tickets), NUMBER(issued), NUMBER(returned), NUMBER(repeated), NUMBER(held),
	NUMBER(refused), NUMBER(unproven), NUMBER(failed), NUMBER(waiting), NUMBER(crl_shards),
	NUMBER(crl_behind), NUMBER(crl_overdue), NUMBER(crl_next_update), NUMBER(krl_version),
	NUMBER(krl_at)};
static const struct field expiry_fields[] = {FIELD_TEXT(status_expiry, role),
	FIELD_TEXT(status_expiry, subject), FIELD_NUMBER(status_expiry, until)};

enum err status_answer_encode(const struct status_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *expiries = json_array();

	fields_put(object, fields, COUNT(fields), answer);
	json_put(object, "ready", json_boolean(answer->is_ready));
	json_put(object, "database", json_boolean(answer->is_database_up));
	json_put(object, "krl_behind", json_boolean(answer->krl_behind));
	for (size_t i = 0; i < answer->expiries_n; i++) {
		json_t *one = json_object();

		fields_put(one, expiry_fields, COUNT(expiry_fields), &answer->expiries[i]);
		json_append(expiries, one);
	}
	json_put(object, "expiries", expiries);
	return json_write(object, json);
}

static enum err read_expiries(const json_t *object, struct status_answer *out)
{
	json_t *list = NULL;

	TRY(json_member(object, "expiries", JSON_ARRAY, &list));
	if (json_array_size(list) > STATUS_EXPIRIES)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d expiries", STATUS_EXPIRIES);
	for (; out->expiries_n < json_array_size(list); out->expiries_n++) {
		const json_t *one = json_array_get(list, out->expiries_n);

		TRY(JSON_ONLY(one, "role", "subject", "until"));
		TRY(fields_read(
			one, expiry_fields, COUNT(expiry_fields), &out->expiries[out->expiries_n]));
	}
	return OK;
}

enum err status_answer_parse(struct view json, struct status_answer *out)
{
	AUTO(json_free) json_t *object = NULL;

	*out = (struct status_answer){.since = 0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "service", "version", "since", "now", "ready", "database", "code",
		"sentence", "failures", "warnings", "connections_lent", "connections_max",
		"tickets", "issued", "returned", "repeated", "held", "refused", "unproven",
		"failed", "waiting", "crl_shards", "crl_behind", "crl_overdue", "crl_next_update",
		"krl_version", "krl_at", "krl_behind", "expiries"));
	TRY(fields_read(object, fields, COUNT(fields), out));
	TRY(json_flag(object, "ready", &out->is_ready));
	TRY(json_flag(object, "database", &out->is_database_up));
	TRY(json_flag(object, "krl_behind", &out->krl_behind));
	return read_expiries(object, out);
}
