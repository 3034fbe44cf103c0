#include "enroll/daemon/watch.h"

#include "ca/base/clock.h"
#include "ca/base/log.h"
#include "db/pending.h"
#include "db/retention.h"
#include "db/ticket.h"
#include "enroll/daemon/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY 10000 /* milliseconds */
#define TICKETS_KEPT DAY /* far longer than any ticket opens */
#define RETAIN_PIECE 5000 /* certificates that go in one look: 1,800,000 in an hour */

struct watch {
	struct rounds *rounds;
	/* Fixed, or the thread's own. */
	struct current *current;
	char wrong[64]; /* the code of what was wrong when we looked last; "" */
	bool has_looked;
	time_t next_sweep, next_piece;
	int64_t gone; /* certificates, since the rest before */
};

/* One line for each change, however long it lasts. */
static void look(struct watch *watch)
{
	struct service *service = current_take(watch->current);
	const char *name = service->name;
	enum err err = service_ready(service);
	const char *wrong = err == OK ? "" : why()->code;

	current_release(watch->current, &service);
	if (watch->has_looked && strcmp(watch->wrong, wrong) == 0)
		return;
	if (err != OK)
		LOG(WARNING, "service.not-ready", "reason", wrong, "why", why()->sentence);
	else
		LOG(NOTICE, "service.ready", "service", name);
	snprintf(watch->wrong, sizeof(watch->wrong), "%s", wrong);
	watch->has_looked = true;
}

static void sweep(struct watch *watch)
{
	struct service *service = current_take(watch->current);
	unsigned days = (unsigned)policy_hold(service->policy)->days;

	if (ticket_purge(service->db, TICKETS_KEPT) != OK)
		LOG(WARNING, "tickets.not-purged", "why", why()->sentence);
	if (pending_purge(service->db, days) != OK)
		LOG(WARNING, "attempts.not-purged", "why", why()->sentence);
	current_release(watch->current, &service);
}

static void tell_gone(struct watch *watch, int64_t kept)
{
	char gone[24], days[24];

	snprintf(gone, sizeof(gone), "%lld", (long long)watch->gone);
	snprintf(days, sizeof(days), "%lld", (long long)(kept / DAY));
	if (watch->gone > 0)
		LOG(NOTICE, "certificates.purged", "n", gone, "ended_days_ago", days);
	watch->gone = 0;
}

/* A little at each look, so that no enrollment notices; an hour of rest when there was less. */
static void retain(struct watch *watch)
{
	struct service *service = current_take(watch->current);
	int64_t kept = service->certificates_kept, gone = 0;

	if (kept > 0 && retention_purge(service->db, kept, RETAIN_PIECE, &gone) != OK)
		LOG(WARNING, "certificates.not-purged", "why", why()->sentence);
	current_release(watch->current, &service);
	watch->gone += gone;
	if (gone >= RETAIN_PIECE)
		return;
	tell_gone(watch, kept);
	watch->next_piece = rounds_in(HOUR).tv_sec;
}

static void look_and_sweep(void *ctx)
{
	struct watch *watch = ctx;

	look(watch);
	if (rounds_in(0).tv_sec >= watch->next_piece)
		retain(watch);
	if (rounds_in(0).tv_sec < watch->next_sweep)
		return;
	sweep(watch);
	watch->next_sweep = rounds_in(HOUR).tv_sec;
}

enum err watch_start(struct current *current, struct watch **out)
{
	AUTO(mem_free) struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "watch_start");
	watch->current = current;
	watch->next_sweep = rounds_in(HOUR).tv_sec;
	TRY(rounds_start(LOOK_EVERY, look_and_sweep, watch, &watch->rounds));
	*out = MOVE(watch);
	return OK;
}

void watch_stop(struct watch **watch)
{
	if (*watch == NULL)
		return;
	rounds_stop(&(*watch)->rounds);
	free(*watch);
	*watch = NULL;
}
