#include "enroll/http/vendors_api.h"

#include "enroll/flow/vendors.h"

enum err handle_vendors_list(const struct service *service, struct exchange *exchange)
{
	return vendors_list(service, false, &exchange->answer);
}

enum err handle_vendors_export(const struct service *service, struct exchange *exchange)
{
	return vendors_list(service, true, &exchange->answer);
}

enum err handle_vendors_import(const struct service *service, struct exchange *exchange)
{
	AUTO(import_request_free) struct import_request request = {.n = 0};
	AUTO(import_answer_free) struct import_answer answer = {.n = 0};

	TRY(import_request_parse(exchange->body, &request));
	TRY(vendors_import(service, &exchange->caller, exchange->caller.who, &request, &answer));
	exchange->outcome.what = request.is_dry_run ? "tried" : "imported";
	return import_answer_encode(&answer, &exchange->answer);
}

enum err handle_vendors_remove(const struct service *service, struct exchange *exchange)
{
	struct remove_request request;

	TRY(remove_request_parse(exchange->body, &request));
	TRY(vendors_remove(service, &exchange->caller, exchange->caller.who, &request));
	exchange->outcome.what = "removed";
	return remove_answer_encode(request.sha256, &exchange->answer);
}
