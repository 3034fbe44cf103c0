/* wanted.h - the certificates that a device of the fleet asks for, and the keys it makes for them. */
#pragma once

#include "tests/softtpm/enrollment.h"

/* What --templates says. */
struct wanted {
	char names[LIMIT_KEYS][LIMIT_TEMPLATE_NAME + 1];
	size_t n;
};
/* "ak,tls-client". ERR_MALFORMED "usage". */
CHECKED enum err wanted_read(const char *list, struct wanted *out);
/* Is there more than the AK's own? Then each device makes keys, and its AK certifies them. */
bool wanted_needs_keys(const struct wanted *wanted);

/* What one device asks for: "ak" is for the AK, any other for a P-256 key that is new. */
struct wants {
	struct soft_want list[LIMIT_KEYS];
	struct soft_key keys[LIMIT_KEYS];
	size_t n;
};
/* Zeroes before; for wants_free(), also after a failure. Stays where it is. ERR_INTERNAL "soft-key". */
CHECKED enum err wants_make(const struct wanted *wanted, struct wants *out);
void wants_free(struct wants *wants);
