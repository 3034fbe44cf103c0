/* exposition.h - lines of the Prometheus text format 0.0.4. */
#pragma once

#include "ca/base/buf.h"

#include <stdint.h>

/* Appends HELP and TYPE of a metric; `help` has no line break and no backslash. */
void exposition_head(struct buf *out, const char *name, const char *type, const char *help);
/* The same, and its one value. */
void exposition_number(
	struct buf *out, const char *name, const char *type, const char *help, int64_t value);
/* A label's value, as it stands between quotes. What is not printable ASCII becomes "?". */
void exposition_escape(struct buf *out, const char *text);
