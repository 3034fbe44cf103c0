#include "tests/bench/endorse-bench/patience.h"

#include "tests/bench/endorse-bench/agenda.h"

#define WAIT_FIRST_US 1000000
#define WAIT_LAST_US 30000000

bool patience_fits(int status)
{
	return status == 408 || status == 429 || (status >= 502 && status <= 504);
}

static int64_t jittered(int64_t whole)
{
	return whole / 2 + share_of(whole - whole / 2);
}

int64_t patience_wait_us(unsigned tries, int64_t after_s)
{
	const unsigned doublings = tries == 0 ? 0 : tries > 5 ? 5 : tries - 1;
	const int64_t whole = (int64_t)WAIT_FIRST_US << doublings;

	if (after_s >= 0)
		return after_s * 1000000 + jittered(WAIT_FIRST_US);
	return jittered(whole > WAIT_LAST_US ? WAIT_LAST_US : whole);
}
