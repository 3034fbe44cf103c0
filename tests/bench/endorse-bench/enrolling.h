/* enrolling.h - what `enroll` and `reject` have in common: enrollments of a fleet as errands. */
#pragma once

#include "tests/bench/endorse-bench/fleetfile.h"
#include "tests/bench/endorse-bench/options.h"
#include "tests/bench/endorse-bench/wanted.h"

struct enrolling {
	struct fleet *fleet;
	size_t first; /* device; behind the last one comes the first again */
	bool fresh_aks;
	struct wanted wanted;
	/* Makes a fault in the device of errand `i` before it says a word; NULL: none. */
	void (*spoil)(size_t i, struct soft_device *device, struct soft_enrollment *x);
};

/* Opens what the options name; the options get what was not said. For enrolling_free(). */
CHECKED enum err enrolling_open(struct options *options, struct enrolling *out);
void enrolling_free(struct enrolling *enrolling);

/* Is this the code of a ticket that a new one replaces? */
bool ticket_is_over(const char *code);

/* The errand of one device: POST /v1/ticket, POST /v1/enroll. `ctx` of the work is a struct enrolling. */
extern const struct load_work enrolling_work;
