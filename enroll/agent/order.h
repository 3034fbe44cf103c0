/* order.h - the command line of `endorse enroll` and `endorse renew`, read and checked. */
#pragma once

#include "ca/base/hostname.h"
#include "enroll/agent/attempt.h"

struct order {
	struct wish wish; /* points into what follows and into argv */
	const char *state_dir;
	const char *ca_file; /* at most one of these two */
	const char *ca_sha256;
	struct wanted wanted; /* as asked for: wanted_resolve() makes it what is wanted */
	bool new_keys;
	bool force;
	bool host_from_service; /* nothing is asked for: the service tells */
	bool help;
	char *server;
	char host[HOSTNAME_MAX + 1];
	struct enrollment recalled; /* by order_recall(), zero otherwise */
};

/* ERR_MALFORMED "usage" with what is wrong; order_free() also after a failure. */
CHECKED enum err order_read(int argc, char **argv, struct order *out);

/* Its two halves: what is on the command line, and what has a default or must not be missing. */
CHECKED enum err order_parse(int argc, char **argv, struct order *out);
CHECKED enum err order_complete(struct order *order);
/*
 * The second half for who goes on with an earlier enrollment: server, service and host that are not
 * on the command line are those of `state`, where there are any.
 */
CHECKED enum err order_recall(struct order *order, struct state *state);
void order_free(struct order *order);

/*
 * Whom to trust: what the command line names, or else the file `kept`, of an earlier enrollment. An
 * anchor that is only named by its digest may be among those. `*out` is the caller's, for
 * anchors_free(). ERR_MALFORMED "usage" when there is neither; else errors of anchors_read() and
 * anchors_pinned().
 */
CHECKED enum err order_anchors(const struct order *order, const char *kept, struct anchors **out);

/* What is wanted, given what `state` keeps (NULL: nothing). Errors of wanted_resolve() and state_wanted(). */
CHECKED enum err order_wanted(const struct order *order, struct state *state, struct wanted *out);
