/* skewed.h - a service whose clock is set, by libfaketime. */
#pragma once

/* From now on the service's clock is so many seconds ahead: "+3600". Before it starts, and while it runs. */
void skewed_set(const char *ahead);

/* What world_plan.env has to be for that; the same each time. */
const char *const *skewed_env(void);
