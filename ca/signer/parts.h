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
};
