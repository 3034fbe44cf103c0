/* strangers.h - who was turned away before proving anything, or with an EK that nobody vouches for: the latest
 * of them, in memory only. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/strangers.h"

struct strangers; /* safe from any thread */

CHECKED enum err strangers_make(struct strangers **out);
void strangers_free(struct strangers **strangers);

/*
 * Notes one. The same address with the same host and reason is one entry, which counts; at most
 * STRANGERS_MAX are kept. The oldest entry of the address that has most of them makes room, so that one
 * who tries many things does not push the others out.
 */
void strangers_add(struct strangers *strangers, const struct caller *caller,
	const struct outcome *outcome, const struct reason *reason);

/* Those after `after`, in their order, for strangers_answer_free(). */
CHECKED enum err strangers_read(
	struct strangers *strangers, int64_t after, struct strangers_answer *out);
