/* soft_renew.h - the renewal of a device of the software TPM, step by step, so that a test can alter one thing between two. */
#pragma once

#include "enroll/proto/renewal.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/world.h"

/* Set what is different from a right one before the step that takes it. */
struct soft_renewal {
	const struct soft_device *device;
	const struct soft_key *ak; /* the device's */
	const char *service; /* what the AK signs for */
	struct request wish; /* one certificate by "ak", for the device's host */
	struct buf ticket, request, signature;
	struct buf body; /* of POST /v1/renew */
	/* After an answer. */
	int status;
	char code[64];
	char detail[512];
	struct answer *answer;
};
void soft_renewal_init(
	struct soft_renewal *x, const struct soft_device *device, const char *service);
void soft_renewal_free(struct soft_renewal *x); /* for AUTO */

/* POST /v1/renew/ticket; the status. */
int soft_renewal_ticket(struct soft_renewal *x, const struct httpc_peer *peer);
/* Writes the request from the wish. */
void soft_renewal_ask(struct soft_renewal *x);
/* Signs ticket and request. */
void soft_renewal_sign(struct soft_renewal *x);
/* Makes the body, sends it, and reads the answer; the status. */
int soft_renewal_send(struct soft_renewal *x, const struct httpc_peer *peer);
/* All of it; the last status. */
int soft_renew(struct soft_renewal *x, const struct httpc_peer *peer);

/* The last answer had this status and code; "" for 200. */
void assert_renewal(const struct soft_renewal *x, int status, const char *code);

/* A device of the maker that the world trusts, enrolled under this name at its first service. */
void soft_device_enrolled(struct world *world, const char *host, struct soft_device *out);
