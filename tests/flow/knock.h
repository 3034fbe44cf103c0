/* knock.h - a soft device at the door, body by body, so that a test can send the same again. */
#pragma once

#include "db/pending.h"
#include "enroll/proto/problem.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/world.h"

struct knock {
	struct world *world;
	const struct httpc_peer *peer;
	struct soft_enrollment x;
	struct buf body; /* of POST /v1/enroll, once there is a ticket */
	/* The last answer. */
	int status;
	int retry_after; /* -1: not said */
	struct problem problem;
};

/* At the world's first service; a test changes peer, x.template and x.is_check as it likes. */
void knock_init(struct knock *knock, struct world *world, const struct soft_device *device);
void knock_free(struct knock *knock); /* for AUTO */
/* A new ticket, and the body for it; the status. */
int knock_ticket(struct knock *knock);
/* Sends the body, for the first time or again, and opens the answer; the status. */
int knock_enroll(struct knock *knock);
/* Both; the last status. */
int knock_at(struct knock *knock);

/* The same for a device that comes once. */
void assert_knock(
	struct world *world, const struct soft_device *device, int status, const char *code);
/* The last answer had this status and code; "" for 200. */
void assert_answer(const struct knock *knock, int status, const char *code);

/* How a stranger's device is made. */
struct stranger_plan {
	struct maker *maker;
	const char *host; /* NULL: none */
	bool without_certificate;
	enum soft_ek ek;
	const struct ek_wish *wish;
};
/* One with new keys. */
void stranger_make(struct world *world, const struct stranger_plan *plan, struct soft_device *out);
/* One of a maker, with an EK of template L-2, that wants this name. */
void stranger_of(
	struct world *world, struct maker *maker, const char *host, struct soft_device *out);
/* The digest that records know its EK by. */
void ek_digest_of(const struct soft_device *device, uint8_t out[static DIGEST_SIZE]);

/* A world with this policy, and a maker whom it does not know; for the set-up of a group, and its end. */
void strangers_begin(const char *policy, struct world *world, struct maker *nobody);
void strangers_end(struct world *world, struct maker *nobody);

/* Nobody is enrolled, and no name taken. */
void assert_nothing_bound(struct world *world);
/* Forgets everybody who is enrolled, held or registered. */
void world_forget(struct world *world);

/* What admins do, straight at the database. */
void knock_decide(struct world *world, const char *attempt, enum pending_state state);
