/* load.h - a policy from a text. */
#pragma once

#include "policy/policy.h"

/* Writes the text to a file, loads it, and leaves no file behind. `path` gets its name. */
CHECKED enum err load(
	const char *text, char path[static 64], struct problems *problems, struct policy **out);
/* One that has to be good. */
struct policy *loaded(const char *text);
/* The text is refused with exactly these lines, each without the file's name in front. */
void assert_problems(const char *text, const char *wanted);

/* What load() gives to policy_load(): the templates "ak" and "tls", and a context to be handed through. */
extern int context;
bool is_template(void *ctx, const char *name);
