#include "enroll/flow/reasoned.h"

#include <ctype.h>

/* Something that a person will be able to read in the audit. */
static bool has_words(const char *reason)
{
	for (; *reason != '\0'; reason++)
		if (isalnum((unsigned char)*reason))
			return true;
	return false;
}

enum err act_make(const struct service *service, const struct caller *caller, const char *who,
	const char *reason, struct act *out)
{
	TRY(service_clock(service, caller));
	if (!has_words(reason))
		return refuse(ERR_MALFORMED, "why-missing", "PROTOCOL admin",
			"say why: the audit keeps it beside the act");
	*out = (struct act){who, caller->client_address, reason, caller->request_id, caller->now};
	return OK;
}
