/* line.h - a TPM's raw character device: a terminal's line, at whose other end a software TPM answers. */
#pragma once

#include "tests/flow/process.h"

struct line {
	char *path; /* for the TCTI "device:PATH" */
	int master, slave;
	pid_t bridge;
};

/*
 * Makes the device, whose commands go to the swtpm that listens at `socket`. It is this process's
 * alone, and goes with it. Ends the test when it cannot.
 */
void line_start(struct line *line, const char *socket);
void line_stop(struct line *line);
