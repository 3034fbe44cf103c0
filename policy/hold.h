/* hold.h - how many attempts may wait for an admin, and how long. */
#pragma once

#include "ca/base/yaml.h"

struct hold {
	int64_t attempts, per_ek, per_address; /* at most, at once */
	int64_t days; /* after which one that nobody decided goes away */
	int64_t retry_after; /* seconds after which a device is to ask again */
	struct yaml_list
		exempt; /* of char *: addresses and ranges that per_address does not count */
	struct yaml_mark mark;
};
extern const struct yaml_schema hold_schema;

/* Adds what is wrong beyond the schema. */
void hold_judge(const struct hold *hold, const char *file, struct problems *problems);

/* Does `per_address` not count this address? */
bool hold_is_exempt(const struct hold *hold, const char *address);
