#include "ca/krl.h"
#include "ca/krl_format.h"
#include "ca/sshwire.h"

#include <stdlib.h>
#include <string.h>

/* Serials that follow one another, the first and the last of them. */
struct run {
	uint64_t lo, hi;
};

enum form { LIST, RANGE, BITMAP, FORMS };

/* How a run is written, and whether a sub-section begins with it. */
struct choice {
	uint8_t form;
	bool begins;
};

/* Of the ways to write all runs up to one, the shortest that ends in each form, in bits. */
struct reach {
	uint64_t cost[FORMS];
	uint64_t offset; /* of the bitmap that the way to BITMAP ends in */
};

#define NO_WAY (UINT64_MAX / 4)
#define HEAD 40 /* bits of a sub-section's type and length */
#define LIST_MAX 4096 /* serials of one run in a list: long runs are for ranges */

struct plan {
	struct run *runs;
	/* By which form each is reached best, for each form of the run itself. */
	struct choice (*from)[FORMS];
	size_t n;
};

static void plan_free(struct plan *plan)
{
	free(plan->runs);
	free(plan->from);
}

static enum err wrong_serials(void)
{
	return fail(ERR_INTERNAL, "krl-serials",
		"serial numbers for a KRL that are not ascending, or not above 0");
}

static uint64_t serial_at(struct view serials, size_t i)
{
	uint64_t serial = 0;

	for (size_t k = 0; k < 8; k++)
		serial = serial << 8 | serials.p[8 * i + k];
	return serial;
}

static enum err read_runs(struct view serials, struct plan *plan)
{
	uint64_t last = 0;

	if (serials.n % 8 != 0)
		return wrong_serials();
	plan->runs = calloc(serials.n / 8, sizeof(*plan->runs));
	plan->from = calloc(serials.n / 8, sizeof(*plan->from));
	if (plan->runs == NULL || plan->from == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a KRL");
	for (size_t i = 0; i < serials.n / 8; i++) {
		uint64_t serial = serial_at(serials, i);

		if (serial <= last)
			return wrong_serials();
		if (plan->n > 0 && serial == last + 1)
			plan->runs[plan->n - 1].hi = serial;
		else
			plan->runs[plan->n++] = (struct run){serial, serial};
		last = serial;
	}
	return OK;
}

static uint64_t cost_of_beginning(enum form form, const struct run *run)
{
	uint64_t n = run->hi - run->lo + 1;

	if (form == RANGE)
		return HEAD + 128;
	if (form == LIST)
		return n > LIST_MAX ? NO_WAY : HEAD + 64 * n;
	/* An offset, a length, and a byte that keeps the number positive. */
	return n > KRL_BITMAP_MAX ? NO_WAY : HEAD + 64 + 32 + 8 + n;
}

static uint64_t cost_of_going_on(
	enum form form, const struct reach *reach, const struct run *before, const struct run *run)
{
	uint64_t n = run->hi - run->lo + 1;

	if (form == LIST)
		return n > LIST_MAX ? NO_WAY : 64 * n;
	if (form == BITMAP && run->hi - reach->offset < KRL_BITMAP_MAX)
		return run->hi - before->hi;
	return NO_WAY;
}

static enum form cheapest(const struct reach *reach)
{
	enum form best = LIST;

	for (enum form form = RANGE; form < FORMS; form++)
		if (reach->cost[form] < reach->cost[best])
			best = form;
	return best;
}

/* One run further: a shortest path, whose nodes are the forms of each run. */
static void advance(struct plan *plan, size_t i, struct reach *reach)
{
	const struct reach before = *reach;
	const struct run *run = &plan->runs[i];
	enum form best = cheapest(&before);

	for (enum form form = LIST; form < FORMS; form++) {
		uint64_t begun = before.cost[best] + cost_of_beginning(form, run);
		uint64_t gone_on =
			i == 0 ? NO_WAY
			       : before.cost[form] + cost_of_going_on(form, &before, run - 1, run);
		bool begins = begun <= gone_on;

		plan->from[i][form] =
			(struct choice){begins ? (uint8_t)best : (uint8_t)form, begins};
		reach->cost[form] = begins ? begun : gone_on;
		if (reach->cost[form] > NO_WAY)
			reach->cost[form] = NO_WAY;
		if (form == BITMAP && begins)
			reach->offset = run->lo;
	}
}

/* Turns the ways to each form into the one that was taken: from[i][0] is the choice for run i. */
static void choose(struct plan *plan)
{
	struct reach reach = {{0}, 0};
	enum form form;

	for (size_t i = 0; i < plan->n; i++)
		advance(plan, i, &reach);
	form = cheapest(&reach);
	for (size_t i = plan->n; i-- > 0;) {
		const struct choice taken = plan->from[i][form];

		plan->from[i][0] = (struct choice){(uint8_t)form, taken.begins};
		form = taken.form;
	}
}

static void write_list(const struct run *runs, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		for (uint64_t k = 0; k <= runs[i].hi - runs[i].lo; k++)
			buf_be64(out, runs[i].lo + k);
}

static void write_bitmap(const struct run *runs, size_t n, struct buf *out)
{
	uint8_t bits[KRL_BITMAP_MAX / 8] = {0};
	const uint64_t offset = runs[0].lo;

	for (size_t i = 0; i < n; i++)
		for (uint64_t k = runs[i].lo - offset; k <= runs[i].hi - offset; k++)
			bits[sizeof(bits) - 1 - k / 8] |= (uint8_t)(1U << (k % 8));
	buf_be64(out, offset);
	sshwire_add_mpint(out, VIEW(bits));
}

/* One sub-section, of runs that share it. */
static enum err write_part(enum form form, const struct run *runs, size_t n, struct buf *out)
{
	static const uint8_t types[] = {KRL_SERIAL_LIST, KRL_SERIAL_RANGE, KRL_SERIAL_BITMAP};
	AUTO(buf_free) struct buf part = BUF(KRL_MAX);

	if (form == LIST)
		write_list(runs, n, &part);
	else if (form == BITMAP)
		write_bitmap(runs, n, &part);
	else {
		buf_be64(&part, runs[0].lo);
		buf_be64(&part, runs[0].hi);
	}
	TRY(buf_ok(&part));
	buf_u8(out, types[form]);
	sshwire_add_string(out, buf_view(&part));
	return buf_ok(out);
}

enum err krl_serials_add(struct view serials, struct buf *out)
{
	AUTO(plan_free) struct plan plan = {0};

	if (serials.n == 0)
		return OK;
	TRY(read_runs(serials, &plan));
	choose(&plan);
	for (size_t i = 0, n; i < plan.n; i += n) {
		for (n = 1; i + n < plan.n && !plan.from[i + n][0].begins;)
			n++;
		TRY(write_part((enum form)plan.from[i][0].form, &plan.runs[i], n, out));
	}
	return OK;
}
