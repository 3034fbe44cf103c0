#include "enroll/agent/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* Those of the three that would end this process; nohup(1) and shells have some ignored. */
static sigset_t held;

static void hold_unless_ignored(int number)
{
	struct sigaction action;

	if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
		sigaddset(&held, number);
}

void interrupt_hold(void)
{
	sigemptyset(&held);
	hold_unless_ignored(SIGINT);
	hold_unless_ignored(SIGTERM);
	hold_unless_ignored(SIGHUP);
	pthread_sigmask(SIG_BLOCK, &held, NULL);
}

void interrupt_release(void)
{
	pthread_sigmask(SIG_UNBLOCK, &held, NULL);
}

bool interrupt_pending(void)
{
	sigset_t pending, ours;

	sigpending(&pending);
	sigandset(&ours, &held, &pending);
	return sigisemptyset(&ours) == 0;
}

enum err interrupt_check(void)
{
	if (interrupt_pending())
		return fail(ERR_INTERNAL, "interrupted", "interrupted by a signal");
	return OK;
}

enum err interrupt_sleep(int64_t milliseconds)
{
	struct timespec wait = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
	int number = sigtimedwait(&held, NULL, &wait);

	/* Taken by the call above: given back, so that interrupt_release() ends the process by it. */
	if (number > 0)
		raise(number);
	return interrupt_check();
}
