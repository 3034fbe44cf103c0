/* answer.h - what a device that proved itself gets, under the seal (PROTOCOL.md, "The answer"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#define ANSWER_CERTIFICATES LIMIT_KEYS
#define ANSWER_INTERMEDIATES 4

/*
 * {host, device_id, tpm: {manufacturer, model, version}, trust: {class, source, chain: [names]},
 *  certificates: [{template, certificate}], ca: {intermediates: [DER], ssh_host, ssh_user}}.
 * Strings and views belong to the answer when it came from answer_parse(), and to the caller when
 * filled in by hand.
 */
struct answer {
	const char *host;
	const char *device_id; /* 32 lower-case hexadecimal digits */
	/* What a manufacturer's certificate proved; "" (filled in by hand, also NULL) otherwise. */
	const char *tpm_manufacturer; /* "id:49465800" */
	const char *tpm_model;
	const char *tpm_version; /* "id:00010002" */
	const char *trust_class; /* "manufacturer", "operator-import" */
	const char *trust_source; /* the operator's name for the roots */
	/* Subjects from the EK certificate's issuer to the root, one per line. */
	const char *trust_chain;
	struct {
		const char *template;
		struct view der; /* or, of a template of kind ssh-*, the certificate's blob */
	} certificates[ANSWER_CERTIFICATES];
	size_t certificates_n;
	struct view intermediates[ANSWER_INTERMEDIATES]; /* DER; never an anchor */
	size_t intermediates_n;
	/* Public key blobs of OpenSSH; empty: the service has none. */
	struct view ssh_host_ca, ssh_user_ca;
	struct answer_store *store;
};

/* `*out` is the caller's, for answer_free(); untouched on failure. Errors as in claim_parse(). */
CHECKED enum err answer_parse(struct view json, struct answer **out);
void answer_free(struct answer **answer);
CHECKED enum err answer_encode(const struct answer *answer, struct buf *json);
