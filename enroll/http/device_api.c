#include "enroll/http/device_api.h"

#include "enroll/flow/challenge.h"
#include "enroll/flow/enroll.h"
#include "enroll/flow/renew.h"

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

enum err handle_renew_ticket(const struct service *service, struct exchange *exchange)
{
	AUTO(renewal_ticket_answer_free) struct renewal_ticket_answer answer;
	AUTO(buf_free) struct buf name = BUF(LIMIT_PUBLIC);

	renewal_ticket_answer_init(&answer);
	TRY(service_clock(service, &exchange->caller));
	TRY(renew_ticket_request_parse(exchange->body, &name));
	TRY(renew_ticket(service, &exchange->caller, buf_view(&name), &answer, &exchange->outcome));
	return renewal_ticket_answer_encode(&answer, &exchange->answer);
}

enum err handle_renew(const struct service *service, struct exchange *exchange)
{
	AUTO(renew_request_free) struct renew_request request;
	AUTO(buf_free) struct buf answer = BUF(LIMIT_ANSWER);

	renew_request_init(&request);
	TRY(service_clock(service, &exchange->caller));
	TRY(renew_request_parse(exchange->body, &request));
	TRY(renew(service, &exchange->caller, &request, &answer, &exchange->outcome));
	return renew_answer_encode(buf_view(&answer), &exchange->answer);
}
