/* recipe.h - the kinds of attestation keys that the tool makes. */
#pragma once

#include "enroll/tpm/ak.h"

#include <tss2/tss2_tpm2_types.h>

struct ak_recipe {
	const char *name; /* "rsa2048-pss" */
	enum key_kind kind;
	TPM2_ALG_ID scheme;
	TPM2_ALG_ID hash; /* of the scheme and of the Name */
};

#define AK_KINDS "p256, p384, rsa2048 or rsa2048-pss"

/* What is made when nothing is asked for: p256, which is ECDSA with SHA-256. */
extern const struct ak_recipe *const ak_recipe_default;

/* NULL when there is no such kind. "ecc256" and "ecc384" are p256 and p384. */
const struct ak_recipe *ak_recipe_find(const char *name);

/* The recipe that this AK could come from; NULL for one that only others make. */
const struct ak_recipe *ak_recipe_of(const struct ak *ak);

/* The recipe's name; where there is none, that of the kind of key ("rsa3072"). */
const char *ak_recipe_text(const struct ak *ak);

/* Sets type, parameters and nameAlg. */
void ak_recipe_fill(const struct ak_recipe *recipe, TPMT_PUBLIC *area);
