/* responder.h - who signs OCSP answers in a CA's place: a certificate of some days, and a key that is
 * nowhere but in memory (RFC 6960 4.2.2.2). */
#pragma once

#include "ca/authority.h"

#define RESPONDER_LIFETIME ((int64_t)7 * 86400) /* seconds */
#define RESPONDER_SERIAL_SIZE 16

struct responder;

/*
 * A new P-256 key, and the CA's certificate for it: id-kp-OCSPSigning, digitalSignature, and
 * id-pkix-ocsp-nocheck (4.2.2.2.1), for it ends before anybody could be asked about it. It ends with
 * the CA's certificate at the latest. `*out` is the caller's, for responder_free(). ERR_BUSY
 * "ca-not-valid-yet", "ca-expired"; ERR_REJECTED "ca-name-constraints"; ERR_INTERNAL "crypto", "random".
 */
CHECKED enum err responder_make(
	const struct authority *authority, int64_t now, struct responder **out);
void responder_free(struct responder **responder);

/*
 * Is it time for the next one: is a third of its life left, or less, and can the CA give a longer one?
 */
bool responder_is_due(
	const struct responder *responder, const struct authority *authority, int64_t now);
bool responder_is_valid(const struct responder *responder, int64_t now);

/* All borrowed. Seconds since 1970. */
const uint8_t *responder_serial(const struct responder *responder); /* RESPONDER_SERIAL_SIZE */
struct view responder_der(const struct responder *responder);
int64_t responder_not_before(const struct responder *responder);
int64_t responder_not_after(const struct responder *responder);
X509 *responder_certificate(const struct responder *responder);
EVP_PKEY *responder_key(const struct responder *responder);
