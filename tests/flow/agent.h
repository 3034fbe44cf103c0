/* agent.h - `endorse`, as a host runs it, by a clock that may be ahead; and what it must have said. */
#pragma once

#include "tests/flow/process.h"
#include "tests/flow/world.h"

/*
 * Runs a program by the clock that is `ahead` ("+20d", as faketime takes it; NULL: it is right), and
 * nobody else's; `output` is overwritten.
 */
void run_ahead(struct output *output, const char *ahead, const char *const *argv);

/* The same for `endorse`, with words up to NULL. */
void agent_run(struct output *output, const char *ahead, const char *const *words);
#define ENDORSE(output, ahead, ...)                                                                \
	agent_run(output, ahead, (const char *const[]){__VA_ARGS__, NULL})

/* To the service all certificates are as old as a device believes whose clock is ahead. */
void world_age(const struct world *world);

/* Fails the test with all that was said. */
void assert_code(const struct output *output, int code);
void assert_tells(const struct buf *said, const char *words);

/* What a file has in it, "" when there is none; for free(). */
char *content(const char *path);
