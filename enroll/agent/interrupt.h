/* interrupt.h - SIGINT, SIGTERM and SIGHUP (where they are not ignored) wait until the TPM is
 * clean. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Holds the three signals back from now on, for threads made later too. A TPM command then runs to
 * its end; whoever waits for anything else asks interrupt_pending() or sleeps here.
 */
void interrupt_hold(void);

/* One of them has come. */
bool interrupt_pending(void);

/* ERR_INTERNAL "interrupted" when one has come. */
CHECKED enum err interrupt_check(void);

/* Sleeps; ERR_INTERNAL "interrupted" as soon as a signal comes. */
CHECKED enum err interrupt_sleep(int64_t milliseconds);

/* Lets the signals through: one that has come ends the process now, in the usual way. */
void interrupt_release(void);
