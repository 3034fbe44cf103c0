#include "enroll/http/ca_api.h"

#include "ca/base/clock.h"
#include "enroll/flow/published_ca.h"

#include <string.h>

enum err handle_ca(const struct service *service, struct exchange *exchange)
{
	TRY(published_ca(service, exchange->path + strlen(CA_PATH), &exchange->content_type,
		&exchange->answer));
	/* A CA's certificate is made anew for the same key now and then, and a root's CRL more often. */
	exchange->max_age = HOUR;
	return OK;
}
