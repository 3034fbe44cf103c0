/* linkfile.h - what links an endpoint (linkage.h) as one JSON file, or as a directory of single files. */
#pragma once

#include "enroll/proto/linkage.h"

#include <openssl/x509.h>

/* In a directory; the first two are what tpm2_checkquote takes as -m and -s. */
#define LINKFILE_ATTEST "quote.attest"
#define LINKFILE_SIGNATURE "quote.signature"
#define LINKFILE_LOG "endpoints.log"
#define LINKFILE_AK "ak.pem"
#define LINKFILE_PROPERTY "platform-property.pem"
#define LINKFILE_CHAIN "chain.pem" /* may be empty, or lack */

/*
 * Reads the file, or the directory, at `path`. `out` is overwritten, and for linkage_free() also
 * after a failure. ERR_MALFORMED as linkage_parse(); ERR_NOT_FOUND "file-missing"; ERR_INTERNAL
 * "file-read", "pem-file".
 */
CHECKED enum err linkfile_read(const char *path, struct linkage *out);

/*
 * Writes it into the directory that is at `path`, or as a file; to standard output for "-".
 * ERR_INTERNAL "file-write".
 */
CHECKED enum err linkfile_write(const struct linkage *linkage, const char *path);

/* The certificates of one; the caller's. ERR_MALFORMED "linkage" for what is no certificate. */
struct linkage_certificates {
	X509 *ak, *property;
	STACK_OF(X509) *intermediates;
};
CHECKED enum err linkage_certificates_read(
	const struct linkage *linkage, struct linkage_certificates *out);
void linkage_certificates_free(struct linkage_certificates *certificates);
