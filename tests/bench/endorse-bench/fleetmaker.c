#include "tests/bench/endorse-bench/fleetmaker.h"

#include "ca/base/crypt.h"
#include "ca/base/ossl.h"
#include "tests/bench/endorse-bench/manufacturer.h"
#include "tests/bench/endorse-bench/mapping.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Primes that moduli are drawn from: finding 32 of them for each device would take longer than all
 * the rest, and any 32 of 2048 make a modulus that no other device has.
 */
#define POOL 2048

struct making {
	const struct fleet_plan *plan;
	struct manufacturer manufacturer;
	uint64_t pool[POOL];
	uint8_t seed[32];
	struct mapping file;
	atomic_size_t next;
	/* The first failure of any thread. */
	atomic_bool has_failed;
	struct kept_reason reason;
};

/* Shares so that a kind is due when it is furthest behind its part. */
enum fleet_kind fleet_kind_of(const unsigned mix[static FLEET_KINDS], size_t i)
{
	size_t made[FLEET_KINDS] = {0}, all = 0;
	enum fleet_kind kind = FLEET_RSA;

	for (size_t k = 0; k < FLEET_KINDS; k++)
		all += mix[k];
	for (size_t n = 0; n <= i % all; n++) {
		kind = FLEET_KINDS;
		for (enum fleet_kind k = 0; k < FLEET_KINDS; k++)
			if (mix[k] > 0 &&
				(kind == FLEET_KINDS ||
					(made[k] + 1) * mix[kind] < (made[kind] + 1) * mix[k]))
				kind = k;
		made[kind]++;
	}
	return kind;
}

static enum err find_prime(uint64_t *out)
{
	AUTO(bn_free) BIGNUM *bn = NULL;

	for (;;) {
		uint8_t bytes[8];
		uint64_t candidate = 0;

		TRY(random_bytes(bytes, sizeof(bytes)));
		bytes[0] |= 0xfc;
		bytes[7] |= 1;
		for (size_t i = 0; i < sizeof(bytes); i++)
			candidate = candidate << 8 | bytes[i];
		bn = BN_bin2bn(bytes, sizeof(bytes), bn);
		if (bn == NULL)
			return fail(ERR_INTERNAL, "crypto", "no prime");
		if (soft_prime_fits(candidate) && BN_check_prime(bn, NULL, NULL) == 1) {
			*out = candidate;
			return OK;
		}
	}
}

static enum err draw_primes(const struct making *making, uint64_t out[static SOFT_PRIMES])
{
	uint16_t dice[SOFT_PRIMES];

	for (size_t n = 0; n < SOFT_PRIMES;) {
		bool is_there = false;

		if (n % SOFT_PRIMES == 0)
			TRY(random_bytes((uint8_t *)dice, sizeof(dice)));
		else
			TRY(random_bytes((uint8_t *)&dice[n], sizeof(dice[n])));
		out[n] = making->pool[dice[n] % POOL];
		for (size_t i = 0; i < n; i++)
			is_there |= out[i] == out[n];
		n += !is_there;
	}
	return OK;
}

/* RFC 8017 A.1.1: RSAPublicKey of a modulus of 2048 bits and the exponent 65537. */
static void rsa_bits(const uint64_t primes[static SOFT_PRIMES], struct buf *out)
{
	static const uint8_t before[] = {0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00};
	static const uint8_t after[] = {0x02, 0x03, 0x01, 0x00, 0x01};
	uint8_t modulus[SOFT_MODULUS_SIZE];

	soft_modulus(primes, modulus);
	buf_add(out, VIEW(before));
	buf_add(out, VIEW(modulus));
	buf_add(out, VIEW(after));
}

static enum err curve_bits(struct fleet_record *record, struct buf *out)
{
	const bool is_p256 = record->kind == FLEET_P256;
	const EC_GROUP *group = soft_group(is_p256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	const size_t width = fleet_width(record->kind);
	uint8_t point[2 * 48];

	TRY(random_bytes(record->ek.curve.scalar, width));
	/* Below the orders, which both begin with 32 ones. */
	record->ek.curve.scalar[0] &= 0x7f;
	if (group == NULL ||
		!soft_point(group, (struct view){record->ek.curve.scalar, width}, point, width))
		return fail(ERR_INTERNAL, "crypto", "no EK");
	memcpy(record->ek.curve.x, point, width);
	memcpy(record->ek.curve.y, point + width, width);
	buf_u8(out, 0x04);
	buf_add(out, (struct view){point, 2 * width});
	return OK;
}

static enum err make_ek(const struct making *making, struct fleet_record *record, struct buf *bits)
{
	if (record->kind != FLEET_RSA)
		return curve_bits(record, bits);
	TRY(draw_primes(making, record->ek.primes));
	rsa_bits(record->ek.primes, bits);
	return OK;
}

static enum err make_device(const struct making *making, const struct manufacturer *manufacturer,
	size_t i, struct fleet_record *record)
{
	AUTO(buf_free) struct buf bits = BUF(512), der = BUF(sizeof(record->certificate));
	uint8_t scalar[32];

	record->kind = fleet_kind_of(making->plan->mix, i);
	TRY(make_ek(making, record, &bits));
	TRY(manufacturer_certify(manufacturer, record->kind, buf_view(&bits), &der));
	memcpy(record->certificate, der.p, der.n);
	record->certificate_n = (uint32_t)der.n;
	TRY(fleet_ak_scalar(making->seed, i, 0, scalar));
	return soft_point(soft_group(NID_X9_62_prime256v1), VIEW(scalar), record->ak, 32)
		       ? OK
		       : fail(ERR_INTERNAL, "crypto", "no AK");
}

static enum err make_some(struct making *making)
{
	AUTO(manufacturer_free) struct manufacturer own;
	struct fleet_record *records =
		(struct fleet_record *)((uint8_t *)making->file.at + FLEET_HEADER_SIZE);
	size_t i;

	TRY(manufacturer_share(&making->manufacturer, &own));
	while ((i = atomic_fetch_add(&making->next, 1)) < making->plan->devices &&
		!atomic_load(&making->has_failed))
		TRY(make_device(making, &own, i, &records[i]));
	return OK;
}

static void *work(void *of)
{
	struct making *making = of;
	bool expected = false;

	if (make_some(making) != OK &&
		atomic_compare_exchange_strong(&making->has_failed, &expected, true))
		reason_keep(&making->reason);
	return NULL;
}

static enum err make_all(struct making *making)
{
	pthread_t threads[64];
	const size_t wanted = making->plan->threads;
	size_t n = 0;

	while (n < wanted && n < COUNT(threads) &&
		pthread_create(&threads[n], NULL, work, making) == 0)
		n++;
	if (n == 0)
		work(making);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return making->has_failed ? reason_again(&making->reason) : OK;
}

static void making_free(struct making **making)
{
	if (*making == NULL)
		return;
	mapping_free(&(*making)->file);
	manufacturer_free(&(*making)->manufacturer);
	free(*making);
}

/* Last, so that a file that is not finished is none. */
static void write_header(struct making *making)
{
	const struct fleet_plan *plan = making->plan;
	struct fleet_header *header = making->file.at;

	header->order = FLEET_ORDER;
	header->devices = plan->devices;
	header->record_size = sizeof(struct fleet_record);
	memcpy(header->seed, making->seed, sizeof(header->seed));
	snprintf(header->service, sizeof(header->service), "%s",
		plan->service == NULL ? "" : plan->service);
	snprintf(header->domain, sizeof(header->domain), "%s", plan->domain);
	memcpy(header->magic, FLEET_MAGIC, sizeof(header->magic));
}

static enum err forget(const char *path)
{
	AUTO(buf_free) struct buf state = BUF(4096);

	buf_fmt(&state, "%s.enrolled", path);
	TRY(buf_ok(&state));
	if (unlink(buf_text(&state)) == 0 || errno == ENOENT)
		return OK;
	return fail(ERR_INTERNAL, "file-write", "%s: %s", buf_text(&state), strerror(errno));
}

enum err fleet_make(const struct fleet_plan *plan)
{
	AUTO(making_free) struct making *making = calloc(1, sizeof(*making));

	if (making == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "calloc");
	making->plan = plan;
	TRY(random_bytes(making->seed, sizeof(making->seed)));
	TRY(manufacturer_make(&making->manufacturer));
	TRY(manufacturer_publish(&making->manufacturer, plan->roots));
	for (size_t i = 0; i < POOL; i++)
		TRY(find_prime(&making->pool[i]));
	TRY(forget(plan->path));
	TRY(mapping_make(plan->path,
		FLEET_HEADER_SIZE + plan->devices * sizeof(struct fleet_record), &making->file));
	TRY(make_all(making));
	write_header(making);
	return OK;
}
