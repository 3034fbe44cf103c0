#include "enroll/http/openapi_api.h"

enum err handle_openapi(const struct service *service, struct exchange *exchange)
{
	(void)service;
	buf_add(&exchange->answer, (struct view){openapi_document, openapi_document_n});
	return buf_ok(&exchange->answer);
}
