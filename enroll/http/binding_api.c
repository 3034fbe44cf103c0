#include "enroll/http/binding_api.h"

#include "enroll/flow/rebind.h"

#include <stdio.h>

enum err handle_device_labels(const struct service *service, struct exchange *exchange)
{
	AUTO(label_request_free) struct label_request request;
	AUTO(buf_free) struct buf labels = BUF(2 * LIMIT_LABELS);

	label_request_init(&request);
	TRY(label_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.device_id, sizeof(exchange->outcome.device_id), "%s",
		request.device_id);
	TRY(relabel(service, &exchange->caller, &request, &labels));
	exchange->outcome.what = "labelled";
	return label_answer_encode(request.device_id, buf_text(&labels), &exchange->answer);
}

enum err handle_rebind(const struct service *service, struct exchange *exchange)
{
	struct rebind_request request;
	struct rebind_answer answer;

	TRY(rebind_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.host, sizeof(exchange->outcome.host), "%s", request.host);
	TRY(rebind(service, &exchange->caller, &request, &answer));
	snprintf(exchange->outcome.device_id, sizeof(exchange->outcome.device_id), "%s",
		answer.device_id);
	exchange->outcome.what = "rebound";
	return rebind_answer_encode(&answer, &exchange->answer);
}
