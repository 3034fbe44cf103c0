/* renew.c - `endorse renew`. */
#include "ca/base/clock.h"
#include "enroll/agent/command.h"
#include "enroll/agent/enroll.h"
#include "enroll/agent/exit.h"
#include "enroll/agent/hook.h"
#include "enroll/agent/install.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/renewal.h"
#include "enroll/agent/report.h"

#include <stdio.h>
#include <string.h>

const char renew_usage[] =
	"usage: endorse renew [options]\n"
	"\n"
	"Keeps what an enrollment got current: fetches new certificates for the same keys when\n"
	"one of those held is between a half and two thirds of its life, and runs the commands\n"
	"that take them over. Enrolls where nothing is held yet, or where the service wants the\n"
	"EK's proof again. The options are those of endorse enroll; without them, the\n"
	"server and the names of the last enrollment are used.\n"
	"\n"
	"  --template NAME[=KEY]  as of endorse enroll, when nothing is held yet; what is held\n"
	"                      for other templates or keys is enrolled again\n"
	"  --exec NAME=COMMAND runs COMMAND by /bin/sh -c after NAME's certificate was replaced\n"
	"  --new-keys          make new keys in the TPM; the AK stays\n"
	"  --force             also when nothing is due\n"
	"  --timeout SECONDS   to go on while the service is away (default 120; 0: try once)\n";

static enum err renew_now(const struct order *order, const struct wanted *wanted,
	struct state *state, struct anchors *anchors, const struct held *held)
{
	AUTO(attempt_free)
	struct attempt attempt = {.wish = &order->wish,
		.state = state,
		.anchors = anchors,
		.before = held->enrollment,
		.wanted = *wanted,
		.makes_new_keys = order->new_keys};
	enum err err = renewal_run(&attempt);

	if (err != OK && strcmp(why()->code, "service-refused") == 0) {
		report_renewal_refused(stderr, &attempt);
		if (renewal_needs_enrollment(&attempt.problem))
			return fail(ERR_NOT_FOUND, "renewal-needs-enrollment", "%s",
				attempt.problem.code);
	}
	TRY(err);
	TRY(install(&attempt));
	report_renewed(stdout, &attempt);
	return hooks_run(state, &attempt.wanted, attempt.accepted->answer->host);
}

/* A TPM that was cleared, keys that were lost: whatever is not as it was, only an enrollment brings back. */
static bool is_for_enrollment(enum err err)
{
	return err == ERR_NOT_FOUND || (err == ERR_REJECTED && strcmp(why()->code, "tpm-key") == 0);
}

/*
 * Files that have expired or are damaged are no leave to enroll, which would take back a name that was taken from this
 * machine while it was off: only the service knows whose the name is, and by the AK it says so.
 */
static bool is_renewable(
	const struct order *order, const struct wanted *wanted, const struct held *held)
{
	const struct wish *wish = &order->wish;

	return held->judgement != HELD_NOTHING &&
	       strcmp(held->enrollment.service, wish->service) == 0 &&
	       (wish->host == NULL || strcmp(held->enrollment.host, wish->host) == 0) &&
	       wanted_same(wanted, &held->wanted);
}

static bool is_of_use(const struct held *held)
{
	return held->judgement == HELD_GOOD || held->judgement == HELD_DUE;
}

/* What is left of the files does not even make a request. */
static bool is_of_damage(const struct held *held, enum err err)
{
	return held->judgement == HELD_BROKEN && err != OK && exit_code(why()) == EXIT_LOCAL;
}

static enum err renew_or_enroll(const struct order *order, struct wanted *wanted,
	struct state *state, struct anchors *anchors, const struct held *held)
{
	enum err err = renew_now(order, wanted, state, anchors, held);

	if (!is_for_enrollment(err) && !is_of_damage(held, err))
		return err;
	fprintf(stderr, "endorse: %s: enrolling again, with the EK (%s)\n", state_dir(state),
		why()->sentence);
	return enroll_again(order, wanted, state, anchors, held);
}

static enum err renew_held(const struct order *order, struct wanted *wanted, struct state *state,
	struct anchors *anchors, const struct held *held)
{
	size_t which = 0;
	int64_t next = renewal_next(held, &which);
	bool is_there = false;

	if (!is_of_use(held) || next <= clock_now() || order->force || order->new_keys)
		return renew_or_enroll(order, wanted, state, anchors, held);
	TRY(enroll_ask_tpm(order, state, held, &is_there));
	if (!is_there)
		return enroll_again(order, wanted, state, anchors, held);
	report_not_due(stdout, held, which, next);
	return enroll_run_commands(state, wanted, held);
}

static enum err renew(struct order *order)
{
	AUTO(state_close) struct state *state = NULL;
	AUTO(anchors_free) struct anchors *anchors = NULL;
	struct wanted wanted;
	struct held held;

	TRY(state_open(order->state_dir, &state));
	TRY(order_recall(order, state));
	TRY(order_anchors(order, state_path(state, STATE_ANCHORS), &anchors));
	TRY(order_wanted(order, state, &wanted));
	held_read(state, anchors, clock_now(), &held);
	if (is_renewable(order, &wanted, &held))
		return renew_held(order, &wanted, state, anchors, &held);
	return enroll_again(order, &wanted, state, anchors, &held);
}

int renew_command(int argc, char **argv)
{
	AUTO(order_free) struct order order;
	enum err err = order_parse(argc, argv, &order);

	if (err == OK && order.help) {
		fputs(renew_usage, stdout);
		return EXIT_DONE;
	}
	interrupt_hold();
	if (err == OK)
		err = renew(&order);
	if (err == OK)
		return EXIT_DONE;
	enroll_tell_failure(&order, why());
	return exit_code(why());
}
