#include "enroll/agent/retry.h"

#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "enroll/agent/interrupt.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_FIRST_MS 1000
#define WAIT_LAST_MS 30000
#define REQUEST_MS 30000 /* one request, however much time is left */

void retry_start(struct retry *retry, unsigned seconds)
{
	retry->once = seconds == 0;
	retry->tries = 0;
	retry->deadline_ms = clock_ms() + (int64_t)seconds * 1000;
}

int64_t retry_left_ms(const struct retry *retry)
{
	int64_t left = retry->deadline_ms - clock_ms();

	if (retry->once || left > REQUEST_MS)
		return REQUEST_MS;
	return left > 0 ? left : 1;
}

/* Between half of `whole` and all of it, so that a fleet does not come back in step. */
static int64_t jittered(int64_t whole)
{
	uint16_t dice = 0;

	if (random_bytes((uint8_t *)&dice, sizeof(dice)) != OK)
		return whole;
	return whole / 2 + (whole - whole / 2) * dice / UINT16_MAX;
}

/* Who names a moment is there, and knows better than we when there is room; only silence is doubled. */
static int64_t next_wait_ms(const struct retry *retry, int64_t after)
{
	unsigned doublings = retry->tries > 5 ? 5 : retry->tries - 1;
	int64_t wait = (int64_t)WAIT_FIRST_MS << doublings;

	if (after >= 0)
		return after * 1000 + jittered(WAIT_FIRST_MS);
	return jittered(wait > WAIT_LAST_MS ? WAIT_LAST_MS : wait);
}

enum err retry_wait(struct retry *retry, int64_t after, const char *what)
{
	int64_t left = retry->deadline_ms - clock_ms();
	int64_t wait;

	retry->tries++;
	wait = next_wait_ms(retry, after);
	if (retry->once)
		return fail(ERR_BUSY, "service-away", "%s", what);
	if (wait >= left)
		return fail(ERR_BUSY, "service-away",
			"%s; gave up after %u %s (--timeout bounds them)%s", what, retry->tries,
			retry->tries == 1 ? "try" : "tries",
			after >= 0 && after * 1000 >= left
				? "; the service asked to come back later"
				: "");
	fprintf(stderr,
		"endorse: %s; trying again in %" PRId64 ".%" PRId64 " s (%" PRId64 " s left)\n",
		what, wait / 1000, wait % 1000 / 100, left / 1000);
	return interrupt_sleep(wait);
}

static bool is_digits(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool retry_after_parse(const char *text, int64_t now, int64_t *seconds)
{
	int64_t wait = 0;

	if (is_digits(text)) {
		for (const char *p = text; *p != '\0' && wait <= DAY; p++)
			wait = wait * 10 + (*p - '0');
	} else {
		/* A recipient takes all three forms of a date (RFC 9110 5.6.7), as curl does. */
		time_t when = curl_getdate(text, NULL);

		if (when == -1)
			return false;
		wait = (int64_t)when - now;
	}
	*seconds = wait < 0 ? 0 : wait > DAY ? DAY : wait;
	return true;
}
