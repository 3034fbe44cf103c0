/* issuer.h - the CAs that signed what is recorded: known by their keys, for ever. */
#pragma once

#include "ca/base/buf.h"
#include "db/pool.h"

/* Everything is borrowed. */
struct issuer_note {
	const uint8_t *id; /* 32 bytes: SHA-256 of its SubjectPublicKeyInfo, or OpenSSH key blob */
	const char *kind; /* "x509", "ssh-host", "ssh-user" */
	struct view certificate; /* DER, or that blob */
	int64_t not_after; /* seconds since 1970; 0: it never ends */
};

/* Notes a CA, or the certificate that was made anew for its key. Errors of db_run(). */
CHECKED enum err issuer_note(struct db *db, const struct issuer_note *note, int64_t now);
