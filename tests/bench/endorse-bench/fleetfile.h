/* fleetfile.h - devices made once into a file, so that having them enroll costs their maker next to nothing. */
#pragma once

#include "tests/softtpm/enrollment.h"
#include "tests/softtpm/secret.h"

/* What a device's EK is. */
enum fleet_kind { FLEET_RSA, FLEET_P256, FLEET_P384, FLEET_KINDS };
extern const char *const fleet_kinds[FLEET_KINDS]; /* "rsa" ... */

/*
 * The file: a header of FLEET_HEADER_SIZE bytes, then a record for each device, in this machine's
 * byte order, to be mapped. A file of another version has another magic.
 */
#define FLEET_MAGIC "endorse-fleet 1\n"
#define FLEET_HEADER_SIZE 4096
#define FLEET_ORDER UINT64_C(0x0102030405060708)
#define FLEET_NAME_SIZE 256
#define FLEET_DOMAIN_SIZE 208 /* with what is in front of it, a host name */

struct fleet_header {
	char magic[sizeof(FLEET_MAGIC) - 1];
	uint64_t order; /* FLEET_ORDER, as this machine writes it */
	uint64_t devices, record_size;
	uint8_t seed[32]; /* of all AKs */
	char service[FLEET_NAME_SIZE]; /* "": to be said when they enroll */
	char domain[FLEET_DOMAIN_SIZE]; /* hosts are b-000001.DOMAIN */
};

struct fleet_record {
	uint32_t kind;
	uint32_t certificate_n;
	union {
		uint64_t primes[SOFT_PRIMES];
		struct {
			uint8_t scalar[48], x[48], y[48]; /* the first 32 of each for P-256 */
		} curve;
	} ek;
	uint8_t ak[2 * 32]; /* the point of AK 0 */
	uint8_t certificate[1720];
};

/* How wide numbers of a curve are, in bytes. */
size_t fleet_width(enum fleet_kind kind);

struct fleet; /* many threads may use one */

/*
 * `service` is the name of the service that the devices enroll with; NULL: as the file says, or where it says
 * nothing, `otherwise`. ERR_INTERNAL "fleet-file" for what is no fleet, one of another version, or not whole;
 * "file-read"; ERR_MALFORMED "usage" when nobody says which service.
 */
CHECKED enum err fleet_open(
	const char *path, const char *service, const char *otherwise, struct fleet **out);
void fleet_free(struct fleet **fleet);

size_t fleet_devices(const struct fleet *fleet);
const char *fleet_service(const struct fleet *fleet);

/* The private half of AK number `ak` of device `i`: made from the seed, so that there is nothing to keep. */
CHECKED enum err fleet_ak_scalar(
	const uint8_t seed[static 32], size_t i, uint32_t ak, uint8_t out[static 32]);

/*
 * Device `i` with its AK number `ak`: AK 0 is in the file, another takes some 10 us. Its EK
 * activates; its AK has no private half before fleet_device_sign(), which takes some 20 us and which no
 * enrollment for an "ak" certificate needs. `out` is for soft_device_free(), also after a failure, and
 * borrows from the fleet. ERR_INTERNAL "fleet-file".
 */
CHECKED enum err fleet_device(
	const struct fleet *fleet, size_t i, uint32_t ak, struct soft_device *out);
CHECKED enum err fleet_device_sign(
	const struct fleet *fleet, size_t i, uint32_t ak, struct soft_device *device);

/*
 * Beside the file, PATH.enrolled says which AKs were taken and which of them enrolled last. From any
 * thread.
 */
uint32_t fleet_fresh_ak(struct fleet *fleet, size_t i); /* one that was never taken */
void fleet_enrolled(struct fleet *fleet, size_t i, uint32_t ak);
bool fleet_has_enrolled(const struct fleet *fleet, size_t i, uint32_t *ak);
