#include "enroll/daemon/publishing.h"

#include "ca/base/clock.h"
#include "ca/base/log.h"
#include "enroll/daemon/rounds.h"
#include "enroll/flow/publication.h"
#include "enroll/flow/published_krl.h"
#include "enroll/flow/publisher.h"
#include "enroll/flow/revocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY 300 /* milliseconds */
#define WORK_WITHIN 2000 /* milliseconds; then it is looked whether to stop */

struct publishing {
	struct rounds *rounds;
	/* Fixed, or the thread's own. */
	struct current *current;
	struct service *settled; /* the reading of the configuration that was; held */
	char wrong[64]; /* the code of what was wrong when we looked last; "" */
};

/* While it is held no other snapshot has its address. */
static enum err settle(struct publishing *publishing)
{
	struct service *made = current_take_made(publishing->current);
	enum err err = OK;

	if (made != publishing->settled)
		err = publication_settle(made, clock_now());
	if (err == OK) {
		current_release(publishing->current, &publishing->settled);
		publishing->settled = MOVE(made);
	}
	current_release(publishing->current, &made);
	return err;
}

/* What is wrong with one thing does not keep the others from being done: the first one is told. */
static void note(enum err done, struct kept_reason *first, enum err *err)
{
	if (done == OK || *err != OK)
		return;
	*err = done;
	reason_keep(first);
}

static enum err publish(struct publishing *publishing)
{
	struct service *service = current_take(publishing->current);
	struct publisher_round done;
	struct kept_reason first;
	enum err err = OK;

	note(revocation_round(service, WORK_WITHIN / 2), &first, &err);
	note(publisher_round(service, WORK_WITHIN, &done), &first, &err);
	note(krl_publish_round(service), &first, &err);
	current_release(publishing->current, &service);
	return err == OK ? OK : reason_again(&first);
}

/* One line for each change, however long it lasts. */
static void tell(struct publishing *publishing, enum err err)
{
	const char *wrong = err == OK ? "" : why()->code;

	if (strcmp(publishing->wrong, wrong) == 0)
		return;
	if (err != OK)
		LOG(WARNING, "publishing.failed", "reason", wrong, "why", why()->sentence);
	else
		LOG(NOTICE, "publishing.works", "after", publishing->wrong);
	snprintf(publishing->wrong, sizeof(publishing->wrong), "%s", wrong);
}

static void round_of(void *ctx)
{
	struct publishing *publishing = ctx;
	enum err err = settle(publishing);

	if (err == OK)
		err = publish(publishing);
	tell(publishing, err);
}

enum err publishing_start(struct current *current, struct publishing **out)
{
	AUTO(mem_free) struct publishing *publishing = calloc(1, sizeof(*publishing));

	if (publishing == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "publishing_start");
	publishing->current = current;
	TRY(rounds_start(LOOK_EVERY, round_of, publishing, &publishing->rounds));
	*out = MOVE(publishing);
	return OK;
}

void publishing_stop(struct publishing **publishing)
{
	if (*publishing == NULL)
		return;
	rounds_stop(&(*publishing)->rounds);
	current_release((*publishing)->current, &(*publishing)->settled);
	free(*publishing);
	*publishing = NULL;
}
