#include "enroll/flow/because.h"

#include <ctype.h>

enum err because_check(const char *why_text)
{
	for (; *why_text != '\0'; why_text++)
		if (isalnum((unsigned char)*why_text))
			return OK;
	return refuse(ERR_MALFORMED, "why-missing", "PROTOCOL admin",
		"say why: the audit keeps it beside the act");
}
