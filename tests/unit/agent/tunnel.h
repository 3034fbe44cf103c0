/* tunnel.h - hosts with an AK, a TLS endpoint and a log of it, and what a relying party asks about one of them. */
#pragma once

#include "enroll/agent/link.h"
#include "enroll/tpm/endpointlog.h"
#include "maker.h"
#include "tests/softtpm/attest.h"

#define PCR 13

struct host {
	const char *name;
	struct soft_key ak;
	X509 *ak_certificate, *property;
	EVP_PKEY *key; /* the endpoint's */
	X509 *endpoint; /* self-signed */
	struct soft_pcrs pcrs;
	struct endpoint_log log;
	struct buf text; /* the log's, of the last quote */
	struct buf attest, signature; /* the last quote */
};

/* Two hosts of one CA, each with its endpoint measured; a question about the first. */
struct scene {
	struct certifier ca, stranger;
	struct anchors *anchors;
	STACK_OF(X509) *intermediates;
	struct host victim, thief;
	struct link_question question;
	X509 *made[8]; /* by tests, freed with the scene */
	size_t made_n;
};
void scene_make(struct scene *scene);
void scene_free(struct scene *scene);

/* Extends the PCR and appends to the log. */
void host_measure(struct host *host, enum endpoint_act act, EVP_PKEY *key);
/* Quotes PCRs (bit 0 for PCR 0) with the question's nonce, and writes the log's text as it is now. */
void host_quote(struct host *host, const struct scene *scene, uint32_t selected);
/* The question is answered with this host's certificates, its last quote and its log. */
void scene_show(struct scene *scene, const struct host *host);
/* A certificate by the scene's CA, or by `issuer` of the recipe where it has one; the scene's. */
X509 *scene_certificate(struct scene *scene, const struct recipe *recipe);
