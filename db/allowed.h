/* allowed.h - the allow-list: EKs that are believed, or awaited under a name, before they come. */
#pragma once

#include "ca/base/buf.h"
#include "db/host.h"

#define ALLOWED_TEXT 513
#define ALLOWED_LABELS 4096 /* bytes of all labels as one JSON object */

/* One EK. Strings are borrowed when it is given. */
struct allowed {
	uint8_t ek_digest[DIGEST_SIZE]; /* SHA-256 of the EK's SubjectPublicKeyInfo */
	struct view ek_public; /* TPM2B_PUBLIC; empty: only the digest is known */
	const char *serial; /* of the machine, for people; NULL */
	/* Only this name and this EK go together; NULL: any name that policy lets it have. */
	const char *host;
	/* A JSON object of texts, without U+0000: "{\"rack\":\"7\"}"; NULL: none. */
	const char *labels;
};

struct allowed_row {
	uint8_t ek_digest[DIGEST_SIZE];
	char serial[ALLOWED_TEXT], host[254]; /* "" where there is none */
	char labels[2 * ALLOWED_LABELS]; /* as the database writes it: "{\"rack\": \"7\"}" */
	int64_t added_at;
	char source[ALLOWED_TEXT], added_by[ALLOWED_TEXT], why[ALLOWED_TEXT];
	bool is_enrolled; /* a device has this EK */
};
struct allowed_page {
	struct allowed_row *items; /* by digest */
	size_t n;
	bool more;
};
void allowed_page_free(struct allowed_page *page); /* for AUTO; accepts zeroes */

/* Which ones; NULL: any. */
struct allowed_query {
	const uint8_t *after; /* DIGEST_SIZE: those behind this digest; NULL: from the first */
	const char *host; /* a name in which * stands for anything */
	const char *serial;
	size_t limit; /* 1 to 5000 */
};
CHECKED enum err allowed_read(
	struct db *db, const struct allowed_query *query, struct allowed_page *page);

/* What became of one entry. */
enum allowed_fate {
	ALLOWED_ADDED,
	ALLOWED_SAME, /* was there, just like this */
	/* The EK is there, or comes before in the list, with another name, serial or labels. */
	ALLOWED_EK_TAKEN,
	ALLOWED_HOST_TAKEN, /* the name is registered, or comes before in the list, for another EK */
	ALLOWED_HOST_BOUND, /* the name is bound to a device that has not this EK */
	ALLOWED_EK_BOUND, /* the EK's device has another name */
};

/*
 * Adds all entries in one transaction, or none: when any has a fate that is neither ALLOWED_ADDED nor
 * ALLOWED_SAME nothing is changed, and OK is returned with `fate` (one for each entry) saying which; unless
 * `skip_bad`, with which those are left out. `dry_run` changes nothing in any case. `source` is the file's name.
 * One audit row for each that is added. No enrollment is recorded meanwhile, so a name is never bound to one EK and
 * registered for another. ERR_TOO_LARGE for lists of more than some 10,000 entries with the longest labels.
 */
CHECKED enum err allowed_add(struct db *db, const struct allowed *entries, size_t n,
	const char *source, bool skip_bad, bool dry_run, const struct act *act,
	enum allowed_fate *fate);
/* What was issued stays; an enrollment that is recorded after this has returned was not made with it.
 * ERR_NOT_FOUND "ek-unknown". */
CHECKED enum err allowed_remove(
	struct db *db, const uint8_t ek_digest[static DIGEST_SIZE], const struct act *act);
