#include "ca/base/revoked.h"

#include <string.h>

const char *const revoked_reason_names[] = {"unspecified", "keyCompromise", "cACompromise",
	"affiliationChanged", "superseded", "cessationOfOperation", "certificateHold",
	"privilegeWithdrawn", NULL};

static const enum revoked_reason reasons[] = {REVOKED_UNSPECIFIED, REVOKED_KEY_COMPROMISE,
	REVOKED_CA_COMPROMISE, REVOKED_AFFILIATION_CHANGED, REVOKED_SUPERSEDED,
	REVOKED_CESSATION_OF_OPERATION, REVOKED_CERTIFICATE_HOLD, REVOKED_PRIVILEGE_WITHDRAWN};

bool revoked_reason_read(const char *name, enum revoked_reason *out)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (strcmp(name, revoked_reason_names[i]) == 0) {
			*out = reasons[i];
			return true;
		}
	return false;
}

const char *revoked_reason_name(enum revoked_reason reason)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i] == reason)
			return revoked_reason_names[i];
	return revoked_reason_names[0];
}
