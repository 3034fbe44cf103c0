#include "enroll/proto/renewal.h"

#include "enroll/proto/json.h"

#include <string.h>

enum err renew_ticket_request_parse(struct view json, struct buf *name)
{
	return json_read_bytes(json, "ak", LIMIT_AK_NAME, name);
}

enum err renew_ticket_request_encode(struct view name, struct buf *json)
{
	return json_write_bytes("ak", name, json);
}

enum err renew_answer_parse(struct view json, struct buf *answer)
{
	return json_read_bytes(json, "answer", LIMIT_ANSWER, answer);
}

enum err renew_answer_encode(struct view answer, struct buf *json)
{
	return json_write_bytes("answer", answer, json);
}

void renewal_ticket_answer_init(struct renewal_ticket_answer *answer)
{
	*answer = (struct renewal_ticket_answer){BUF(LIMIT_TICKET), 0};
}

void renewal_ticket_answer_free(struct renewal_ticket_answer *answer)
{
	buf_free(&answer->ticket);
}

enum err renewal_ticket_answer_parse(struct view json, struct renewal_ticket_answer *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "ticket", "expires_at"));
	TRY(json_bytes(object, "ticket", LIMIT_TICKET, &out->ticket));
	return json_number(object, "expires_at", &out->expires_at);
}

enum err renewal_ticket_answer_encode(const struct renewal_ticket_answer *answer, struct buf *json)
{
	json_t *object = json_object();

	json_put_bytes(object, "ticket", buf_view(&answer->ticket));
	json_put(object, "expires_at", json_integer(answer->expires_at));
	return json_write(object, json);
}

void renew_request_init(struct renew_request *request)
{
	*request = (struct renew_request){
		BUF(LIMIT_TICKET), BUF(LIMIT_PUBLIC), BUF(LIMIT_REQUEST), BUF(LIMIT_SIGNATURE)};
}

void renew_request_free(struct renew_request *request)
{
	buf_free(&request->ticket);
	buf_free(&request->ak_public);
	buf_free(&request->request);
	buf_free(&request->signature);
}

enum err renew_request_parse(struct view json, struct renew_request *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "ticket", "ak", "request", "signature"));
	TRY(json_bytes(object, "ticket", LIMIT_TICKET, &out->ticket));
	TRY(json_bytes(object, "ak", LIMIT_PUBLIC, &out->ak_public));
	TRY(json_bytes(object, "request", LIMIT_REQUEST, &out->request));
	return json_bytes(object, "signature", LIMIT_SIGNATURE, &out->signature);
}

enum err renew_request_encode(const struct renew_request *request, struct buf *json)
{
	json_t *object = json_object();

	json_put_bytes(object, "ticket", buf_view(&request->ticket));
	json_put_bytes(object, "ak", buf_view(&request->ak_public));
	json_put_bytes(object, "request", buf_view(&request->request));
	json_put_bytes(object, "signature", buf_view(&request->signature));
	return json_write(object, json);
}

enum err renewal_message(const char *service, struct view ticket, struct view request,
	uint8_t out[static RENEWAL_MESSAGE_SIZE])
{
	static const char label[16] = "endorse/1 renew";

	memcpy(out, label, sizeof(label));
	TRY(SHA256_OF(out + 16, view_str(service)));
	TRY(SHA256_OF(out + 16 + SHA256_SIZE, ticket));
	return SHA256_OF(out + 16 + 2 * SHA256_SIZE, request);
}
