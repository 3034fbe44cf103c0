#include "enroll/http/certificate_api.h"

#include "enroll/flow/published.h"

#include <string.h>

enum err handle_certificate(const struct service *service, struct exchange *exchange)
{
	TRY(published_certificate(
		service, exchange->path + strlen(CERTIFICATES_PATH), &exchange->answer));
	exchange->content_type = "application/pkix-cert";
	exchange->is_immutable = true;
	return OK;
}
