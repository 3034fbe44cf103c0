/* cab.h - a signed cabinet of certificates, such as Microsoft's TrustedTpm.cab. */
#pragma once

#include "ca/base/buf.h"

#define CAB_MAX (16 * 1024 * 1024) /* bytes of a cabinet */

/* By whom a cabinet must be signed: files of one certificate each, and their SHA-256 in hexadecimal. */
struct cab_trust {
	const char *root, *root_sha256;
	/* Of the time stamp, without which a signature ends with its signer's certificate; NULL: as above. */
	const char *stamp_root, *stamp_root_sha256;
};

/* Is it a cabinet, by its first bytes? */
bool is_cab(struct view bytes);

#define CAB_SIGNER 256

/*
 * Verifies the signature with osslsigncode, where the given roots are the only anchors, and then extracts
 * with cabextract into `dir`, a private directory. `shown` is for messages; `signer` gets the subject.
 * Revocation of the signer is not looked at: nothing is fetched.
 * ERR_MALFORMED "cab-root" (no root given, not that digest, not one certificate), ERR_REJECTED "cab-unsigned",
 * "cab-signer" (no certificate for code signing), "cab-altered", "cab-untrusted", "cab-content" (paths that
 * leave the directory, too much, one of a set), and those of run_program().
 */
CHECKED enum err cab_extract(struct view bytes, const char *shown, const struct cab_trust *trust,
	const char *dir, char signer[static CAB_SIGNER]);
