/* chip.h - software TPMs (swtpm): manufactured, started, reset. */
#pragma once

#include "tests/flow/maker.h"

#include <sys/types.h>

struct chip {
	char *state; /* directory */
	char *tcti; /* "swtpm:path=..." */
	char *socket;
	pid_t pid; /* 0 while it is off */
};

/*
 * Makes `n` chips with EKs and certificates for RSA-2048 and P-384, several at a time, and starts
 * them. `dir` must exist.
 */
void chips_make(struct maker *maker, const char *dir, struct chip *chips, size_t n);
void chip_start(struct chip *chip);
void chip_stop(struct chip *chip);
/* Stops it and forgets where it was. */
void chip_free(struct chip *chip);
