/* parts.h - what the signer consists of; for this folder only. */
#pragma once

#include "ca/authority.h"
#include "ca/signer/client.h"
#include "ca/ssh.h"

struct signer {
	struct authority *authority;
	struct templates *templates;
	struct ssh_ca *ssh_host, *ssh_user; /* NULL: none */
	char *organization; /* NULL: none */
	struct authority **former; /* NULL: none */
	size_t former_n;
	struct responders *responders; /* one place for each X.509 CA */
	struct buf root_crl; /* DER; empty: none */
};

/* The X.509 CA by its authority_id(), also a former one; NULL: it is none of ours. */
const struct authority *signer_authority(
	const struct signer *signer, const uint8_t id[static SHA256_SIZE]);

/* The OCSP responders of the signer's X.509 CAs; none has a certificate yet. */
CHECKED enum err responders_make(const struct signer *signer, struct responders **out);
void responders_free(struct responders **responders);
