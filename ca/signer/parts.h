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
	struct buf root_crl; /* DER; empty: none */
};

/* The X.509 CA by its authority_id(), also a former one; NULL: it is none of ours. */
const struct authority *signer_authority(
	const struct signer *signer, const uint8_t id[static SHA256_SIZE]);
