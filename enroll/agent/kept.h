/* kept.h - which certificates the state directory keeps: its file `certificates`. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/agent/wanted.h"

#define KEPT_MAX (32 * 1024)

/*
 * Reads the text that kept_encode() writes: a line for each template, in four fields between tabs:
 * its name, its key (want_key_text()), "due" or "done" for its command ("-" without one), and the
 * command. ERR_INTERNAL "certificates-file" for anything else: a template twice, none at all, none
 * for the AK. `*out` is untouched on failure.
 */
CHECKED enum err kept_parse(struct view text, struct wanted *out);

/* Appends it. ERR_TOO_LARGE. */
CHECKED enum err kept_encode(const struct wanted *wanted, struct buf *text);
