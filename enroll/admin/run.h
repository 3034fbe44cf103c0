/* run.h - another program, run to its end without a shell. */
#pragma once

#include "ca/base/buf.h"

struct run {
	const char *const
		*argv; /* up to NULL; the program is found in the system's own directories */
	const char *package; /* what to install when it is not there */
	const char *dir; /* where it works */
	unsigned seconds; /* it has so many, and is killed then */
	size_t file_max; /* bytes of any file that it writes */
};

/*
 * Appends what it says on standard output and error, as far as the buffer takes it; `*status` is its exit
 * status. It gets no input, no variables and no proxy. ERR_NOT_FOUND "program-missing"; ERR_INTERNAL
 * "program-failed" when it takes too long, or is killed.
 */
CHECKED enum err run_program(const struct run *run, struct buf *output, int *status);
