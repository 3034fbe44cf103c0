/* clock.h - the time of day, its written form, and a clock that nobody can set. */
#pragma once

#include <stdint.h>

/* Seconds since 1970-01-01T00:00:00Z. */
int64_t clock_now(void);

/* Milliseconds of a clock that only goes forward, whatever the time of day is set to: for bounds. */
int64_t clock_ms(void);

/* In seconds. */
#define HOUR 3600
#define DAY (24 * HOUR)

/* How far the clocks of the servers and of their database may be apart, in seconds. */
#define CLOCK_SKEW 60

/* 9999-12-31T23:59:59Z, the last time that RFC 3339 and X.509 can write. */
#define CLOCK_LAST INT64_C(253402300799)

/* Room for clock_text(): "2026-11-22T14:47:38Z" and a NUL. */
#define CLOCK_TEXT_SIZE 21
/* RFC 3339 in UTC; what is beyond CLOCK_LAST is written as that, before 1970 as 1970. */
void clock_text(int64_t when, char out[static CLOCK_TEXT_SIZE]);
