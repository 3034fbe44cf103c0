/* certificates.h - certificates as admins look for them and see them. */
#pragma once

#include "db/enrollment_facts.h"
#include "db/found.h"

enum certificate_state {
	CERTIFICATE_ANY,
	CERTIFICATE_VALID, /* not taken back, and not ended */
	CERTIFICATE_EXPIRED,
	CERTIFICATE_REVOKED, /* or held */
};

/* Strings and bytes are borrowed, NULL: not asked for. All of it has to be so. */
struct certificates_query {
	const uint8_t *serial;
	size_t serial_n;
	const uint8_t *sha256; /* DIGEST_SIZE: of the DER */
	const uint8_t *device_id; /* DEVICE_ID_SIZE */
	const char *host; /* the name when it was issued; * stands for anything */
	const char *template, *kind; /* "x509", "ssh-host", "ssh-user" */
	const uint8_t *issuer; /* DIGEST_SIZE */
	int64_t shard; /* -1: any */
	enum certificate_state state;
	int64_t since, until; /* issued from then on, and before then; seconds since 1970 */
	const char *after; /* found.next of the page before */
	size_t limit; /* rows, at least 1 */
};

/* The newest first; of "web-*" by name, and of each name the oldest first. Else as devices_find(). */
CHECKED enum err certificates_find(
	struct db *db, const struct certificates_query *query, struct found *out);

/*
 * One with its bytes, by its serial number or, where that is NULL, by the SHA-256 of its DER: one row, or none.
 * Column "der" and, where the record has its issuer, "ca" are base64.
 */
CHECKED enum err certificate_show(
	struct db *db, struct view serial, const uint8_t *sha256, struct found *out);
