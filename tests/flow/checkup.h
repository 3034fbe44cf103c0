/* checkup.h - runs of `endorse doctor` against a world, and what they must have said. */
#pragma once

#include "tests/flow/device.h"
#include "tests/flow/process.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/world.h"

#define CHECKUP_HOST "doctor.example.test"

/* The chips of the world: one that stays as it is, and one for faults. */
enum { WELL, ILL, CHECKUP_CHIPS };

struct checkup {
	struct world world;
	char *state; /* a directory that does not exist yet */
};

/* A service behind the edge that gives *.example.test, and two chips. */
void checkup_make(struct checkup *checkup);
void checkup_free(struct checkup *checkup);

/* What a run is for; what is NULL is as it should be. */
struct run {
	size_t chip;
	const char *time; /* as faketime takes it */
	const char *tcti, *server, *ca, *host;
	const char *more[5];
};
void checkup_run(struct checkup *checkup, const struct run *run, struct output *output);

/* There is a line that begins with `start` and has `words` in it. */
void assert_says(const struct output *output, const char *start, const char *words);
/* Runs; that line is the only thing that is wrong. */
void assert_wrong(
	struct checkup *checkup, const struct run *run, const char *start, const char *words);

/* Another certificate for the P-256 EK of the chip for faults. */
void certify_ill(struct checkup *checkup, struct maker *maker, const struct ek_wish *wish);
