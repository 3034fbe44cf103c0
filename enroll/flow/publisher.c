#include "enroll/flow/publisher.h"

#include "ca/base/clock.h"
#include "enroll/flow/published_crl.h"

/* Seconds before the next update: at a third of their life, so that a server may be away for the other two. */
static int64_t margin(const struct service *service)
{
	return (int64_t)service->crl_lifetime * 2 / 3;
}

/* One round. */
struct round {
	const struct service *service;
	struct publisher_round *out;
	int64_t now;
	int64_t until; /* by clock_ms() */
	struct kept_reason first; /* with `err` other than OK */
	enum err err;
};

static void note(struct round *round, enum err err)
{
	if (err == OK || round->err != OK)
		return;
	round->err = err;
	reason_keep(&round->first);
}

static bool has_time(struct round *round)
{
	if (clock_ms() < round->until)
		return true;
	round->out->has_more = true;
	return false;
}

/* How many could be made: one that cannot does not keep the others from it. */
static size_t make_all(struct round *round, const struct crl_due *due)
{
	size_t n = 0;

	for (size_t i = 0; i < due->n && has_time(round); i++) {
		bool is_ours = false;
		enum err err = crl_make(round->service, &due->keys[i], round->now, &is_ours);

		note(round, err);
		n += err == OK;
		round->out->made += is_ours;
	}
	return n;
}

static enum err publish_ca(struct round *round, const struct signer_issuer *ca)
{
	const struct service *service = round->service;
	const int64_t remake_before = round->now + margin(service);
	struct crl_due due;

	do
		TRY(crl_find_due(service->db, ca->id, remake_before, &due));
	while (make_all(round, &due) > 0 && has_time(round));
	return OK;
}

enum err publisher_round(
	const struct service *service, unsigned within_ms, struct publisher_round *out)
{
	struct round round = {.service = service,
		.out = out,
		.now = clock_now(),
		.until = clock_ms() + within_ms};
	struct signer_issuer ca;

	*out = (struct publisher_round){.made = 0};
	TRY(db_clock_judge(service->db, round.now));
	for (size_t i = 0; signer_issuer(service->signer, i, &ca); i++)
		if (ca.kind == TEMPLATE_X509)
			note(&round, publish_ca(&round, &ca));
	return round.err == OK ? OK : reason_again(&round.first);
}
