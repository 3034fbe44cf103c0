/* follow.h - refusals as they come, until somebody has seen enough. */
#pragma once

#include "enroll/admin/attempts_page.h"
#include "enroll/admin/attempts_print.h"

/*
 * Prints the last `n`, and then each that is recorded, within about a second, once, whichever server
 * recorded it and however late; the counters when they changed, at most every 10 s, and at the end. A
 * service that is away is waited for. Returns OK after SIGINT or SIGTERM; ERR_DENIED "refused" when the
 * service refuses the first request; ERR_INTERNAL "output".
 */
CHECKED enum err attempts_follow(struct admin_server *server, const struct attempts_filter *filter,
	size_t n, enum print_form form, struct problem *problem);
