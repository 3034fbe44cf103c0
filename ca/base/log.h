/* log.h - one line for each event, for people and for machines: `event key=value key="two words"`. */
#pragma once

#include <syslog.h>

/*
 * LOG(NOTICE, "enroll.refused", "host", host, "why", why()->code) writes one line to standard
 * error, led by the syslog priority (`<5>`, sd-daemon(3)) and followed by the pairs; every argument
 * is a C string, NULL ones are left out. Values with anything but visible ASCII are quoted and
 * escaped, so that no value can begin a line or a pair of its own. Used at the edges only.
 */
#define LOG(priority, event, ...) log_line(LOG_##priority, event, ##__VA_ARGS__, LOG_END)

#define LOG_END ((const char *)0), ((const char *)-1)

/* Call LOG(). */
void log_line(int priority, const char *event, ...);
