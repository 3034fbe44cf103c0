/* weather.h - devices that enroll without a pause while a test makes bad weather, and a look at what
 * came of it. */
#pragma once

#include "tests/flow/world.h"

struct weather;

/* What the devices were answered since the last weather_reset(). */
struct score {
	unsigned enrolled;
	unsigned busy; /* 503 */
	unsigned silent; /* no answer, or one that cannot be used */
	unsigned other; /* anything else */
	unsigned hasty; /* 503 without a Retry-After of 1 to 60 seconds */
	int64_t slowest_ms; /* a whole enrollment, or what became of it */
	char strange[400]; /* the last one of `other` and `silent` */
};

/*
 * `n` software TPMs, each in a thread of its own, that enroll at the edge of the world, or where it has
 * none at its first service, each success with a new AK; after a failure they come again at once, and not when Retry-After says.
 * Waits until each has succeeded.
 */
struct weather *weather_begin(struct world *world, unsigned n);
/*
 * Stops them and fails the test unless every certificate that a device received is a row, by its
 * serial number and byte for byte, and whatever is in the database is whole.
 */
void weather_end(struct weather **weather);

void weather_reset(struct weather *weather);
void weather_score(struct weather *weather, struct score *out);

/* Waits until every device has begun and ended an enrollment from now on. */
bool weather_clears(struct weather *weather, int timeout_ms);
/* Waits until so many have been told to come again since weather_reset(). */
bool weather_is_busy(struct weather *weather, unsigned times, int timeout_ms);

/* One fault, for weather_strikes(). */
struct fault {
	const char *name;
	void (*begin)(struct world *world);
	void (*end)(struct world *world);
	const char
		*unready; /* what /readyz says meanwhile: part of its body; NULL: it stays ready */
	unsigned busy; /* so many devices, at least, are told to come again */
	int bound_ms; /* at most so long until it is told, and until all succeed again; 0: 20 s */
};
/*
 * Begins a fault under load, looks at what devices and monitors are told, ends it, and waits until all
 * succeed again: a 503 has its Retry-After, there is no other failure, and /healthz answers at
 * once. Prints a line with what was seen.
 */
void weather_strikes(struct world *world, unsigned devices, const struct fault *fault);
