/* lock.h - who waits for whom where there is no row to lock. Not for other folders. */
#pragma once

#include "db/query.h"

/*
 * What an enrollment is decided on may be that a row is *not* there: no other EK is registered for its
 * name, its ticket was not answered with a held attempt. No row lock keeps such a row from coming, so
 * whoever records or decides says first what he is about to do. Always the first step of a
 * pipeline: what the next statements read was committed before the lock was had. All of them end with the
 * transaction. For READ COMMITTED and SERIALIZABLE; under REPEATABLE READ the steps behind would see the
 * past, and lock_add_*() fail with "database-moved".
 */

/* An enrollment with this ticket is recorded: together with others, but not with lock_add_rules() and
 * not with a lock_add_hold() of the same ticket. */
void lock_add_enrollment(struct pipeline *trip, const uint8_t ticket_digest[static 32]);

/* Many at once: a bigint[] of their lock_ticket_key(), ascending, so that two of these wait for each other in one
 * order. */
void lock_add_enrollments(struct pipeline *trip, struct value ticket_keys);
struct value lock_ticket_key(const uint8_t ticket_digest[static 32]);

/* The allow-list or a decision on an attempt is changed, a name barred, a CA revoked: alone, no enrollment
 * meanwhile. */
void lock_add_rules(struct pipeline *trip);

/* What a shard of the CRL is, is said anew: one at a time. Whoever draws a place waits for nobody. */
void lock_add_plan(struct pipeline *trip);

/* An attempt is held: one at a time, so that they can be counted. */
void lock_add_hold(struct pipeline *trip, const uint8_t ticket_digest[static 32]);
