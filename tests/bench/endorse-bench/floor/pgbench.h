/* pgbench.h - pgbench with the floor's script, which runs when it is let and stands still otherwise. */
#pragma once

#include "ca/base/err.h"

#include <stdint.h>

struct pgbench;

/*
 * Eight clients on the database, prepared statements, and each transaction in two round trips. It runs at
 * once. `*out` is the caller's, also when another call fails. ERR_INTERNAL "floor-pgbench".
 */
CHECKED enum err pgbench_start(const char *conninfo, struct pgbench **out);
void pgbench_free(struct pgbench **pgbench);

/* Lets it run for so long, or stops it where it is. ERR_INTERNAL "floor-pgbench" when it has ended, with why. */
CHECKED enum err pgbench_run(struct pgbench *pgbench, unsigned ms);
CHECKED enum err pgbench_stop(struct pgbench *pgbench);
