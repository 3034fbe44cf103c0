#include "tests/flow/device.h"

#include "tests/flow/process.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#define NV_BLOCK 1024
#define TRANSIENT_FIRST 0x80000000u /* the TSS's own constant shifts into the sign */
#define NO_SESSIONS ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE
#define ONE_PASSWORD ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE

static void must_tpm(TSS2_RC rc, const char *command)
{
	must(rc == TSS2_RC_SUCCESS, "%s: 0x%x", command, rc);
}

void device_open(struct device *device, const char *tcti)
{
	*device = (struct device){0};
	must_tpm(Tss2_TctiLdr_Initialize(tcti, &device->tcti), tcti);
	must_tpm(Esys_Initialize(&device->esys, device->tcti, NULL), "Esys_Initialize");
}

void device_close(struct device *device)
{
	Esys_Finalize(&device->esys);
	Tss2_TctiLdr_Finalize(&device->tcti);
}

void device_flush(struct device *device)
{
	TPMS_CAPABILITY_DATA *found = NULL;
	const TPML_HANDLE *handles;

	must_tpm(Esys_GetCapability(device->esys, NO_SESSIONS, TPM2_CAP_HANDLES, TRANSIENT_FIRST,
			 TPM2_MAX_CAP_HANDLES, NULL, &found),
		"GetCapability");
	handles = &found->data.handles;
	for (UINT32 i = 0; i < handles->count; i++) {
		ESYS_TR key;

		must_tpm(Esys_TR_FromTPMPublic(device->esys, handles->handle[i], NO_SESSIONS, &key),
			"TR_FromTPMPublic");
		must_tpm(Esys_FlushContext(device->esys, key), "FlushContext");
	}
	Esys_Free(found);
}

void device_key_free(struct device *device, struct device_key *key)
{
	if (key->handle != 0)
		Esys_FlushContext(device->esys, key->handle);
	buf_free(&key->public);
	*key = (struct device_key){0};
}

bool device_nv_read(struct device *device, uint32_t index, struct buf *out)
{
	ESYS_TR handle;
	TPM2B_NV_PUBLIC *area = NULL;
	UINT16 size;

	if (Esys_TR_FromTPMPublic(device->esys, index, NO_SESSIONS, &handle) != TSS2_RC_SUCCESS)
		return false;
	must_tpm(Esys_NV_ReadPublic(device->esys, handle, NO_SESSIONS, &area, NULL),
		"NV_ReadPublic");
	size = area->nvPublic.dataSize;
	Esys_Free(area);
	for (UINT16 at = 0; at < size;) {
		UINT16 n = size - at < NV_BLOCK ? (UINT16)(size - at) : NV_BLOCK;
		TPM2B_MAX_NV_BUFFER *data = NULL;

		must_tpm(Esys_NV_Read(device->esys, handle, handle, ONE_PASSWORD, n, at, &data),
			"NV_Read");
		buf_add(out, (struct view){data->buffer, data->size});
		at = (UINT16)(at + data->size);
		Esys_Free(data);
	}
	Esys_TR_Close(device->esys, &handle);
	return true;
}

void device_nv_remove(struct device *device, uint32_t index)
{
	ESYS_TR handle;

	if (Esys_TR_FromTPMPublic(device->esys, index, NO_SESSIONS, &handle) == TSS2_RC_SUCCESS)
		must_tpm(Esys_NV_UndefineSpace(
				 device->esys, ESYS_TR_RH_PLATFORM, handle, ONE_PASSWORD),
			"NV_UndefineSpace");
}

void device_nv_write(struct device *device, uint32_t index, struct view bytes)
{
	TPM2B_AUTH auth = {0};
	TPM2B_NV_PUBLIC area = {
		.nvPublic = {.nvIndex = index,
			.nameAlg = TPM2_ALG_SHA256,
			.attributes = TPMA_NV_PPWRITE | TPMA_NV_WRITEDEFINE | TPMA_NV_PPREAD |
				      TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA |
				      TPMA_NV_PLATFORMCREATE,
			.dataSize = (UINT16)bytes.n}};
	ESYS_TR handle;

	device_nv_remove(device, index);
	must_tpm(Esys_NV_DefineSpace(
			 device->esys, ESYS_TR_RH_PLATFORM, ONE_PASSWORD, &auth, &area, &handle),
		"NV_DefineSpace");
	for (size_t at = 0; at < bytes.n; at += NV_BLOCK) {
		TPM2B_MAX_NV_BUFFER data = {0};

		data.size = (UINT16)(bytes.n - at < NV_BLOCK ? bytes.n - at : NV_BLOCK);
		memcpy(data.buffer, bytes.p + at, data.size);
		must_tpm(Esys_NV_Write(device->esys, ESYS_TR_RH_PLATFORM, handle, ONE_PASSWORD,
				 &data, (UINT16)at),
			"NV_Write");
	}
	Esys_TR_Close(device->esys, &handle);
}

void public_bytes(const TPM2B_PUBLIC *area, struct buf *out)
{
	uint8_t bytes[sizeof(*area)];
	size_t n = 0;

	must_tpm(Tss2_MU_TPM2B_PUBLIC_Marshal(area, bytes, sizeof(bytes), &n), "marshal");
	buf_add(out, (struct view){bytes, n});
}

void public_area(struct view bytes, TPM2B_PUBLIC *out)
{
	size_t n = 0;

	*out = (TPM2B_PUBLIC){0};
	must_tpm(Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes.p, bytes.n, &n, out), "unmarshal");
}

void device_primary(struct device *device, ESYS_TR hierarchy, const TPM2B_PUBLIC *template,
	struct device_key *out)
{
	TPM2B_SENSITIVE_CREATE sensitive = {0};
	TPM2B_DATA outside = {0};
	TPML_PCR_SELECTION pcrs = {0};
	TPM2B_PUBLIC *area = NULL;
	TPM2B_CREATION_DATA *creation = NULL;
	TPM2B_DIGEST *hash = NULL;
	TPMT_TK_CREATION *ticket = NULL;

	*out = (struct device_key){.public = BUF(1024)};
	must_tpm(Esys_CreatePrimary(device->esys, hierarchy, ONE_PASSWORD, &sensitive, template,
			 &outside, &pcrs, &out->handle, &area, &creation, &hash, &ticket),
		"CreatePrimary");
	public_bytes(area, &out->public);
	Esys_Free(area);
	Esys_Free(creation);
	Esys_Free(hash);
	Esys_Free(ticket);
}

void device_ek_from(struct device *device, const struct ek_template *tmpl, struct device_key *out)
{
	AUTO(buf_free) struct buf bytes = BUF(EK_PUBLIC_MAX);
	TPM2B_PUBLIC template;

	must(ek_public_build(tmpl, NULL, &bytes) == OK, "%s", why()->sentence);
	public_area(buf_view(&bytes), &template);
	device_primary(device, ESYS_TR_RH_ENDORSEMENT, &template, out);
}

void device_ek(struct device *device, enum key_kind kind, struct device_key *out)
{
	device_ek_from(device, ek_template_of(kind), out);
}

static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	must(EVP_PKEY_fromdata_init(ctx) == 1 &&
			EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1,
		"%s key", type);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *rsa_key(const TPMT_PUBLIC *area)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(area->unique.rsa.buffer, area->unique.rsa.size, NULL);
	UINT32 exponent = area->parameters.rsaDetail.exponent;
	EVP_PKEY *key;

	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_uint(builder, OSSL_PKEY_PARAM_RSA_E, exponent == 0 ? 65537 : exponent);
	key = key_of("RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	return key;
}

static EVP_PKEY *ecc_key(const TPMT_PUBLIC *area)
{
	const TPM2B_ECC_PARAMETER *x = &area->unique.ecc.x, *y = &area->unique.ecc.y;
	TPMI_ECC_CURVE curve = area->parameters.eccDetail.curveID;
	size_t n = curve == TPM2_ECC_NIST_P256 ? 32 : curve == TPM2_ECC_NIST_P384 ? 48 : 66;
	const char *name = n == 32 ? "P-256" : n == 48 ? "P-384" : "P-521";
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * 66] = {4};
	EVP_PKEY *key;

	must(x->size <= n && y->size <= n, "a point of another curve");
	memcpy(point + 1 + n - x->size, x->buffer, x->size);
	memcpy(point + 1 + 2 * n - y->size, y->buffer, y->size);
	OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
	OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n);
	key = key_of("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

EVP_PKEY *public_key(struct view bytes)
{
	TPM2B_PUBLIC area;

	public_area(bytes, &area);
	return area.publicArea.type == TPM2_ALG_RSA ? rsa_key(&area.publicArea)
						    : ecc_key(&area.publicArea);
}

void device_certify_from(struct device *device, const struct ek_template *tmpl, struct maker *maker,
	const struct ek_wish *wish)
{
	AUTO(buf_free) struct buf der = BUF(8192);
	struct device_key ek;
	EVP_PKEY *key;

	device_ek_from(device, tmpl, &ek);
	key = public_key(buf_view(&ek.public));
	maker_certify(maker, key, wish, &der);
	device_nv_write(device, tmpl->nv_certificate, buf_view(&der));
	EVP_PKEY_free(key);
	device_key_free(device, &ek);
}

void device_certify(
	struct device *device, enum key_kind kind, struct maker *maker, const struct ek_wish *wish)
{
	device_certify_from(device, ek_template_of(kind), maker, wish);
}

static void rsa_template(TPMT_PUBLIC *area, TPMI_ALG_RSA_SCHEME scheme)
{
	area->type = TPM2_ALG_RSA;
	area->parameters.rsaDetail = (TPMS_RSA_PARMS){.symmetric = {.algorithm = TPM2_ALG_NULL},
		.scheme = {.scheme = scheme, .details.anySig.hashAlg = TPM2_ALG_SHA256},
		.keyBits = 2048};
	area->unique.rsa.size = 256;
	must(RAND_bytes(area->unique.rsa.buffer, 256) == 1, "RAND_bytes");
}

static void ecc_template(TPMT_PUBLIC *area, TPMI_ECC_CURVE curve, TPMI_ALG_HASH hash, UINT16 n)
{
	area->type = TPM2_ALG_ECC;
	area->parameters.eccDetail = (TPMS_ECC_PARMS){.symmetric = {.algorithm = TPM2_ALG_NULL},
		.scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = hash},
		.curveID = curve,
		.kdf = {.scheme = TPM2_ALG_NULL}};
	area->unique.ecc.x.size = n;
	area->unique.ecc.y.size = n;
	must(RAND_bytes(area->unique.ecc.x.buffer, n) == 1, "RAND_bytes");
}

void ak_template(enum ak_shape shape, const char *service, TPM2B_PUBLIC *out)
{
	TPMT_PUBLIC *area = &out->publicArea;
	uint8_t tag[64];
	size_t n;

	*out = (TPM2B_PUBLIC){0};
	area->nameAlg = shape == AK_P384 ? TPM2_ALG_SHA384 : TPM2_ALG_SHA256;
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
	must(service_tag(area->nameAlg, service, tag, &n) == OK, "%s", why()->sentence);
	area->authPolicy.size = (UINT16)n;
	memcpy(area->authPolicy.buffer, tag, n);
	if (shape == AK_RSASSA || shape == AK_RSAPSS)
		rsa_template(area, shape == AK_RSASSA ? TPM2_ALG_RSASSA : TPM2_ALG_RSAPSS);
	else if (shape == AK_P384)
		ecc_template(area, TPM2_ECC_NIST_P384, TPM2_ALG_SHA384, 48);
	else
		ecc_template(area, TPM2_ECC_NIST_P256, TPM2_ALG_SHA256, 32);
}

/* The session that an EK with the TCG's policy A wants. */
static ESYS_TR ek_session(struct device *device)
{
	TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
	ESYS_TR session;

	must_tpm(Esys_StartAuthSession(device->esys, ESYS_TR_NONE, ESYS_TR_NONE, NO_SESSIONS, NULL,
			 TPM2_SE_POLICY, &none, TPM2_ALG_SHA256, &session),
		"StartAuthSession");
	must_tpm(Esys_PolicySecret(device->esys, ESYS_TR_RH_ENDORSEMENT, session, ONE_PASSWORD,
			 NULL, NULL, NULL, 0, NULL, NULL),
		"PolicySecret");
	return session;
}

bool device_activate(struct device *device, enum key_kind kind, const struct device_key *ek,
	const struct device_key *ak, struct view blob, struct view secret, struct secret_key *out,
	TSS2_RC *rc)
{
	bool policy = ek_template_of(kind)->needs_policy;
	ESYS_TR session = policy ? ek_session(device) : ESYS_TR_PASSWORD;
	TPM2B_ID_OBJECT object = {0};
	TPM2B_ENCRYPTED_SECRET encrypted = {0};
	TPM2B_DIGEST *credential = NULL;
	size_t n = 0, m = 0;

	must_tpm(Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(blob.p, blob.n, &n, &object), "blob");
	must_tpm(Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret.p, secret.n, &m, &encrypted),
		"secret");
	must(n == blob.n && m == secret.n, "bytes left over in the credential");
	*rc = Esys_ActivateCredential(device->esys, ak->handle, ek->handle, ESYS_TR_PASSWORD,
		session, ESYS_TR_NONE, &object, &encrypted, &credential);
	if (policy)
		Esys_FlushContext(device->esys, session);
	if (*rc != TSS2_RC_SUCCESS)
		return false;
	must(credential->size == sizeof(out->bytes), "a session key of %d bytes", credential->size);
	memcpy(out->bytes, credential->buffer, sizeof(out->bytes));
	Esys_Free(credential);
	return true;
}
