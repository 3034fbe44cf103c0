/* strangers.h - those that a server turned away before they had proven anything, asked and shown. */
#pragma once

#include "enroll/admin/attempts_page.h"
#include "enroll/admin/attempts_print.h"
#include "enroll/proto/strangers.h"

/*
 * Shows what came after the number `*after`, as `filter` wants it, but only the last `n` of those; then `*after`
 * is the number to go on from. `*since` is when the server started that gave it: another one is asked from the
 * beginning. Errors of admin_get(), of strangers_answer_parse(), and of attempt_print().
 */
CHECKED enum err strangers_show(const struct admin_server *server,
	const struct attempts_filter *filter, size_t n, enum print_form form, int64_t *since,
	int64_t *after, struct problem *problem);

/* Is it one that the filter wants? */
bool stranger_fits(const struct stranger *stranger, const struct attempts_filter *filter);
