/* manufacturer.h - who made the fleet's TPMs: a root and an intermediate for each kind of EK. */
#pragma once

#include "tests/bench/endorse-bench/fleetfile.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/*
 * RSA-2048 certifies RSA EKs, P-256 and P-384 those of their kind, as manufacturers do. One thread
 * at a time may certify with one: `certify` is where it keeps what is the same for all.
 */
struct manufacturer {
	X509 *roots[FLEET_KINDS], *intermediates[FLEET_KINDS];
	EVP_PKEY *keys[FLEET_KINDS]; /* of the intermediates */
	X509 *models[FLEET_KINDS]; /* EK certificates without key, serial number and signature */
};

/* Makes keys and certificates, anew each time. ERR_INTERNAL "crypto". For manufacturer_free(). */
CHECKED enum err manufacturer_make(struct manufacturer *out);
/* The same one for another thread. */
CHECKED enum err manufacturer_share(const struct manufacturer *from, struct manufacturer *out);
void manufacturer_free(struct manufacturer *manufacturer);

/* Writes DIR/roots/KIND.pem and DIR/intermediates/KIND.pem, as trust in the service's configuration takes them; makes the
 * directories. */
CHECKED enum err manufacturer_publish(const struct manufacturer *manufacturer, const char *dir);

/* Certifies an EK (TCG EK Credential Profile 2.x, 3.2) by the bits of its SubjectPublicKeyInfo; appends the DER. */
CHECKED enum err manufacturer_certify(const struct manufacturer *manufacturer, enum fleet_kind kind,
	struct view public_bits, struct buf *der);
