/* tunnel.h - an enrolled host with a TLS endpoint, as a relying party meets it. */
#pragma once

#include "tests/flow/world.h"

/* A policy by which hosts may have what they need for this. */
extern const char tunnel_policy[];

struct tunnel {
	struct world *world;
	struct chip *chip;
	char *name; /* "web-1.example.test" */
	char *state; /* directory of `endorse` */
	char *key, *certificate; /* of the endpoint; the certificate signs itself */
};

/* Enrolls under `name`, for an AK and a platform-property certificate, and makes an endpoint. */
void tunnel_make(struct world *world, struct chip *chip, const char *name, const char *hierarchy,
	struct tunnel *out);
void tunnel_free(struct tunnel *tunnel);

/* A self-signed certificate for `name`, below the tunnel's state directory; its path, for free(). */
char *tunnel_endpoint(
	const struct tunnel *tunnel, const char *file, const char *key, const char *name);

/* `endorse measure-endpoint` and `endorse quote --out out`, options up to NULL. */
void tunnel_measure(const struct tunnel *tunnel, struct output *output, ...)
	__attribute__((sentinel));
void tunnel_quote(const struct tunnel *tunnel, struct output *output, const char *nonce,
	const char *out, ...) __attribute__((sentinel));
/* Both of what has to succeed. */
void tunnel_measures(const struct tunnel *tunnel, const char *certificate, const char *option);
void tunnel_quotes(const struct tunnel *tunnel, const char *nonce, const char *out);

/* What `endorse link-check --json` finds broken; "" when it is linked; for free(). */
char *link_broken(struct world *world, const char *endpoint, const char *name, const char *evidence,
	const char *nonce);
/* The same where hosts keep their endpoints in another PCR than 13. */
char *link_broken_in(struct world *world, const char *endpoint, const char *name,
	const char *evidence, const char *nonce, const char *pcr);
/* `endorse link-check --new-nonce`, for free(). */
char *new_nonce(struct world *world);
