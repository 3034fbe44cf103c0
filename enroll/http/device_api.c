#include "enroll/http/device_api.h"

#include "enroll/flow/challenge.h"
#include "enroll/flow/enroll.h"

enum err handle_ticket(const struct service *service, struct exchange *exchange)
{
	AUTO(challenge_free) struct challenge challenge;
	AUTO(buf_free) struct buf claim = BUF(LIMIT_CLAIM);

	challenge_init(&challenge);
	TRY(service_clock(service, &exchange->caller));
	TRY(ticket_request_parse(exchange->body, &claim));
	TRY(challenge_make(
		service, &exchange->caller, buf_view(&claim), &challenge, &exchange->outcome));
	return challenge_encode(&challenge, &exchange->answer);
}

enum err handle_enroll(const struct service *service, struct exchange *exchange)
{
	AUTO(enroll_request_free) struct enroll_request request;
	AUTO(buf_free) struct buf sealed = BUF(LIMIT_ANSWER);

	enroll_request_init(&request);
	TRY(service_clock(service, &exchange->caller));
	TRY(enroll_request_parse(exchange->body, &request));
	TRY(enroll(service, &exchange->caller, &request, &sealed, &exchange->outcome));
	return sealed_encode(buf_view(&sealed), &exchange->answer);
}
