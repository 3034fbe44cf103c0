#include "enroll/admin/follow.h"

#include "ca/base/clock.h"
#include "enroll/admin/strangers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Ids of the audit are not quite in the order of committing: a row may come to light behind one that
 * was shown. So each round reads again from the last id that is known to be settled (db/refusals.h),
 * and what was shown beyond it is remembered. At the start nothing is known to be settled: so many
 * ids below the last are taken to be open.
 */
#define OPEN_AT_START 5000
#define COUNTERS_EVERY 10 /* seconds */
#define COUNTERS_SIZE (64 * 1024)

struct follow {
	const struct admin_server *server;
	const struct attempts_filter *filter;
	enum print_form form;
	struct problem *problem;
	int64_t settled; /* nothing up to this id will come any more */
	int64_t next_settled, next_xid; /* what settles next, and with which transaction */
	int64_t *seen; /* ids beyond `settled` that were shown */
	size_t seen_n, seen_room;
	int64_t strangers_since, strangers_after; /* see strangers_show() */
	bool is_away;
	struct attempt_counters counters;
	struct buf told; /* what they were when they were shown last */
	int64_t told_at;
};

static volatile sig_atomic_t stop;

static void note_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = note_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool is_seen(const struct follow *follow, int64_t id)
{
	for (size_t i = follow->seen_n; i > 0; i--)
		if (follow->seen[i - 1] == id)
			return true;
	return false;
}

static enum err remember(struct follow *follow, int64_t id)
{
	if (follow->seen_n == follow->seen_room) {
		size_t room = follow->seen_room * 2 + 256;
		int64_t *grown = realloc(follow->seen, room * sizeof(*grown));

		if (grown == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "attempts_follow");
		follow->seen = grown;
		follow->seen_room = room;
	}
	follow->seen[follow->seen_n++] = id;
	return OK;
}

static void forget_settled(struct follow *follow)
{
	size_t kept = 0;

	for (size_t i = 0; i < follow->seen_n; i++)
		if (follow->seen[i] > follow->settled)
			follow->seen[kept++] = follow->seen[i];
	follow->seen_n = kept;
}

static enum err show(struct follow *follow, const struct attempts_answer *page, bool silently)
{
	for (size_t i = 0; i < page->n; i++) {
		if (is_seen(follow, page->items[i].id))
			continue;
		TRY(remember(follow, page->items[i].id));
		if (!silently)
			TRY(attempt_print(&page->items[i], follow->form));
	}
	follow->counters = page->counters;
	return OK;
}

/* `first` is the first page of this round: what had settled when it was read, its rows show. */
static void settle(struct follow *follow, const struct attempts_answer *first)
{
	if (first->settles_id < follow->next_settled) {
		fprintf(stderr,
			"endorsectl: the audit became shorter: was the database restored?\n");
		follow->settled = first->settles_id;
	} else if (first->settled_xid < follow->next_xid) {
		return;
	} else if (follow->next_settled > follow->settled) {
		follow->settled = follow->next_settled;
	}
	follow->next_settled = first->settles_id;
	follow->next_xid = first->settles_xid;
	forget_settled(follow);
}

static enum err read_round(struct follow *follow, bool silently)
{
	AUTO(attempts_answer_free) struct attempts_answer first = {0};
	int64_t from = follow->settled;
	bool more;

	TRY(attempts_get(follow->server, follow->filter, ATTEMPTS_AFTER, from, ATTEMPTS_MAX, &first,
		follow->problem));
	TRY(show(follow, &first, silently));
	from = first.next;
	more = first.more;
	while (more && stop == 0) {
		AUTO(attempts_answer_free) struct attempts_answer page = {0};

		TRY(attempts_get(follow->server, follow->filter, ATTEMPTS_AFTER, from, ATTEMPTS_MAX,
			&page, follow->problem));
		TRY(show(follow, &page, silently));
		from = page.next;
		more = page.more;
	}
	if (!more)
		settle(follow, &first);
	return OK;
}

static enum err show_strangers(struct follow *follow, size_t n)
{
	return strangers_show(follow->server, follow->filter, n, follow->form,
		&follow->strangers_since, &follow->strangers_after, follow->problem);
}

static enum err go_round(struct follow *follow)
{
	TRY(read_round(follow, false));
	return show_strangers(follow, STRANGERS_MAX);
}

/* What is there already is not news, but for the last `n`. */
static enum err begin(struct follow *follow, size_t n)
{
	AUTO(attempts_answer_free) struct attempts_answer now = {0}, last = {0};

	TRY(attempts_get(follow->server, follow->filter, ATTEMPTS_BEFORE, ATTEMPTS_NEWEST, 1, &now,
		follow->problem));
	follow->seen_n = 0;
	follow->settled = now.settles_id > OPEN_AT_START ? now.settles_id - OPEN_AT_START : 0;
	follow->next_settled = follow->next_xid = 0;
	TRY(read_round(follow, true));
	TRY(attempts_last(follow->server, follow->filter, n, &last, follow->problem));
	for (size_t i = 0; i < last.n; i++) {
		if (!is_seen(follow, last.items[i].id))
			TRY(remember(follow, last.items[i].id));
		TRY(attempt_print(&last.items[i], follow->form));
	}
	return show_strangers(follow, n);
}

static enum err tell_counters(struct follow *follow)
{
	AUTO(buf_free) struct buf now = BUF(COUNTERS_SIZE);

	TRY(attempt_counters_encode(&follow->counters, &now));
	if (view_equal(buf_view(&now), buf_view(&follow->told)))
		return OK;
	buf_free(&follow->told);
	buf_add(&follow->told, buf_view(&now));
	follow->told_at = clock_now();
	return counters_print(&follow->counters, follow->form);
}

/* Something that is wrong only for now is told once, and waited for. */
static enum err bear(struct follow *follow, enum err err)
{
	if (stop != 0)
		return OK;
	if (err == OK && follow->is_away)
		fprintf(stderr, "endorsectl: the service answers again\n");
	if (err == ERR_INTERNAL && strcmp(why()->code, "output") == 0)
		return err;
	if (err != OK && !follow->is_away)
		fprintf(stderr, "endorsectl: %s (%s); trying again\n", why()->sentence,
			why()->code);
	follow->is_away = err != OK;
	return OK;
}

static enum err go_on(struct follow *follow, size_t n)
{
	const struct timespec pause = {.tv_sec = 1};
	enum err err = begin(follow, n);
	bool begun = err == OK;

	if (err == ERR_DENIED || err == ERR_MALFORMED)
		return err;
	TRY(bear(follow, err));
	while (stop == 0) {
		if (begun && clock_now() - follow->told_at >= COUNTERS_EVERY)
			TRY(tell_counters(follow));
		nanosleep(&pause, NULL);
		if (stop != 0)
			break;
		err = begun ? go_round(follow) : begin(follow, n);
		begun = begun || err == OK;
		TRY(bear(follow, err));
	}
	return begun ? tell_counters(follow) : OK;
}

enum err attempts_follow(struct admin_server *server, const struct attempts_filter *filter,
	size_t n, enum print_form form, struct problem *problem)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	enum err err;

	if (follow == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "attempts_follow");
	catch_signals();
	server->stop = &stop;
	*follow = (struct follow){.server = server,
		.filter = filter,
		.form = form,
		.problem = problem,
		.told = BUF(COUNTERS_SIZE)};
	err = go_on(follow, n);
	free(follow->seen);
	buf_free(&follow->told);
	free(follow);
	return err;
}
