#include "enroll/proto/ekreport.h"

#include "enroll/proto/json.h"

const char *const ek_outcome_words[] = {
	[EK_ACCEPTED] = "accepted", [EK_REFUSED] = "refused", [EK_UNJUDGED] = "unjudged", NULL};

struct member {
	const char *key, *text;
};

static void put_members(json_t *object, const struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (members[i].text[0] != '\0')
			json_put_string(object, members[i].key, members[i].text);
}
#define PUT_MEMBERS(object, ...)                                                                   \
	put_members(object, (const struct member[]){__VA_ARGS__},                                  \
		COUNT(((const struct member[]){__VA_ARGS__})))

static void put_dates(json_t *object, int64_t not_before, int64_t not_after)
{
	if (not_before == 0 && not_after == 0)
		return;
	json_put(object, "not_before", json_integer(not_before));
	json_put(object, "not_after", json_integer(not_after));
}

static json_t *path_json(const struct ek_report *report)
{
	json_t *path = json_array();

	for (size_t i = 0; i < report->steps; i++) {
		const struct ek_report_step *step = &report->step[i];
		json_t *one = json_object();

		PUT_MEMBERS(one, {"subject", step->subject}, {"sha256", step->sha256},
			{"from", step->from}, {"source", step->source});
		put_dates(one, step->not_before, step->not_after);
		json_append(path, one);
	}
	return path;
}

static json_t *certificate_json(const struct ek_report *report)
{
	json_t *object = json_object();

	PUT_MEMBERS(object, {"manufacturer", report->manufacturer},
		{"manufacturer_name", report->manufacturer_name}, {"model", report->model},
		{"version", report->version}, {"key", report->key}, {"template", report->template},
		{"serial", report->serial}, {"subject", report->subject},
		{"issuer", report->issuer}, {"ek_digest", report->ek_digest},
		{"sha256", report->sha256});
	put_dates(object, report->not_before, report->not_after);
	json_put(object, "bytes", json_integer(report->bytes));
	json_put(object, "bytes_before", json_integer(report->before));
	json_put(object, "bytes_behind", json_integer(report->behind));
	return object;
}

static json_t *remarks_json(const struct ek_report *report)
{
	json_t *remarks = json_array();

	if (report->is_expired)
		json_append(remarks, json_string("expired"));
	if (report->is_bad_firmware)
		json_append(remarks, json_string("firmware"));
	if (report->is_crl_old)
		json_append(remarks, json_string("crl-old"));
	return remarks;
}

enum err ek_report_encode(const struct ek_report *report, struct buf *json)
{
	json_t *object = json_object(), *missing = json_object();

	PUT_MEMBERS(object, {"file", report->file}, {"verdict", ek_outcome_words[report->outcome]},
		{"code", report->code}, {"sentence", report->sentence}, {"clause", report->clause},
		{"advice", report->advice}, {"kind", report->kind}, {"class", report->class},
		{"source", report->source}, {"remark", report->remark},
		{"trust_version", report->trust_version});
	json_put(object, "judged_at", json_integer(report->judged_at));
	json_put(object, "certificate", certificate_json(report));
	json_put(object, "path", path_json(report));
	json_put(object, "remarks", remarks_json(report));
	PUT_MEMBERS(missing, {"name", report->missing}, {"key_id", report->missing_key_id},
		{"url", report->missing_url});
	if (json_object_size(missing) > 0)
		json_put(object, "missing_issuer", missing);
	else
		json_decref(missing);
	return json_write(object, json);
}
