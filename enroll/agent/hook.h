/* hook.h - the command that runs after a certificate was replaced, so that who uses it takes the new one. */
#pragma once

#include "enroll/agent/state.h"
#include "enroll/agent/wanted.h"

#define HOOK_SECONDS 60 /* then it is killed */

/*
 * Runs each command that is due by /bin/sh -c, one after the other, in "/" and with standard input
 * empty, and writes after each success that it is not due any more. ENDORSE_TEMPLATE, ENDORSE_HOST,
 * ENDORSE_CERTIFICATE, ENDORSE_FULLCHAIN, ENDORSE_KEY and ENDORSE_CHAIN are in its environment, the
 * last four with the files' absolute paths ("" for those that the template has not). All are run;
 * ERR_INTERNAL "hook" when one failed.
 */
CHECKED enum err hooks_run(struct state *state, struct wanted *wanted, const char *host);

/* What commands find in their environment besides: variables up to NULL, borrowed. */
void hooks_inherit(char **environment);
