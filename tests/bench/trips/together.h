/* together.h - what a lookup and a record cost that share their trip with others. */
#pragma once

#include "tests/bench/trips/backend.h"

/* Prints it for each size of a group, by turns; `n` enrollments in each turn, rounded up to groups. */
void together_measure(struct backend *backend, long n);
