#include "enroll/agent/recipe.h"

#include <string.h>
#include <tss2/tss2_mu.h>

static const struct ak_recipe recipes[] = {
	{"p256", KEY_P256, TPM2_ALG_ECDSA, TPM2_ALG_SHA256},
	{"p384", KEY_P384, TPM2_ALG_ECDSA, TPM2_ALG_SHA384},
	{"rsa2048", KEY_RSA_2048, TPM2_ALG_RSASSA, TPM2_ALG_SHA256},
	{"rsa2048-pss", KEY_RSA_2048, TPM2_ALG_RSAPSS, TPM2_ALG_SHA256},
};

const struct ak_recipe *const ak_recipe_default = &recipes[0];

const struct ak_recipe *ak_recipe_find(const char *name)
{
	if (strcmp(name, "ecc256") == 0)
		name = "p256";
	else if (strcmp(name, "ecc384") == 0)
		name = "p384";
	for (size_t i = 0; i < COUNT(recipes); i++)
		if (strcmp(recipes[i].name, name) == 0)
			return &recipes[i];
	return NULL;
}

static bool is_scheme(const TPMT_PUBLIC *area, const struct ak_recipe *recipe)
{
	if (area->nameAlg != recipe->hash)
		return false;
	if (area->type == TPM2_ALG_RSA)
		return area->parameters.rsaDetail.scheme.scheme == recipe->scheme &&
		       area->parameters.rsaDetail.scheme.details.anySig.hashAlg == recipe->hash;
	return area->parameters.eccDetail.scheme.scheme == recipe->scheme &&
	       area->parameters.eccDetail.scheme.details.anySig.hashAlg == recipe->hash;
}

const struct ak_recipe *ak_recipe_of(const struct ak *ak)
{
	struct view bytes = ak_public(ak);
	TPM2B_PUBLIC public = {0};
	size_t used = 0;

	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes.p, bytes.n, &used, &public) != TSS2_RC_SUCCESS)
		return NULL;
	for (size_t i = 0; i < COUNT(recipes); i++)
		if (recipes[i].kind == ak_kind(ak) && is_scheme(&public.publicArea, &recipes[i]))
			return &recipes[i];
	return NULL;
}

const char *ak_recipe_text(const struct ak *ak)
{
	const struct ak_recipe *recipe = ak_recipe_of(ak);

	return recipe != NULL ? recipe->name : key_kind_text(ak_kind(ak));
}

void ak_recipe_fill(const struct ak_recipe *recipe, TPMT_PUBLIC *area)
{
	area->nameAlg = recipe->hash;
	if (recipe->kind == KEY_RSA_2048) {
		area->type = TPM2_ALG_RSA;
		area->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
		area->parameters.rsaDetail.scheme.scheme = recipe->scheme;
		area->parameters.rsaDetail.scheme.details.anySig.hashAlg = recipe->hash;
		area->parameters.rsaDetail.keyBits = 2048;
		return;
	}
	area->type = TPM2_ALG_ECC;
	area->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
	area->parameters.eccDetail.scheme.scheme = recipe->scheme;
	area->parameters.eccDetail.scheme.details.ecdsa.hashAlg = recipe->hash;
	area->parameters.eccDetail.curveID =
		recipe->kind == KEY_P384 ? TPM2_ECC_NIST_P384 : TPM2_ECC_NIST_P256;
	area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
}
