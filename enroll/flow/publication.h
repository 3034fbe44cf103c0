/* publication.h - where relying parties find what became of certificates, and who issued them. */
#pragma once

#include "enroll/flow/service.h"

#define PUBLICATION_URL_SIZE 320 /* bytes, with the NUL: 255 of what it begins with, and a name */
#define SHORT_ID_SIZE 8 /* of a CA's id, for URLs */

/* What URLs of a service begin with, without a slash at its end. */
const char *publication_base(const struct service *service);

/*
 * The URLs for a certificate of the issuing CA's, by `base` of the plan that its place was drawn by:
 * of its CRL (RFC 5280 4.2.1.13), of OCSP and of the CA's certificate (4.2.2.1).
 */
void publication_urls(const struct service *service, const char *base, int64_t shard,
	char crl[static PUBLICATION_URL_SIZE], char ocsp[static PUBLICATION_URL_SIZE],
	char issuer[static PUBLICATION_URL_SIZE]);

/* The last segment of a CRL's URL: "0123456789abcdef-17.crl". */
void publication_crl_name(
	const uint8_t issuer[static SHA256_SIZE], int64_t shard, char *name, size_t room);

/* The URL of a shard's CRL, as the certificates in it have it. */
void publication_crl_url(const char *base, const uint8_t issuer[static SHA256_SIZE], int64_t shard,
	char url[static PUBLICATION_URL_SIZE]);

/* How many certificates a shard has whose CRL has at most so many bytes; 0: not even one. */
size_t publication_capacity(const struct signer *signer, const char *base, size_t bytes);

/*
 * Has the database know the CAs of this snapshot, and what a shard of the CRL is from now on. Before
 * anything is issued by it. Errors of db_run().
 */
CHECKED enum err publication_settle(const struct service *service, int64_t now);
