#include "enroll/flow/reasoned.h"

#include "enroll/flow/because.h"

enum err act_make(const struct service *service, const struct caller *caller, const char *who,
	const char *reason, struct act *out)
{
	TRY(service_clock(service, caller));
	TRY(because_check(reason));
	*out = (struct act){who, caller->client_address, reason, caller->request_id, caller->now};
	return OK;
}
