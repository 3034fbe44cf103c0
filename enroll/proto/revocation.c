#include "enroll/proto/revocation.h"

#include "enroll/proto/field.h"

#include <stdlib.h>

#define WISH(name) FIELD_TEXT_OR_NONE(revocation_request, name)
static const struct field request_fields[] = {WISH(id), WISH(host), WISH(ek_digest), WISH(serial),
	WISH(issuer), WISH(reason), FIELD_TEXT(revocation_request, why)};

#define TEXT(name) FIELD_TEXT_OR_NONE(revocation_answer, name)
#define NUMBER(name) FIELD_NUMBER(revocation_answer, name)
static const struct field answer_fields[] = {FIELD_TEXT(revocation_answer, state), TEXT(device_id),
	TEXT(host), TEXT(serial), TEXT(issuer), TEXT(reason), NUMBER(at), NUMBER(x509),
	NUMBER(ssh_host), NUMBER(ssh_user), NUMBER(unlisted), NUMBER(crls), NUMBER(crls_until),
	NUMBER(names), NUMBER(devices), NUMBER(eks), NUMBER(aks), NUMBER(registered),
	TEXT(registered_host), NUMBER(attempts), NUMBER(remaining)};

static const struct field certificate_fields[] = {FIELD_TEXT(revoked_certificate, kind),
	FIELD_TEXT(revoked_certificate, template), FIELD_TEXT(revoked_certificate, serial),
	FIELD_TEXT(revoked_certificate, host), FIELD_NUMBER(revoked_certificate, not_after)};

enum err revocation_request_parse(struct view json, struct revocation_request *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "id", "host", "ek_digest", "serial", "issuer", "reason", "why"));
	return fields_read(object, request_fields, COUNT(request_fields), out);
}

enum err revocation_request_encode(const struct revocation_request *request, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, request_fields, COUNT(request_fields), request);
	return json_write(object, json);
}

enum err revocation_answer_init(struct revocation_answer *answer, size_t n)
{
	*answer = (struct revocation_answer){.name = BUF(LIMIT_LINES)};
	if ((answer->certificates = calloc(n + 1, sizeof(*answer->certificates))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu certificates", n);
	answer->certificates_n = n;
	return OK;
}

void revocation_answer_free(struct revocation_answer *answer)
{
	buf_free(&answer->name);
	free(answer->certificates);
	*answer = (struct revocation_answer){.state = ""};
}

enum err revocation_answer_encode(const struct revocation_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *certificates = json_array();

	fields_put(object, answer_fields, COUNT(answer_fields), answer);
	json_put_lines(object, "name", buf_view(&answer->name));
	for (size_t i = 0; i < answer->certificates_n; i++) {
		json_t *item = json_object();

		fields_put(item, certificate_fields, COUNT(certificate_fields),
			&answer->certificates[i]);
		json_append(certificates, item);
	}
	json_put(object, "certificates", certificates);
	return json_write(object, json);
}

static enum err read_certificates(const json_t *list, struct revocation_answer *out)
{
	for (size_t i = 0; i < out->certificates_n; i++) {
		const json_t *item = json_array_get(list, i);

		TRY(JSON_ONLY(item, "kind", "template", "serial", "host", "not_after"));
		TRY(fields_read(item, certificate_fields, COUNT(certificate_fields),
			&out->certificates[i]));
	}
	return OK;
}

enum err revocation_answer_parse(struct view json, struct revocation_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *list = NULL;

	*out = (struct revocation_answer){.state = ""};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "state", "device_id", "host", "serial", "issuer", "reason", "at",
		"x509", "ssh_host", "ssh_user", "unlisted", "crls", "crls_until", "names",
		"devices", "eks", "aks", "registered", "registered_host", "attempts", "remaining",
		"name", "certificates"));
	TRY(json_member(object, "certificates", JSON_ARRAY, &list));
	if (json_array_size(list) > REVOCATION_TOLD)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d certificates in one answer", REVOCATION_TOLD);
	TRY(revocation_answer_init(out, json_array_size(list)));
	TRY(fields_read(object, answer_fields, COUNT(answer_fields), out));
	TRY(json_lines(object, "name", &out->name));
	return read_certificates(list, out);
}

#define COUNTED(name) FIELD_NUMBER(revocation_status, name)
static const struct field status_fields[] = {COUNTED(crls), COUNTED(crls_behind),
	COUNTED(crls_oldest), COUNTED(crls_until), COUNTED(krl_at)};

static const struct field issuer_fields[] = {FIELD_TEXT(revocation_issuer, id),
	FIELD_TEXT(revocation_issuer, kind), FIELD_NUMBER(revocation_issuer, first_at),
	FIELD_NUMBER(revocation_issuer, not_after), FIELD_NUMBER(revocation_issuer, revoked_at),
	FIELD_TEXT_OR_NONE(revocation_issuer, reason),
	FIELD_TEXT_OR_NONE(revocation_issuer, revoked_by),
	FIELD_TEXT_OR_NONE(revocation_issuer, why), FIELD_NUMBER(revocation_issuer, remaining)};

enum err revocation_status_encode(const struct revocation_status *status, struct buf *json)
{
	json_t *object = json_object(), *issuers = json_array();

	fields_put(object, status_fields, COUNT(status_fields), status);
	json_put(object, "krl_behind", json_boolean(status->krl_behind));
	for (size_t i = 0; i < status->issuers_n; i++) {
		json_t *item = json_object();

		fields_put(item, issuer_fields, COUNT(issuer_fields), &status->issuers[i]);
		json_append(issuers, item);
	}
	json_put(object, "issuers", issuers);
	return json_write(object, json);
}

static enum err read_issuers(const json_t *list, struct revocation_status *out)
{
	for (; out->issuers_n < json_array_size(list); out->issuers_n++) {
		const json_t *item = json_array_get(list, out->issuers_n);

		TRY(JSON_ONLY(item, "id", "kind", "first_at", "not_after", "revoked_at", "reason",
			"revoked_by", "why", "remaining"));
		TRY(fields_read(
			item, issuer_fields, COUNT(issuer_fields), &out->issuers[out->issuers_n]));
	}
	return OK;
}

enum err revocation_status_parse(struct view json, struct revocation_status *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *list = NULL;

	*out = (struct revocation_status){.crls = 0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "crls", "crls_behind", "crls_oldest", "crls_until", "krl_at",
		"krl_behind", "issuers"));
	TRY(fields_read(object, status_fields, COUNT(status_fields), out));
	TRY(json_flag(object, "krl_behind", &out->krl_behind));
	TRY(json_member(object, "issuers", JSON_ARRAY, &list));
	if (json_array_size(list) > REVOCATION_ISSUERS)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d CAs in one answer", REVOCATION_ISSUERS);
	return read_issuers(list, out);
}
