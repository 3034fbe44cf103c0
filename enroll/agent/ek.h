/* ek.h - the endorsement key of this machine's TPM: its certificate in NV, and the key itself. */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/agent/tpm.h"
#include "enroll/proto/limits.h"
#include "enroll/tpm/ekpublic.h"

/* Is a certificate sent with the EK? */
enum ek_certificate {
	EK_CERTIFICATE_AUTO, /* where the TPM has any, an EK that has one; otherwise one that has none */
	EK_CERTIFICATE_NONE, /* no, whatever the TPM has */
	EK_CERTIFICATE_ONLY, /* an EK without one is of no use */
};

struct device_ek {
	const struct ek_template *template;
	EVP_PKEY *key; /* the certificate's, or without one what the TPM says */
	struct buf certificate; /* DER, as the manufacturer wrote it; empty without one */
	struct buf public; /* TPM2B_PUBLIC, where there is no certificate */
	struct buf chain[LIMIT_INTERMEDIATES]; /* DER, from NV 0x01c00100 to 0x01c001ff */
	size_t chain_n;
	char sha256[2 * SHA256_SIZE + 1]; /* of the key's SubjectPublicKeyInfo, in hexadecimal */
};

/* Is `text` the template's kind of key ("p256"), or its own name ("L-2")? */
bool ek_template_is(const struct ek_template *tmpl, const char *text);
/* The first template whose kind, or whose own name ("L-1"), is `text`; NULL when none is. */
const struct ek_template *ek_template_find(const char *text);

/*
 * Reads the EK certificate for the template that `wanted` names, or for the first one in the order
 * of ek_templates that is of the kind `wanted` (any kind when it is NULL) and has a certificate in
 * NV that can be used; and the chain beside it. A TPM that has none at all, or whose certificates
 * are not wanted, is asked for the EK itself: the one at the template's persistent handle, or what
 * TPM2_CreatePrimary makes; for any kind the first that is persistent, or L-1. `*out` is the
 * caller's, for device_ek_free(); untouched on failure. ERR_NOT_FOUND "tpm-ek" when there is no
 * such certificate; ERR_INTERNAL "tpm-ek", "tpm".
 */
CHECKED enum err device_ek_find(struct tpm *tpm, const char *wanted,
	enum ek_certificate certificate, struct device_ek **out);
void device_ek_free(struct device_ek **ek);

/*
 * Brings the key: the persistent one where its public area is the template's with this key, otherwise
 * TPM2_CreatePrimary from the template. ERR_INTERNAL "tpm-ek" when what comes out is another key.
 */
CHECKED enum err device_ek_load(struct tpm *tpm, const struct device_ek *ek, struct loaded *out);
