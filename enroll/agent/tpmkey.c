#include "enroll/agent/tpmkey.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "enroll/agent/tss2key.h"
#include "enroll/proto/limits.h"

#include <stdlib.h>
#include <string.h>

#define ATTRIBUTES                                                                                 \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |        \
		TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT)

static const struct {
	const char *name;
	enum key_kind kind;
	TPM2_ALG_ID hash; /* of the Name */
	TPMI_ECC_CURVE curve; /* TPM2_ECC_NONE: RSA-2048 */
} kinds[] = {
	{"p256", KEY_P256, TPM2_ALG_SHA256, TPM2_ECC_NIST_P256},
	{"p384", KEY_P384, TPM2_ALG_SHA384, TPM2_ECC_NIST_P384},
	{"rsa2048", KEY_RSA_2048, TPM2_ALG_SHA256, TPM2_ECC_NONE},
};

void tpmkey_free(struct tpmkey **key)
{
	if (*key == NULL)
		return;
	buf_free(&(*key)->public);
	buf_free(&(*key)->private);
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

bool tpmkey_kind_read(const char *text, enum key_kind *out)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, text) == 0) {
			*out = kinds[i].kind;
			return true;
		}
	return false;
}

static enum err make_empty(struct tpmkey **out)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a TPM key");
	(*out)->public = BUF(LIMIT_PUBLIC);
	(*out)->private = BUF(TSS2KEY_PART_MAX);
	return OK;
}

static void fill_template(size_t i, TPMT_PUBLIC *area)
{
	*area = (TPMT_PUBLIC){.nameAlg = kinds[i].hash, .objectAttributes = ATTRIBUTES};
	if (kinds[i].curve == TPM2_ECC_NONE) {
		area->type = TPM2_ALG_RSA;
		area->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
		area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
		area->parameters.rsaDetail.keyBits = 2048;
		return;
	}
	area->type = TPM2_ALG_ECC;
	area->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
	area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
	area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
	area->parameters.eccDetail.curveID = kinds[i].curve;
}

/* Which of `kinds` the area is, all of it but the key itself; COUNT(kinds): none. */
static size_t kind_of(const TPMT_PUBLIC *area)
{
	TPMT_PUBLIC template;
	size_t i;

	for (i = 0; i < COUNT(kinds); i++) {
		fill_template(i, &template);
		if (area->type != template.type || area->nameAlg != template.nameAlg ||
			(area->objectAttributes & ~TPMA_OBJECT_NODA) != ATTRIBUTES)
			continue;
		if (area->type == TPM2_ALG_RSA ? area->parameters.rsaDetail.keyBits == 2048
					       : area->parameters.eccDetail.curveID ==
							 template.parameters.eccDetail.curveID)
			break;
	}
	return i;
}

static size_t kind_of_key(const struct tpmkey *key)
{
	TPM2B_PUBLIC public;

	return TPM_READ(TPM2B_PUBLIC, buf_view(&key->public), &public) ? kind_of(&public.publicArea)
								       : COUNT(kinds);
}

const char *tpmkey_kind_text(const struct tpmkey *key)
{
	size_t i = kind_of_key(key);

	return i < COUNT(kinds) ? kinds[i].name : "another kind";
}

/* The rest of a key whose parts are there. */
static enum err complete(struct tpmkey *key)
{
	if (kind_of_key(key) == COUNT(kinds))
		return fail(ERR_REJECTED, "tpm-key",
			"the key is none of " TPMKEY_KINDS " that only signs");
	if (public_key_read(buf_view(&key->public), &key->pkey) != OK)
		return fail(ERR_REJECTED, "tpm-key", "the key cannot be used: %s", why()->sentence);
	return OK;
}

static enum err write_private(const TPM2B_PRIVATE *private, struct buf *out)
{
	uint8_t bytes[sizeof(*private)];
	size_t n = 0;

	TRY(tpm_ok(Tss2_MU_TPM2B_PRIVATE_Marshal(private, bytes, sizeof(bytes), &n),
		"a private area"));
	buf_add(out, (struct view){bytes, n});
	return buf_ok(out);
}

static enum err create(
	struct tpm *tpm, ESYS_TR parent, const TPM2B_PUBLIC *template, struct tpmkey *key)
{
	AUTO(esys_free) TPM2B_PRIVATE *private = NULL;
	AUTO(esys_free) TPM2B_PUBLIC *public = NULL;
	const TPM2B_SENSITIVE_CREATE no_auth = {0};
	const TPM2B_DATA no_data = {0};
	const TPML_PCR_SELECTION no_pcr = {0};

	TRY(tpm_ok(TPM_PATIENT(Esys_Create(tpm_esys(tpm), parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			   ESYS_TR_NONE, &no_auth, template, &no_data, &no_pcr, &private, &public,
			   NULL, NULL, NULL)),
		"TPM2_Create (a key)"));
	TRY(tpm_public_write(public, &key->public));
	return write_private(private, &key->private);
}

enum err tpmkey_make(struct tpm *tpm, enum key_kind kind, struct tpmkey **out)
{
	AUTO(parent_flush) struct parent parent = PARENT(tpm);
	AUTO(tpmkey_free) struct tpmkey *key = NULL;
	TPM2B_PUBLIC template = {0};
	size_t i = 0;

	while (i < COUNT(kinds) && kinds[i].kind != kind)
		i++;
	if (i == COUNT(kinds))
		return fail(ERR_INTERNAL, "tpm-key", "no key of this kind is made");
	TRY(make_empty(&key));
	fill_template(i, &template.publicArea);
	TRY(parent_load(tpm, TPM2_RH_OWNER, NULL, &parent));
	TRY(create(tpm, parent.key.tr, &template, key));
	TRY(complete(key));
	*out = MOVE(key);
	return OK;
}

enum err tpmkey_read(const char *path, struct tpmkey **out)
{
	AUTO(tpmkey_free) struct tpmkey *key = NULL;
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);
	struct tss2key file;

	TRY(make_empty(&key));
	file = (struct tss2key){.public = &key->public, .private = &key->private};
	TRY(file_read(path, &pem));
	TRY(tss2key_parse(buf_view(&pem), &file));
	if (file.parent != TPM2_RH_OWNER)
		return fail(ERR_REJECTED, "tpm-key",
			"the key's parent is 0x%08x, and not the owner's storage primary",
			file.parent);
	TRY(complete(key));
	*out = MOVE(key);
	return OK;
}

enum err tpmkey_encode(const struct tpmkey *key, struct buf *pem)
{
	struct buf public = key->public, private = key->private;

	return tss2key_encode(&(struct tss2key){TPM2_RH_OWNER, &public, &private}, pem);
}

enum err tpmkey_write(const struct tpmkey *key, const char *path)
{
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);

	TRY(tpmkey_encode(key, &pem));
	return file_replace(path, 0600, buf_view(&pem));
}

enum err tpmkey_load(struct tpm *tpm, const struct tpmkey *key, struct loaded *out)
{
	AUTO(parent_flush) struct parent parent = PARENT(tpm);
	TPM2B_PUBLIC public;
	TPM2B_PRIVATE private;
	TSS2_RC rc;

	if (!TPM_READ(TPM2B_PUBLIC, buf_view(&key->public), &public) ||
		!TPM_READ(TPM2B_PRIVATE, buf_view(&key->private), &private))
		return fail(ERR_REJECTED, "tpm-key",
			"the key file does not hold one TPM2B_PUBLIC and one TPM2B_PRIVATE");
	TRY(parent_load(tpm, TPM2_RH_OWNER, NULL, &parent));
	rc = TPM_PATIENT(Esys_Load(tpm_esys(tpm), parent.key.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, &private, &public, &out->tr));
	if (tpm_is_verdict(rc))
		return fail(ERR_REJECTED, "tpm-key",
			"this TPM did not make the key, or was cleared since (TPM2_Load: 0x%08x)",
			rc);
	return tpm_ok(rc, "TPM2_Load (a key)");
}

void tpmkey_statement_init(struct tpmkey_statement *statement)
{
	*statement = (struct tpmkey_statement){
		.attest = BUF(LIMIT_ATTEST), .signature = BUF(LIMIT_SIGNATURE)};
}

void tpmkey_statement_free(struct tpmkey_statement *statement)
{
	buf_free(&statement->attest);
	buf_free(&statement->signature);
}

static enum err write_statement(
	const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *signature, struct tpmkey_statement *out)
{
	uint8_t bytes[sizeof(*attest)];
	size_t n = 0;

	TRY(tpm_ok(Tss2_MU_TPM2B_ATTEST_Marshal(attest, bytes, sizeof(bytes), &n), "a statement"));
	buf_add(&out->attest, (struct view){bytes, n});
	TRY(buf_ok(&out->attest));
	return tpm_signature_write(signature, &out->signature);
}

enum err tpmkey_certify(struct tpm *tpm, const struct tpmkey *key, const struct device_ak *ak,
	const struct device_ek *ek, struct view qualifying, struct tpmkey_statement *out)
{
	AUTO(loaded_flush) struct loaded object = LOADED(tpm);
	AUTO(loaded_flush) struct loaded signer = LOADED(tpm);
	AUTO(esys_free) TPM2B_ATTEST *attest = NULL;
	AUTO(esys_free) TPMT_SIGNATURE *signature = NULL;
	const TPMT_SIG_SCHEME own = {.scheme = TPM2_ALG_NULL};
	TPM2B_DATA extra = {.size = (uint16_t)qualifying.n};

	if (qualifying.n > sizeof(extra.buffer))
		return fail(ERR_INTERNAL, "tpm", "too much qualifying data");
	memcpy(extra.buffer, qualifying.p, qualifying.n);
	TRY(tpmkey_load(tpm, key, &object));
	TRY(device_ak_load(tpm, ak, ek, &signer));
	TRY(tpm_ok(TPM_PATIENT(Esys_Certify(tpm_esys(tpm), object.tr, signer.tr, ESYS_TR_PASSWORD,
			   ESYS_TR_PASSWORD, ESYS_TR_NONE, &extra, &own, &attest, &signature)),
		"TPM2_Certify"));
	return write_statement(attest, signature, out);
}
