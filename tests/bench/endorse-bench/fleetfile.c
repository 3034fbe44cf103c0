#include "tests/bench/endorse-bench/fleetfile.h"

#include "ca/base/crypt.h"
#include "tests/bench/endorse-bench/mapping.h"

#include <openssl/obj_mac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct fleet_header) <= FLEET_HEADER_SIZE, "the header has its room");
_Static_assert(sizeof(struct fleet_record) == 2048, "a record is what the magic's version says");

const char *const fleet_kinds[FLEET_KINDS] = {"rsa", "p256", "p384"};

static const enum soft_ek templates[FLEET_KINDS] = {SOFT_L1, SOFT_L2, SOFT_H3};

/* What became of a device's AKs. Numbers begin at 0, so a count is the next one. */
struct history {
	uint32_t taken;
	uint32_t enrolled; /* the last one's number + 1; 0: none */
};

struct fleet {
	struct mapping file, state;
	const struct fleet_header *header;
	const struct fleet_record *records;
	struct history *histories;
	char service[FLEET_NAME_SIZE];
	/* The same for all devices but for their keys. */
	TPMT_PUBLIC ek_areas[FLEET_KINDS], ak_area;
};

size_t fleet_width(enum fleet_kind kind)
{
	return kind == FLEET_P384 ? 48 : 32;
}

static enum err bad_file(const char *path, const char *what)
{
	return fail(ERR_INTERNAL, "fleet-file", "%s: %s; \"endorse-bench fleet\" makes such files",
		path, what);
}

static bool ends(const char *name, size_t room)
{
	return memchr(name, '\0', room) != NULL;
}

static enum err judge(const char *path, const struct mapping *file)
{
	const struct fleet_header *header = file->at;

	if (memcmp(header->magic, FLEET_MAGIC, sizeof(header->magic)) != 0)
		return bad_file(path, "not a fleet, or one of another version");
	if (header->order != FLEET_ORDER || header->record_size != sizeof(struct fleet_record) ||
		!ends(header->service, sizeof(header->service)) ||
		!ends(header->domain, sizeof(header->domain)))
		return bad_file(path, "a fleet of another machine");
	if (header->devices == 0 ||
		header->devices != (file->n - FLEET_HEADER_SIZE) / header->record_size ||
		(file->n - FLEET_HEADER_SIZE) % header->record_size != 0)
		return bad_file(path, "a fleet that is not whole");
	return OK;
}

static enum err open_state(const char *path, struct fleet *fleet)
{
	char state[4096];

	if (snprintf(state, sizeof(state), "%s.enrolled", path) >= (int)sizeof(state))
		return bad_file(path, "too long a path");
	TRY(mapping_keep(state, fleet->header->devices * sizeof(struct history), &fleet->state));
	fleet->histories = fleet->state.at;
	return OK;
}

static enum err use(
	const char *path, const char *service, const char *otherwise, struct fleet *fleet)
{
	fleet->header = fleet->file.at;
	fleet->records =
		(const struct fleet_record *)((const uint8_t *)fleet->file.at + FLEET_HEADER_SIZE);
	if (service == NULL)
		service = fleet->header->service[0] != '\0' ? fleet->header->service : otherwise;
	if (service == NULL || strlen(service) >= sizeof(fleet->service))
		return fail(ERR_MALFORMED, "usage", "%s does not say for which service: --service",
			path);
	snprintf(fleet->service, sizeof(fleet->service), "%s", service);
	for (size_t kind = 0; kind < FLEET_KINDS; kind++)
		soft_ek_area(templates[kind], &fleet->ek_areas[kind]);
	soft_ak_area(SOFT_P256, fleet->service, &fleet->ak_area);
	return open_state(path, fleet);
}

enum err fleet_open(
	const char *path, const char *service, const char *otherwise, struct fleet **out)
{
	AUTO(fleet_free) struct fleet *fleet = calloc(1, sizeof(*fleet));

	if (fleet == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "calloc");
	TRY(mapping_read(path, FLEET_HEADER_SIZE, &fleet->file));
	TRY(judge(path, &fleet->file));
	TRY(use(path, service, otherwise, fleet));
	*out = MOVE(fleet);
	return OK;
}

void fleet_free(struct fleet **fleet)
{
	if (*fleet == NULL)
		return;
	mapping_free(&(*fleet)->file);
	mapping_free(&(*fleet)->state);
	free(*fleet);
	*fleet = NULL;
}

size_t fleet_devices(const struct fleet *fleet)
{
	return fleet->header->devices;
}

const char *fleet_service(const struct fleet *fleet)
{
	return fleet->service;
}

enum err fleet_ak_scalar(
	const uint8_t seed[static 32], size_t i, uint32_t ak, uint8_t out[static 32])
{
	const uint64_t number[2] = {i, ak};

	TRY(hmac_sha256(
		seed, (const struct view[]){{(const uint8_t *)number, sizeof(number)}}, 1, out));
	/* Below the order of P-256, which begins with 32 ones. */
	out[0] &= 0x7f;
	return OK;
}

/* What is left of the EK: its public half is in the certificate, and of RSA no one needs more. */
static void give_ek(
	const struct fleet *fleet, const struct fleet_record *record, struct soft_key *out)
{
	TPMT_PUBLIC *area = &out->public.publicArea;
	const size_t width = fleet_width(record->kind);

	*area = fleet->ek_areas[record->kind];
	if (record->kind == FLEET_RSA) {
		out->secret = VIEW(record->ek.primes);
		return;
	}
	out->secret = (struct view){record->ek.curve.scalar, width};
	area->unique.ecc.x.size = area->unique.ecc.y.size = (UINT16)width;
	memcpy(area->unique.ecc.x.buffer, record->ek.curve.x, width);
	memcpy(area->unique.ecc.y.buffer, record->ek.curve.y, width);
}

static enum err give_ak(const struct fleet *fleet, size_t i, uint32_t ak, struct soft_key *out)
{
	TPMT_PUBLIC area = fleet->ak_area;
	TPMS_ECC_POINT *point = &area.unique.ecc;
	uint8_t scalar[32], made[2 * 32];
	const uint8_t *bytes = fleet->records[i].ak;

	if (ak > 0) {
		TRY(fleet_ak_scalar(fleet->header->seed, i, ak, scalar));
		if (!soft_point(soft_group(NID_X9_62_prime256v1), VIEW(scalar), made, 32))
			return fail(ERR_INTERNAL, "fleet-file", "no AK");
		bytes = made;
	}
	point->x.size = point->y.size = 32;
	memcpy(point->x.buffer, bytes, 32);
	memcpy(point->y.buffer, bytes + 32, 32);
	return soft_key_know(&area, out) ? OK : fail(ERR_INTERNAL, "fleet-file", "no AK");
}

enum err fleet_device(const struct fleet *fleet, size_t i, uint32_t ak, struct soft_device *out)
{
	const struct fleet_record *record = &fleet->records[i];

	*out = (struct soft_device){
		.ek_certificate = BUF(sizeof(record->certificate)), .ek_public = BUF(0)};
	if (i >= fleet_devices(fleet) || record->kind >= FLEET_KINDS ||
		record->certificate_n > sizeof(record->certificate))
		return fail(ERR_INTERNAL, "fleet-file", "device %zu is damaged", i);
	give_ek(fleet, record, &out->ek);
	buf_add(&out->ek_certificate, (struct view){record->certificate, record->certificate_n});
	snprintf(out->host, sizeof(out->host), "b-%06zu.%s", i + 1, fleet->header->domain);
	TRY(buf_ok(&out->ek_certificate));
	return give_ak(fleet, i, ak, &out->ak);
}

enum err fleet_device_sign(
	const struct fleet *fleet, size_t i, uint32_t ak, struct soft_device *device)
{
	uint8_t scalar[32];

	TRY(fleet_ak_scalar(fleet->header->seed, i, ak, scalar));
	return soft_key_scalar(&device->ak, VIEW(scalar))
		       ? OK
		       : fail(ERR_INTERNAL, "fleet-file", "no AK");
}

uint32_t fleet_fresh_ak(struct fleet *fleet, size_t i)
{
	return __atomic_fetch_add(&fleet->histories[i].taken, 1, __ATOMIC_RELAXED);
}

void fleet_enrolled(struct fleet *fleet, size_t i, uint32_t ak)
{
	uint32_t none = 0;

	/* AK 0 is taken without asking. */
	__atomic_compare_exchange_n(
		&fleet->histories[i].taken, &none, 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	__atomic_store_n(&fleet->histories[i].enrolled, ak + 1, __ATOMIC_RELAXED);
}

bool fleet_has_enrolled(const struct fleet *fleet, size_t i, uint32_t *ak)
{
	*ak = __atomic_load_n(&fleet->histories[i].enrolled, __ATOMIC_RELAXED) - 1;
	return *ak != UINT32_MAX;
}
