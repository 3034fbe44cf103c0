/* soft_enroll.h - devices of the software TPM that enroll over the network: cheap, and from any thread. */
#pragma once

#include "tests/flow/httpc.h"
#include "tests/flow/maker.h"
#include "tests/softtpm/enrollment.h"

/* What a device is made of; keys that are NULL are made. */
struct soft_plan {
	enum soft_ek ek;
	EVP_PKEY *ek_pkey;
	enum soft_ak ak;
	EVP_PKEY *ak_pkey;
	const char *service, *host;
	const struct ek_wish *wish; /* how its EK certificate differs from a right one */
};

/* Makes both keys, and has the EK certified; ends the test when it cannot. From any thread. */
void soft_device_make(const struct soft_plan *plan, struct maker *maker, struct soft_device *out);

/* How an enrollment ended. */
struct soft_outcome {
	int status; /* of the last answer; 200: enrolled; 0: no answer, or one that cannot be used */
	bool has_ticket; /* it was /v1/enroll that answered last */
	int retry_after; /* seconds; -1: not said */
	char code[64]; /* reason code of a refusal; with status 0, why the answer is of no use */
	char detail[256];
	struct buf certificate; /* DER, when enrolled */
};
void soft_outcome_free(struct soft_outcome *outcome);

/* The whole of it, each request on a connection of its own. `out` is overwritten. */
void soft_enroll(const struct soft_device *device, const struct httpc_peer *peer,
	const char *service, struct soft_outcome *out);
