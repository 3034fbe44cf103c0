/* current.h - which snapshot of the service is today's, and who still holds an older one. */
#pragma once

#include "enroll/flow/service.h"

struct current; /* safe from any thread */

/* Takes `*first` over and leaves NULL. `*out` is the caller's, for current_free(). */
CHECKED enum err current_make(struct service **first, struct current **out);
/* Everybody must have released what he took. */
void current_free(struct current **current);

/*
 * Today's snapshot, held until current_release(): whoever took it keeps the rules he began with. It
 * is only to be read. Neither call waits for anything.
 */
struct service *current_take(struct current *current);
/* Accepts NULL inside, leaves NULL behind. The last holder of an old snapshot frees it. */
void current_release(struct current *current, struct service **held);

/* From now on `*next` is taken; it is taken over, and NULL left. */
void current_replace(struct current *current, struct service **next);

/*
 * Today's snapshot as a reading of the configuration made it, held until current_release().
 */
struct service *current_take_made(struct current *current);

/*
 * Makes a snapshot of `*made`, which is such a one and differs from it in nothing but `*trust` and what
 * `imported` says of that. Both are taken over, and NULL left; `*made` with the caller's hold, or as
 * nobody's when it is new. `*out` is for current_replace(), or service_free() when nobody has seen it.
 */
CHECKED enum err current_derive(struct service **made, struct trust **trust,
	const struct imported_state *imported, struct service **out);
