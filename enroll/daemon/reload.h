/* reload.h - the configuration taken anew while requests run: all of it, or nothing. */
#pragma once

#include "enroll/daemon/imported.h"
#include "enroll/daemon/notify.h"
#include "enroll/daemon/parts.h"
#include "enroll/flow/current.h"

#include <pthread.h>

/* Borrowed, but for `current` and `imported`. */
struct reload {
	struct reloader reloader; /* what an admin's request calls */
	const char *path;
	const struct config *config; /* of the start: some of it stays, whatever the file says */
	const struct parts *parts;
	const struct notify *notify;
	struct current *current;
	pthread_mutex_t lock; /* one change of the snapshot at a time; guards what follows */
	struct imported *imported;
	char unread
		[64]; /* why the imported ones could not be taken when we tried last: a code, or "" */
	bool is_serving, is_refused; /* the last reload was */
};

/* Takes the first snapshot over from `parts`. Free with reload_free(), also after a failure. */
CHECKED enum err reload_init(const char *path, const struct config *config, struct parts *parts,
	const struct notify *notify, struct reload *out);
void reload_free(struct reload *reload); /* for AUTO */

/* From now on we serve: tells the service manager. */
void reload_serving(struct reload *reload);

/*
 * Reads the file and everything that it names, and makes it what requests work with that begin from
 * now on. `by` is for the log: "SIGHUP", or the id of an admin's request. Logs what changed, or every
 * problem in a line of its own, and puts the same into `out`.
 * ERR_REJECTED "configuration-wrong" when anything is wrong: nothing was taken then.
 */
CHECKED enum err reload_now(struct reload *reload, const char *by, struct reload_answer *out);

/*
 * Makes what operators imported part of what requests work with, where it has changed; the configuration is
 * not read. Logs a failure when it begins. ERR_BUSY as db_run(); everything stays as it was then.
 */
CHECKED enum err reload_imported(struct reload *reload);
