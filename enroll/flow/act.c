#include "enroll/flow/act.h"

#include <ctype.h>

enum err act_reason_check(const char *reason)
{
	for (; *reason != '\0'; reason++)
		if (isalnum((unsigned char)*reason))
			return OK;
	return refuse(ERR_MALFORMED, "why-missing", "PROTOCOL admin",
		"say why: the audit keeps it beside the act");
}

enum err act_make(const struct service *service, const struct caller *caller, const char *who,
	const char *reason, struct act *out)
{
	TRY(service_clock(service, caller));
	TRY(act_reason_check(reason));
	*out = (struct act){who, caller->client_address, reason, caller->request_id, caller->now};
	return OK;
}
