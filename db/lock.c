#include "db/lock.h"

#include "db/connection.h"

/*
 * The keys are "ek-rules" and "ek-holds" in ASCII. A ticket's key is the first 8 bytes of its
 * digest: two tickets with one key would only wait for each other. Taken in this order: rules or
 * holds, then the ticket, then rows; nobody who has a row or a ticket waits for the first.
 */
#define RULES "7307984789958321523"
#define HOLDS "7307984746907985011"
#define PLAN "7165908899515359598" /* "crl-plan"; with no other */
#define INSIST_LEVEL                                                                               \
	", insist(current_setting('transaction_isolation') <> 'repeatable read',"                  \
	" 'the isolation level repeatable read shows the past')"

static const struct statement lock_enrollment = {"lock_enrollment",
	"SELECT pg_advisory_xact_lock_shared(" RULES "),"
	" pg_advisory_xact_lock($1::bigint)" INSIST_LEVEL};

static const struct statement lock_enrollments = {"lock_enrollments",
	"SELECT pg_advisory_xact_lock_shared(" RULES "),"
	" pg_advisory_xact_lock(ticket)" INSIST_LEVEL " FROM unnest($1::bigint[]) AS ticket"};

static const struct statement lock_rules = {
	"lock_rules", "SELECT pg_advisory_xact_lock(" RULES ")" INSIST_LEVEL};

static const struct statement lock_hold = {"lock_hold",
	"SELECT pg_advisory_xact_lock(" HOLDS "), pg_advisory_xact_lock($1::bigint)" INSIST_LEVEL};

static const struct statement lock_plan = {
	"lock_plan", "SELECT pg_advisory_xact_lock(" PLAN ")" INSIST_LEVEL};

const struct statement *const lock_statements[] = {
	&lock_enrollment, &lock_enrollments, &lock_rules, &lock_hold, &lock_plan, NULL};

struct value lock_ticket_key(const uint8_t digest[static 32])
{
	uint64_t key = 0;

	for (int i = 0; i < 8; i++)
		key = key << 8 | digest[i];
	return value_int((int64_t)key);
}

void lock_add_enrollment(struct pipeline *trip, const uint8_t ticket_digest[static 32])
{
	STEP(trip, &lock_enrollment, lock_ticket_key(ticket_digest));
}

void lock_add_enrollments(struct pipeline *trip, struct value ticket_keys)
{
	STEP(trip, &lock_enrollments, ticket_keys);
}

void lock_add_rules(struct pipeline *trip)
{
	step_add(trip, &lock_rules, NULL, 0);
}

void lock_add_plan(struct pipeline *trip)
{
	step_add(trip, &lock_plan, NULL, 0);
}

void lock_add_hold(struct pipeline *trip, const uint8_t ticket_digest[static 32])
{
	STEP(trip, &lock_hold, lock_ticket_key(ticket_digest));
}
