/* four.h - one enrollment of four certificates by a device of the software TPM, step by step. */
#pragma once

#include "enroll/proto/problem.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/world.h"

/* By which such a device may have all four; its name below web-*.example.test. */
extern const char four_policy[];

/* Whose: keys in a TPM, and a host key of OpenSSH's that lies in a file. */
struct four_device {
	struct soft_device device;
	struct soft_key tls; /* P-256, signs */
	struct buf ssh; /* public key blob of an Ed25519 key */
};
void four_device_make(struct world *world, const char *host, struct four_device *out);
void four_device_free(struct four_device *device);

struct four {
	struct four_device *device; /* borrowed */
	const struct httpc_peer *peer;
	struct soft_want wants[LIMIT_KEYS]; /* ak, platform-property, tls-server, ssh-host */
	struct soft_enrollment x;
	struct buf body; /* of POST /v1/enroll */
	struct httpc_answer last;
	struct problem problem; /* filled when the last status was not 200 */
};
void four_init(struct four *four, struct world *world, struct four_device *device);
void four_free(struct four *four);

/* A ticket, and the proof over the request; false when there is no ticket. */
bool four_prove(struct four *four, const char *service);
/* Sends `body`, also again; the status. After 200 the answer is in x.answer. */
int four_enroll(struct four *four, const struct httpc_peer *peer);
/* Both; the status. */
int four_run(struct four *four, const char *service);
