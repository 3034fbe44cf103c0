/* decide.h - what an admin sees of held attempts, and decides about them. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/pending.h"

/* Those in a state ("held", "accepted", "rejected", "all"; NULL: held). `out` is overwritten, and for
 * waiting_list_free() also after a failure. ERR_MALFORMED "query-value". */
CHECKED enum err decide_list(
	const struct service *service, const char *state, struct waiting_list *out);

/* One with its evidence; `out` is one of waiting_init(). ERR_MALFORMED "attempt-id"; ERR_NOT_FOUND
 * "attempt-unknown". */
CHECKED enum err decide_show(const struct service *service, const char *id, struct waiting *out);

/* Accepts or rejects it. ERR_MALFORMED "attempt-id", "why-missing"; those of pending_decide(). */
CHECKED enum err decide(const struct service *service, const struct caller *caller, const char *who,
	const struct decide_request *request, enum waiting_state state);

/*
 * Trusts a CA certificate that an attempt came with, as a root of the operator's: the one that is named by its
 * digest, and only if from it, as the only anchor, a whole path leads to the attempt's EK certificate. Nothing is decided about the attempt: its
 * next ask is judged by what is trusted then. Besides the above ERR_REJECTED "ca-not-sent" (there is none),
 * "ca-no-path" (it is none of them, or does not lead to the EK certificate), and those of candidate_judge(), vouching_read()
 * and trusted_import().
 */
CHECKED enum err decide_trust_ca(const struct service *service, const struct caller *caller,
	const char *who, const struct trust_ca_request *request, struct trust_ca_answer *out);
