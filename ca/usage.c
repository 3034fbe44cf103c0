#include "ca/usage.h"

#include "ca/base/mem.h"

#include <string.h>

int usage_bit(const char *name)
{
	static const char *const names[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
		"dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
		"decipherOnly"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}
