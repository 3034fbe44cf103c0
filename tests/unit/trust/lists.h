/* lists.h - revocation lists of the PKI of pki.h, as faulty as asked. */
#pragma once

#include "tests/unit/trust/pki.h"

struct list_recipe {
	X509 *issuer;
	EVP_PKEY *key;
	int64_t made, due; /* 0: a day before NOW, a day after; due -1: none */
	X509 *revoked; /* NULL: nothing */
	int reason; /* 0: none is given */
	bool is_indirect;
	/* What an entry of an indirect list says; NULL: nothing. */
	X509 *entry_issuer;
	X509 *decoy; /* listed before the other, as entry_issuer's of its own issuer */
	bool is_delta, lacks_key_id, is_for_attributes, has_unknown_critical;
};

X509_CRL *list_made(const struct list_recipe *recipe);
/* The same, as one of the service's. */
void world_list(struct world *world, const struct list_recipe *recipe);
