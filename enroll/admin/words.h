/* words.h - what admins type, on its way into a request. */
#pragma once

#include "ca/base/clock.h"
#include "enroll/proto/admin.h"

/* Takes --why; false, and told why, when it is too long. */
bool why_option(const char *value, char out[static LIMIT_WHY + 1]);
/* False, and told why, when it is neither "any" nor a list of ids. */
bool manufacturer_option(const char *value);
#define DURATION_MAX (INT64_C(100000) * DAY) /* more than anybody means */
/* "90s", "15m", "12h", "30d": 1 to `max` seconds. False, and nothing told, when it is not that. */
bool duration_read(const char *text, int64_t max, int64_t *seconds);
/* Appends "name=value" to a URL's query, percent-encoded, after '?' or '&'; nothing for NULL. */
void query_add(struct buf *path, const char *name, const char *value);
