/* gather.h - the certificates and CRLs of files, directories and cabinets, each judged as a candidate. */
#pragma once

#include "enroll/admin/cab.h"
#include "enroll/trust/bundle.h"
#include "enroll/trust/candidate.h"
#include "enroll/trust/vouching.h"

#define GATHER_FILES 20000
#define GATHER_BYTES (256 * 1024 * 1024) /* of all files together */
#define GATHER_DEPTH 16 /* of directories */

/* How they are to be judged; borrowed. */
struct gather_wish {
	const char *manufacturers; /* of every root: "id:49465800" or "any"; NULL: found out */
	bool pins; /* every CA is a root, also one that somebody else has signed */
	bool takes_exports; /* what a bundle says a service trusts, with role and class, as it does */
	const struct vendors *vendors; /* may be NULL */
	const struct cab_trust *cab;
	const char *temporary; /* where a private directory is made for a cabinet; NULL: /tmp */
	int64_t now;
};

/* Something that was found, and what becomes of it. */
struct gathered {
	char *path; /* "roots/x.pem", "TrustedTpm.cab/Intel/RootCA/x.crt", with ":LINE" where a file has several */
	const char *origin; /* the PATH that it was found below */
	struct bundle_entry entry; /* the bytes, and what its bundle says of it */
	struct candidate candidate;
	char manufacturers[VOUCHING_MAX + 1]; /* of a root that is taken; "": any */
	bool is_double; /* the same bytes were there before */
	char code[64], sentence[512]; /* why it is left out; "" for what is taken */
};

struct gathering {
	struct gathered *item;
	size_t n;
	size_t files; /* looked at */
	size_t bytes;
	struct buf notes; /* for people, one a line: by whom a cabinet was signed */
};
void gathering_init(struct gathering *gathering);
void gathering_free(struct gathering *gathering); /* for AUTO */

/*
 * Gathers what lies at a path: PEM with one or more and with a bundle's lines, DER, PKCS#7, CRLs, cabinets,
 * and directories of all these, to their depths. Symbolic links within a directory are not followed; hidden
 * files are passed over. What cannot be read is an item with its code ("no-certificate", "ca-unreadable" and the others
 * of candidate_judge() and vouching_find()). ERR_NOT_FOUND "file-missing", ERR_INTERNAL "file-read",
 * ERR_TOO_LARGE "gather-size", those of bundle_read() and of cab_extract(): nothing is to be believed then.
 */
CHECKED enum err gather(
	const char *path, const struct gather_wish *wish, struct gathering *gathering);
