/* fleetmaker.h - makes a fleet: keys, EK certificates, the file. */
#pragma once

#include "tests/bench/endorse-bench/fleetfile.h"

struct fleet_plan {
	const char *path; /* of the file */
	const char *roots; /* directory for the manufacturer's certificates */
	size_t devices;
	unsigned mix[FLEET_KINDS]; /* in proportion */
	const char *domain;
	const char *service; /* NULL: to be said when they enroll */
	size_t threads;
};

/*
 * Makes manufacturer and devices, anew. About 1 ms for a device with an RSA EK, nearly all of it
 * for the signature upon its certificate. ERR_INTERNAL "file-write", "crypto", "random".
 *
 * The keys are worthless as keys: whoever has the file has them, and the RSA ones can be factored
 * (softtpm/secret.h). So what trusts these roots must be an instance for measuring.
 */
CHECKED enum err fleet_make(const struct fleet_plan *plan);

/* The kind of device `i`: every 100 devices have the mix, spread as evenly as it goes. */
enum fleet_kind fleet_kind_of(const unsigned mix[static FLEET_KINDS], size_t i);
