/* attempt.h - an enrollment as the service would make it, with made-up keys and certificates. */
#pragma once

#include "db/enrollment.h"

#define NOW 1800000000 /* 2027-01-15 */
#define YEAR (365 * 86400)

/* Transactions that wrote tickets: fewer than tickets, when some were shared. */
#define ATTEMPTS_SHARED "SELECT count(*) - count(DISTINCT xmin::text) FROM ticket"
/* Devices of which everything is there that a first enrollment with one certificate writes. */
#define ATTEMPTS_WHOLE                                                                             \
	"SELECT count(*) FROM device JOIN ek USING (device_id) JOIN host USING (device_id)"        \
	" JOIN ak USING (device_id) JOIN ticket USING (device_id)"                                 \
	" JOIN certificate USING (device_id) JOIN audit USING (device_id)"                         \
	" WHERE ticket.serials = ARRAY[certificate.serial] AND certificate.binding = host.binding" \
	" AND ak.ek_digest = ek.ek_digest AND certificate.ak_name = ak.name"                       \
	" AND certificate.host = host.name AND ticket.host = host.name"                            \
	" AND audit.ek_digest = ek.ek_digest AND audit.serials = ticket.serials"

/* One attempt: which TPM, for which name. The fields may be changed before the trips. */
struct attempt {
	struct db *db;
	const char *host; /* NULL: the one that the EK is registered for */
	uint8_t ek_digest[DIGEST_SIZE];
	uint8_t ak_name[34];
	uint8_t ticket_digest[DIGEST_SIZE];
	uint8_t request_digest[DIGEST_SIZE];
	uint8_t grant_digest[DIGEST_SIZE];
	uint8_t new_device_id[DEVICE_ID_SIZE];
	uint8_t serial[16]; /* of the first certificate; the next ones count its last byte up */
	unsigned certificates_n; /* new ones; 0: those that the first trip found are returned */
	unsigned stored_n; /* how many of those come before the new ones */
	unsigned ssh_serials; /* asked for */
	bool wants_ak_certificates;
	unsigned crl_places; /* asked for */
	const uint8_t *issuer; /* of the new certificates, which go to the shards of those */
	bool is_renewal;
	const uint8_t *device_id; /* the first trip is told whose the AK is; NULL: it is not */
	unsigned live_aks_max;
	bool ak_alone;
	bool host_alias;
	const char *trust_class; /* NULL: manufacturer */
	bool is_unnamed; /* no certificate says what TPM it is */
	bool is_bare; /* there is none at all, nor others of a chain */
	bool is_over; /* its certificates end before they begin */
	const char *kind; /* of its certificates, which then have no shard; NULL: x509 */
	int64_t now;
	struct enrollment_facts facts; /* after attempt_lookup() */
	enum err err; /* after attempt_once() */
	char code[64];
};

/*
 * EK and AK are those of TPM number `tpm`; ticket, device id and serial are random. Free with
 * enrollment_facts_free(&attempt.facts).
 */
struct attempt attempt_of(struct db *db, unsigned tpm, const char *host);
/* Another AK of the same TPM, another EK of the same TPM. */
void attempt_use_ak(struct attempt *attempt, unsigned ak);
void attempt_use_ek(struct attempt *attempt, unsigned ek);
/* A new ticket, and serials that were not used before. */
void attempt_anew(struct attempt *attempt);

/* The first trip. */
enum err attempt_look(struct attempt *attempt);
/* The same; fails the test when it does not succeed. */
void attempt_lookup(struct attempt *attempt);
/* The first trip of `n`, at most COMPANY_MAX, in one; what only some need is not asked then. */
enum err attempts_look(struct attempt *const *attempts, size_t n);
/* The second trip, with what the first one saw. */
enum err attempt_record(struct attempt *attempt);
/* The same of `n` new devices, at most BATCH_MAX, in one transaction. */
enum err attempts_record(struct attempt *const *attempts, size_t n);
/* Both, for threads: `of_attempt` is a struct attempt *; returns NULL. */
void *attempt_once(void *of_attempt);
/* Both, as often as the database moved; fails the test when it does not succeed in the end. */
void attempt_enroll(struct attempt *attempt);
