/* published_ca.h - the CAs' certificates and keys for relying parties. */
#pragma once

#include "enroll/flow/service.h"

/*
 * GET /ca/NAME: appends it, and says what it is. SHORTID.cer and SHORTID.pem are the certificate of an
 * X.509 CA, also of one that issued once (DER, PEM); chain.pem and chain.p7c the issuing CA's with those
 * above it (PEM; RFC 5280 4.2.2.1: PKCS #7 certs-only); root.crl the CRL of the CA above it;
 * ssh-host-ca.pub and ssh-user-ca.pub what OpenSSH's CAs are, one line; known_hosts what clients need
 * of the first: for hosts in the domain of the service's name. ERR_NOT_FOUND "ca-unknown".
 */
CHECKED enum err published_ca(
	const struct service *service, const char *name, const char **type, struct buf *out);
