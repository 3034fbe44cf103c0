#include "enroll/http/admin_api.h"

#include "enroll/flow/unbind.h"
#include "enroll/proto/admin.h"

#include <stdio.h>

enum err handle_unbind(const struct service *service, struct exchange *exchange)
{
	struct unbind_request request;
	struct unbind_answer answer;

	TRY(unbind_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.host, sizeof(exchange->outcome.host), "%s", request.host);
	TRY(unbind(service, &exchange->caller, "admin-token", request.host, request.why,
		answer.device_id));
	snprintf(answer.host, sizeof(answer.host), "%s", request.host);
	snprintf(exchange->outcome.device_id, sizeof(exchange->outcome.device_id), "%s",
		answer.device_id);
	exchange->outcome.what = "unbound";
	return unbind_answer_encode(&answer, &exchange->answer);
}

enum err handle_reload(const struct service *service, struct exchange *exchange)
{
	AUTO(reload_answer_free) struct reload_answer answer;
	enum err err;

	reload_answer_init(&answer);
	err = service->reloader->run(service->reloader->ctx, exchange->caller.request_id, &answer);
	if (err != OK) {
		buf_add(&exchange->problems, buf_view(&answer.problems));
		return err;
	}
	return reload_answer_encode(&answer, &exchange->answer);
}
