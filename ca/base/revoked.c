#include "ca/base/revoked.h"

#include <string.h>

static const struct {
	const char *name;
	enum revoked_reason reason;
} reasons[] = {
	{"unspecified", REVOKED_UNSPECIFIED},
	{"keyCompromise", REVOKED_KEY_COMPROMISE},
	{"cACompromise", REVOKED_CA_COMPROMISE},
	{"affiliationChanged", REVOKED_AFFILIATION_CHANGED},
	{"superseded", REVOKED_SUPERSEDED},
	{"cessationOfOperation", REVOKED_CESSATION_OF_OPERATION},
	{"certificateHold", REVOKED_CERTIFICATE_HOLD},
	{"privilegeWithdrawn", REVOKED_PRIVILEGE_WITHDRAWN},
};

bool revoked_reason_read(const char *name, enum revoked_reason *out)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (strcmp(name, reasons[i].name) == 0) {
			*out = reasons[i].reason;
			return true;
		}
	return false;
}
