#include "enroll/http/revocation_api.h"

#include "enroll/flow/revocation.h"

#include <stdio.h>

static enum err handle(const struct service *service, struct exchange *exchange,
	revocation_act *act, const char *what)
{
	AUTO(revocation_answer_free) struct revocation_answer answer = {.state = ""};
	struct revocation_request request = {.id = ""};

	TRY(revocation_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.host, sizeof(exchange->outcome.host), "%s", request.host);
	TRY(act(service, &exchange->caller, &request, &answer));
	snprintf(exchange->outcome.device_id, sizeof(exchange->outcome.device_id), "%s",
		answer.device_id);
	exchange->outcome.what = what;
	return revocation_answer_encode(&answer, &exchange->answer);
}

enum err handle_device_revoke(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, revoke_device, "device-revoked");
}

enum err handle_device_hold(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, hold_device, "device-held");
}

enum err handle_device_unhold(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, unhold_device, "device-released");
}

enum err handle_device_reinstate(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, reinstate_device, "device-reinstated");
}
