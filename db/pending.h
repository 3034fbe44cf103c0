/* pending.h - attempts that are held: TPMs that proved themselves and that nobody vouches for. */
#pragma once

#include "ca/base/buf.h"
#include "db/host.h"

#define ATTEMPT_ID_SIZE 16
#define PENDING_TEXT 513
#define PENDING_CHAIN 8 /* certificates that came with an EK's, at most */

enum pending_state {
	PENDING_HELD,
	PENDING_ACCEPTED, /* this EK may enroll, under the name it asked for */
	PENDING_REJECTED,
};

/* What is kept of an attempt; everything is borrowed. It holds no name. */
struct pending_record {
	const uint8_t *attempt_id; /* ATTEMPT_ID_SIZE, random; used when the attempt is a new one */
	const uint8_t *ticket_digest; /* DIGEST_SIZE: good for no certificate from now on */
	const uint8_t *ek_digest; /* DIGEST_SIZE */
	struct view ek_public; /* TPM2B_PUBLIC */
	struct view ek_certificate; /* DER; empty: it had none */
	const struct view *chain; /* DER, as it was sent */
	size_t chain_n;
	struct view ak_name;
	const char *host; /* NULL: it asked for none */
	const char *manufacturer, *model, *version; /* as its certificate claims; NULL */
	const char *code, *sentence; /* what nobody vouches for */
	const char *rule; /* that holds it */
	const char *request_id;
	const char *client_address;
	const char
		*source; /* where a new one counts for as long as it is held; NULL: it is exempt */
	int64_t now;
};

/* How many may be held at once, and how long: what an admin does not look at in `days` goes away. */
struct pending_limits {
	unsigned attempts, per_ek /* and per AK */, per_address, days /* for pending_purge() */;
};

/* The attempt that the device is told of. */
struct pending_ticket {
	uint8_t attempt_id[ATTEMPT_ID_SIZE];
	bool is_new;
};

/*
 * Holds an attempt, or notes that a known one asked again (the same EK and name: one attempt): `host` is the one that
 * enrollment_lookup() went by. A held one then has the AK and evidence of this time; one that was decided keeps both,
 * and its state. The ticket is good for no certificate in any case. An audit row for a new one only.
 * ERR_LIMITED "pending-limit", naming the limit that is reached: those of the EK and of the AK are looked at first,
 * then the address's, then the whole; exact, however many ask at once. A known one that asks again meets no limit,
 * and what was decided counts for none. ERR_CONFLICT "database-moved": the ticket enrolled meanwhile: look again.
 */
CHECKED enum err pending_hold(struct db *db, const struct pending_record *record,
	const struct pending_limits *limits, struct pending_ticket *out);

/* How many are held, and from where most of them are. */
struct pending_crowd {
	int64_t held, of_source;
	char source[65]; /* "": exempt ones */
};
CHECKED enum err pending_crowd(struct db *db, struct pending_crowd *out);

/* One as it is recorded; free with pending_free(). */
struct pending {
	uint8_t attempt_id[ATTEMPT_ID_SIZE];
	enum pending_state state;
	uint8_t ek_digest[DIGEST_SIZE];
	struct buf ek_public, ek_certificate, chain[PENDING_CHAIN]; /* only from pending_find() */
	size_t chain_n;
	struct buf ak_name;
	char host[254], manufacturer[PENDING_TEXT], model[PENDING_TEXT], version[PENDING_TEXT];
	char code[65], sentence[PENDING_TEXT], rule[PENDING_TEXT], client_address[PENDING_TEXT];
	int64_t first_at, last_at, asked; /* asked: how often */
	int64_t decided_at; /* 0: nobody did */
	char decided_by[PENDING_TEXT], why[PENDING_TEXT];
};
struct pending_page {
	struct pending *items; /* those that asked last first */
	size_t n;
	bool more;
};
void pending_free(struct pending *pending); /* what is inside; accepts zeroes */
void pending_page_free(struct pending_page *page); /* for AUTO; accepts zeroes */

/* Those in this state (-1: any), at most `limit` (1 to 1000). */
CHECKED enum err pending_list(struct db *db, int state, size_t limit, struct pending_page *page);
/* ERR_NOT_FOUND "attempt-unknown". */
CHECKED enum err pending_find(
	struct db *db, const uint8_t attempt_id[static ATTEMPT_ID_SIZE], struct pending *out);
/*
 * Decides it, also one that was decided otherwise before: what was issued meanwhile stays. ERR_NOT_FOUND
 * "attempt-unknown"; ERR_CONFLICT "attempt-decided" when it is in that state already. An enrollment that is
 * recorded after this has returned was made with it. An approval stays good for that EK and name until it is
 * rejected or the name is unbound from its device (host.h).
 */
CHECKED enum err pending_decide(struct db *db, const uint8_t attempt_id[static ATTEMPT_ID_SIZE],
	enum pending_state state, const struct act *act);

/* Removes what nobody decided in `days` since it asked first, and tickets of held attempts that are too old to be
 * opened. By the database's clock. */
CHECKED enum err pending_purge(struct db *db, unsigned days);
