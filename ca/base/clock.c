#include "ca/base/clock.h"

#include <time.h>

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

void clock_text(int64_t when, char out[static CLOCK_TEXT_SIZE])
{
	const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	time_t t = (time_t)(when > last ? last : when < 0 ? 0 : when);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
