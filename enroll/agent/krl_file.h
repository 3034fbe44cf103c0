/* krl_file.h - the KRL that this host's sshd and ssh read (RevokedKeys, RevokedHostKeys). */
#pragma once

#include "ca/krl.h"

/* Where it is, unless it was put elsewhere; endorse-krl.service writes there. */
#define KRL_FILE_DEFAULT "/var/lib/endorse-krl/krl"

struct krl_file {
	struct buf bytes; /* empty: there is none yet */
	bool is_good; /* a KRL, that was read whole */
	bool is_public; /* everybody may read it: ssh does so as whoever runs it */
	struct krl krl; /* where it is good */
};
void krl_file_free(struct krl_file *file); /* for AUTO; accepts zeroes */

/*
 * What is there. A KRL that is damaged, or an empty file, is none that is good: sshd lets nobody in by
 * either. ERR_INTERNAL "krl-file" for a file of somebody else's, such as a list of keys that an admin
 * wrote; those of file_read() but for a file that is missing. `*out` is the caller's, for
 * krl_file_free(), also after a failure.
 */
CHECKED enum err krl_file_read(const char *path, struct krl_file *out);

/*
 * Puts a list there, for everybody to read, at one stroke; one writer at a time. ERR_DENIED "krl-older" when
 * the one that is there has a greater version; those of krl_file_read() and file_replace(). Whatever fails,
 * what was there stays.
 */
CHECKED enum err krl_file_replace(const char *path, struct view bytes, const struct krl *krl);
