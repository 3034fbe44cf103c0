/* fleet.h - devices made once into a file, so that having them enroll costs their maker nothing. */
#pragma once

#include "ca/base/hostname.h"
#include "tests/softtpm/enrollment.h"

#define FLEET_DOMAIN_MAX 200

/* What its EKs are. */
enum fleet_kind { FLEET_RSA, FLEET_P256, FLEET_P384, FLEET_KINDS };

struct fleet_plan {
	const char *path; /* of the file */
	const char *roots; /* directory for the manufacturer's certificates: root.pem, *.pem; made where missing */
	size_t devices;
	unsigned mix[FLEET_KINDS]; /* in proportion; device i is always of the same kind in the same mix */
	const char *domain; /* of the hosts b-000001.DOMAIN */
	const char *service; /* NULL: to be said when they enroll */
	size_t threads;
};

/*
 * The keys are worthless as keys: whoever has the file has them, and an RSA modulus is the product
 * of 32 small primes (softtpm/secret.h). Roots are for private instances only.
 */
CHECKED enum err fleet_make(const struct fleet_plan *plan);

struct fleet;
/* ERR_INTERNAL "fleet-file" for what is no fleet, one of another version, or not whole. */
CHECKED enum err fleet_open(const char *path, struct fleet **out);
void fleet_free(struct fleet **fleet);

size_t fleet_devices(const struct fleet *fleet);
const char *fleet_service(const struct fleet *fleet); /* "": not said */

/*
 * Device `i` with its AK number `ak` (0 is in the file, others are made from their number, some
 * 20 us): views into the fleet, for soft_device_free().
 */
CHECKED enum err fleet_device(const struct fleet *fleet, size_t i, uint32_t ak,
	const char *service, struct soft_device *out);

/*
 * Which of its AKs a device enrolled last, kept in PATH.enrolled: 0 when it never did, otherwise the AK's
 * number + 1. Devices of different numbers may be written from different threads.
 */
uint32_t fleet_enrolled(const struct fleet *fleet, size_t i);
void fleet_enrolled_set(struct fleet *fleet, size_t i, uint32_t ak_plus_one);
