/* asker.h - a TPM that nobody vouches for, as it asks to be held, with made-up evidence. */
#pragma once

#include "attempt.h"
#include "db/pending.h"

extern const struct view asker_ek_public, asker_certificate, asker_issuer, asker_root;

/* The fields may be changed before it asks. */
struct asker {
	struct db *db;
	struct attempt attempt; /* its keys and ticket */
	struct view chain[2]; /* asker_issuer, asker_root */
	uint8_t attempt_id[ATTEMPT_ID_SIZE];
	struct pending_record record; /* points to what is above: an asker stays where it is */
	struct pending_limits limits; /* 1000 attempts, 4 of an EK, 20 from an address, 7 days */
	struct pending_ticket out;
	enum err err; /* after asker_ask() */
};
void asker_init(struct asker *asker, struct db *db, unsigned tpm, const char *host);
/* Another ticket, another id. */
void asker_anew(struct asker *asker);

/* Asks once, for threads: `of_asker` is a struct asker *; returns NULL. */
void *asker_ask(void *of_asker);
/* The same; fails the test when it is not held. */
void asker_hold(struct asker *asker);
