#include "enroll/agent/pending.h"

#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "ca/base/printable.h"
#include "enroll/agent/interrupt.h"

#define AFTER_DEFAULT 60 /* seconds, as are the next two */
#define AFTER_LEAST 5
#define AFTER_MOST 900

void pending_say(FILE *out, const char *server, const char *ek_sha256,
	const struct problem *problem, bool is_first)
{
	char detail[sizeof(problem->detail)], id[sizeof(problem->attempt)];

	printable(problem->attempt, id, sizeof(id));
	if (!is_first) {
		fprintf(out, "endorse: attempt %s is still held\n", id);
		return;
	}
	printable(problem->detail, detail, sizeof(detail));
	fprintf(out,
		"endorse: %s holds this enrollment until an admin decides\n"
		"  what     %s\n"
		"  attempt  %s\n"
		"  sha256   %s of this EK, for the admin to compare\n"
		"  do       have an admin look at it, and accept or reject it:\n"
		"           endorsectl pending show %s\n",
		server, detail, id, ek_sha256, id);
}

int64_t pending_delay_ms(int64_t after, int64_t left, uint16_t dice)
{
	int64_t wait = after < 0 ? AFTER_DEFAULT : after;
	int64_t more;

	wait = (wait < AFTER_LEAST ? AFTER_LEAST : wait > AFTER_MOST ? AFTER_MOST : wait) * 1000;
	if (wait > left)
		return -1;
	more = wait / 4 < left - wait ? wait / 4 : left - wait;
	return wait + more * dice / UINT16_MAX;
}

enum err pending_wait(int64_t after, int64_t deadline)
{
	uint16_t dice = 0;
	int64_t wait;

	TRY(random_bytes((uint8_t *)&dice, sizeof(dice)));
	wait = pending_delay_ms(after, deadline - clock_ms(), dice);
	if (wait < 0)
		return fail(ERR_PENDING, "service-pending",
			"an admin has not decided yet; run this again later (--wait TIME goes on "
			"asking)");
	fprintf(stderr, "endorse: asking again in %lld s\n", (long long)(wait + 999) / 1000);
	return interrupt_sleep(wait);
}
