/* content.h - the certificates and CRLs in the bytes of one file, whatever form it has. */
#pragma once

#include "enroll/trust/bundle.h"

/*
 * Reads PEM (with a bundle's lines or without), DER of a certificate, of a CRL or of PKCS#7, and PKCS#7 in
 * PEM, whose certificates and CRLs take its place. `*out` is the caller's, for bundle_free(). ERR_MALFORMED
 * "no-certificate" when there is none, and those of bundle_read().
 */
CHECKED enum err content_read(struct view bytes, const char *shown, struct bundle **out);
