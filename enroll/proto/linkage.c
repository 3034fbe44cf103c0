#include "enroll/proto/linkage.h"

#include "enroll/proto/json.h"

void linkage_init(struct linkage *linkage)
{
	*linkage = (struct linkage){.attest = BUF(LIMIT_ATTEST),
		.signature = BUF(LIMIT_SIGNATURE),
		.log = BUF(LINKAGE_LOG),
		.ak_certificate = BUF(LINKAGE_CERTIFICATE),
		.platform_property = BUF(LINKAGE_CERTIFICATE)};
	for (size_t i = 0; i < LIMIT_INTERMEDIATES; i++)
		linkage->intermediates[i] = BUF(LIMIT_INTERMEDIATE);
}

void linkage_free(struct linkage *linkage)
{
	buf_free(&linkage->attest);
	buf_free(&linkage->signature);
	buf_free(&linkage->log);
	buf_free(&linkage->ak_certificate);
	buf_free(&linkage->platform_property);
	for (size_t i = 0; i < LIMIT_INTERMEDIATES; i++)
		buf_free(&linkage->intermediates[i]);
	linkage->intermediates_n = 0;
}

static enum err parse_intermediates(const json_t *object, struct linkage *out)
{
	json_t *list, *der;
	size_t i;

	TRY(json_member(object, "intermediates", JSON_ARRAY, &list));
	if (json_array_size(list) > LIMIT_INTERMEDIATES)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d intermediates", LIMIT_INTERMEDIATES);
	json_array_foreach (list, i, der) {
		TRY(json_bytes_value(
			der, "intermediates", LIMIT_INTERMEDIATE, &out->intermediates[i]));
		out->intermediates_n++;
	}
	return OK;
}

enum err linkage_parse(struct view json, struct linkage *out)
{
	AUTO(json_free) json_t *object = NULL;
	const char *log;

	linkage_init(out);
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "attest", "signature", "log", "ak_certificate", "platform_property",
		"intermediates"));
	TRY(json_bytes(object, "attest", LIMIT_ATTEST, &out->attest));
	TRY(json_bytes(object, "signature", LIMIT_SIGNATURE, &out->signature));
	TRY(json_string_of(object, "log", LINKAGE_LOG, &log));
	buf_str(&out->log, log);
	TRY(json_bytes(object, "ak_certificate", LINKAGE_CERTIFICATE, &out->ak_certificate));
	TRY(json_bytes(object, "platform_property", LINKAGE_CERTIFICATE, &out->platform_property));
	TRY(parse_intermediates(object, out));
	return buf_ok(&out->log);
}

enum err linkage_encode(const struct linkage *linkage, struct buf *json)
{
	json_t *object = json_object(), *list = json_array();

	json_put_bytes(object, "attest", buf_view(&linkage->attest));
	json_put_bytes(object, "signature", buf_view(&linkage->signature));
	json_put_string(object, "log", buf_text(&linkage->log));
	json_put_bytes(object, "ak_certificate", buf_view(&linkage->ak_certificate));
	json_put_bytes(object, "platform_property", buf_view(&linkage->platform_property));
	for (size_t i = 0; i < linkage->intermediates_n; i++)
		json_append(list, json_from_bytes(buf_view(&linkage->intermediates[i])));
	json_put(object, "intermediates", list);
	return json_write(object, json);
}
