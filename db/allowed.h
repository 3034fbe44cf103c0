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
	const char *
		host; /* only this name and this EK go together; NULL: any name that policy lets it have */
	const char *labels; /* a JSON object of texts: "{\"rack\":\"7\"}" */
};

struct allowed_row {
	uint8_t ek_digest[DIGEST_SIZE];
	char serial[ALLOWED_TEXT], host[254],
		labels[ALLOWED_LABELS]; /* "" where there is none; labels "{}" */
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
	ALLOWED_EK_TAKEN, /* the EK is there with another name, serial or labels */
	ALLOWED_HOST_TAKEN, /* the name is registered for another EK */
	ALLOWED_HOST_BOUND, /* the name is bound to a device that has not this EK */
	ALLOWED_EK_BOUND, /* the EK's device has another name */
};

/*
 * Adds all entries in one transaction, or none: when any has a fate that is neither ALLOWED_ADDED nor
 * ALLOWED_SAME nothing is changed, and OK is returned with `fate` (one for each entry) saying which; unless
 * `skip_bad`, with which those are left out. `dry_run` changes nothing in any case. `source` is the file's name.
 * One audit row for each that is added.
 */
CHECKED enum err allowed_add(struct db *db, const struct allowed *entries, size_t n,
	const char *source, bool skip_bad, bool dry_run, const struct act *act,
	enum allowed_fate *fate);
/* What was issued stays. ERR_NOT_FOUND "ek-unknown". */
CHECKED enum err allowed_remove(
	struct db *db, const uint8_t ek_digest[static DIGEST_SIZE], const struct act *act);
