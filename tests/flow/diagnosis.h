/* diagnosis.h - endorsectl doctor at a world, and what it says. */
#pragma once

#include "tests/flow/process.h"
#include "tests/flow/world.h"

/* Runs it for the first service, with further arguments up to NULL. */
void diagnose(struct world *world, struct output *output, ...) __attribute__((sentinel));

/* One finding ("warn", "FAIL") and no other that is not ok; its line has all of these words. */
void finds_only(const struct output *output, const char *mark, const char *words);

/* Stops and starts the first service, and waits until the edge has seen that it is back. */
void restart(struct world *world);
