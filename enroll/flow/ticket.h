/* ticket.h - what the service would have to remember between two requests, kept by the device
 * instead. PROTOCOL.md, "The ticket". */
#pragma once

#include "ca/base/clock.h"
#include "ca/base/crypt.h"

#define TICKET_LIFE 300 /* seconds */
#define TICKET_SKEW CLOCK_SKEW /* how old a ticket may seem to be before it is made */

struct ticket_keys; /* made from the master key, for one service; safe from any thread */

/*
 * `master` can mint proofs and is guarded like a CA key. `*out` is the caller's. Epoch keys are
 * HKDF-SHA-256(master, salt = service, info = "endorse/1 ticket" 00 | key id | BE64 epoch).
 */
CHECKED enum err ticket_keys_make(
	const struct secret_key *master, const char *service, struct ticket_keys **out);
void ticket_keys_free(struct ticket_keys **keys);
/* Made from the same master key? */
bool ticket_keys_equal(const struct ticket_keys *a, const struct ticket_keys *b);

struct ticket {
	struct secret_key session; /* the credential that MakeCredential carries */
	int64_t issued_at;
	uint8_t claim_digest[SHA256_SIZE];
	uint8_t trust_version[SHA256_SIZE]; /* what the claim was judged by */
	uint8_t policy_version[SHA256_SIZE];
};
void ticket_wipe(struct ticket *ticket); /* for AUTO */

/* Appends the sealed ticket. */
CHECKED enum err ticket_seal(
	const struct ticket_keys *keys, const struct ticket *ticket, struct buf *sealed);

/*
 * Opens a ticket at `now`. ERR_UNPROVEN "ticket-expired" for one of ours that is too old;
 * ERR_UNPROVEN "ticket-invalid", always with the same text, for everything else.
 */
CHECKED enum err ticket_open(
	const struct ticket_keys *keys, struct view sealed, int64_t now, struct ticket *out);

/*
 * What a renewal begins with: a ticket of the same keys that enrolls nobody, as none to enroll
 * renews.
 */
struct renewal_ticket {
	int64_t issued_at;
	uint8_t ak_digest[SHA256_SIZE]; /* SHA-256 of the AK's Name */
};

/* As the two above. Epoch keys have the info "endorse/1 renewal ticket" 00 | key id | BE64 epoch. */
CHECKED enum err renewal_ticket_seal(
	const struct ticket_keys *keys, const struct renewal_ticket *ticket, struct buf *sealed);
CHECKED enum err renewal_ticket_open(const struct ticket_keys *keys, struct view sealed,
	int64_t now, struct renewal_ticket *out);
