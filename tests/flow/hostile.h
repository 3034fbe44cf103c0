/* hostile.h - faults, each the only one in an enrollment that would otherwise succeed. */
#pragma once

#include "tests/flow/dialogue.h"
#include "tests/flow/world.h"

/* When a fault is made. */
enum moment {
	BEFORE_CLAIM, /* keys and certificate are there; answered by /v1/ticket */
	BEFORE_TICKET, /* the claim's bytes are made; answered by /v1/ticket */
	BEFORE_CLAIM_PROVEN, /* as BEFORE_CLAIM, and answered by /v1/enroll */
	BEFORE_PROOF, /* the credential is activated, the proof is not made; answered by /v1/enroll */
	BEFORE_ENROLL, /* the proof is made; answered by /v1/enroll */
};

/* Whom a fault may need; [1] belongs to somebody else. */
struct cast {
	struct world *world;
	struct device devices[2];
	struct maker stranger; /* a manufacturer that nobody trusts */
};

struct fault {
	const char *name;
	enum moment moment;
	void (*make)(struct dialogue *x, struct cast *cast);
	int status;
	const char *code;
	enum ak_shape shape; /* AK_P256 unless the fault needs another */
};

/* The rows of each end with name NULL. */
extern const struct fault ak_faults[], ek_faults[], claim_faults[], proof_faults[];
