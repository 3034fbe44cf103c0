#include "enroll/agent/ak.h"

#include "ca/base/file.h"
#include "enroll/agent/tss2key.h"
#include "enroll/proto/limits.h"
#include "enroll/tpm/tag.h"

#include <stdlib.h>
#include <string.h>

void device_ak_free(struct device_ak **ak)
{
	if (*ak == NULL)
		return;
	buf_free(&(*ak)->public);
	buf_free(&(*ak)->private);
	ak_free(&(*ak)->judged);
	free(*ak);
	*ak = NULL;
}

static enum err make_empty(struct device_ak **out)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "an AK");
	(*out)->public = BUF(LIMIT_PUBLIC);
	(*out)->private = BUF(TSS2KEY_PART_MAX);
	return OK;
}

static enum err make_template(
	const struct ak_recipe *recipe, const char *service, TPM2B_PUBLIC *out)
{
	TPMT_PUBLIC *area = &out->publicArea;
	uint8_t tag[64];
	size_t n = 0;

	*out = (TPM2B_PUBLIC){0};
	ak_recipe_fill(recipe, area);
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
				 TPMA_OBJECT_NODA;
	TRY(service_tag(area->nameAlg, service, tag, &n));
	area->authPolicy.size = (uint16_t)n;
	memcpy(area->authPolicy.buffer, tag, n);
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

static enum err create_under(
	struct tpm *tpm, struct parent *parent, const TPM2B_PUBLIC *template, struct device_ak *ak)
{
	AUTO(esys_free) TPM2B_PRIVATE *private = NULL;
	AUTO(esys_free) TPM2B_PUBLIC *public = NULL;
	const TPM2B_SENSITIVE_CREATE no_auth = {0};
	const TPM2B_DATA no_data = {0};
	const TPML_PCR_SELECTION no_pcr = {0};
	ESYS_TR auth;

	TRY(parent_authorize(tpm, parent, &auth));
	TRY(tpm_ok(TPM_PATIENT(Esys_Create(tpm_esys(tpm), parent->key.tr, auth, ESYS_TR_NONE,
			   ESYS_TR_NONE, &no_auth, template, &no_data, &no_pcr, &private, &public,
			   NULL, NULL, NULL)),
		"TPM2_Create (AK)"));
	TRY(tpm_public_write(public, &ak->public));
	return write_private(private, &ak->private);
}

enum err device_ak_create(struct tpm *tpm, const struct ak_recipe *recipe,
	enum ak_hierarchy hierarchy, const struct device_ek *ek, const char *service,
	struct device_ak **out)
{
	AUTO(parent_flush) struct parent parent = PARENT(tpm);
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	TPM2B_PUBLIC template;

	TRY(make_empty(&ak));
	TRY(make_template(recipe, service, &template));
	ak->parent = parent_handle(hierarchy, ek == NULL ? NULL : ek->template);
	TRY(parent_load(tpm, ak->parent, ek, &parent));
	TRY(create_under(tpm, &parent, &template, ak));
	TRY(ak_judge(buf_view(&ak->public), service, AK_TAGGED, &ak->judged));
	*out = MOVE(ak);
	return OK;
}

enum err device_ak_read(const char *path, const char *service, struct device_ak **out)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);
	enum ak_hierarchy hierarchy;
	struct tss2key key;

	TRY(make_empty(&ak));
	key = (struct tss2key){.public = &ak->public, .private = &ak->private};
	TRY(file_read(path, &pem));
	TRY(tss2key_parse(buf_view(&pem), &key));
	if (!parent_hierarchy(key.parent, &hierarchy))
		return fail(ERR_INTERNAL, "key-file",
			"not a key file that endorse wrote: its parent is 0x%08x", key.parent);
	ak->parent = key.parent;
	TRY(ak_judge(buf_view(&ak->public), service, AK_TAGGED, &ak->judged));
	*out = MOVE(ak);
	return OK;
}

enum err device_ak_encode(const struct device_ak *ak, struct buf *pem)
{
	struct buf public = ak->public, private = ak->private;

	if (private.n == 0)
		return fail(ERR_INTERNAL, "key-file", "the AK is in the TPM only");
	return tss2key_encode(&(struct tss2key){ak->parent, &public, &private}, pem);
}

enum err device_ak_write(const struct device_ak *ak, const char *path)
{
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);

	TRY(device_ak_encode(ak, &pem));
	return file_replace(path, 0600, buf_view(&pem));
}

enum err device_ak_public(
	struct view public, TPM2_HANDLE handle, const char *service, struct device_ak **out)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;

	TRY(make_empty(&ak));
	buf_add(&ak->public, public);
	TRY(buf_ok(&ak->public));
	ak->handle = handle;
	TRY(ak_judge(public, service, AK_TAG_OR_NONE, &ak->judged));
	*out = MOVE(ak);
	return OK;
}

/* Appends the TPM2B_PUBLIC of the persistent key. ERR_NOT_FOUND "tpm-key". */
static enum err look_at(struct tpm *tpm, TPM2_HANDLE handle, struct loaded *key, struct buf *public)
{
	AUTO(esys_free) TPM2B_PUBLIC *area = NULL;
	TSS2_RC rc;

	rc = TPM_PATIENT(Esys_TR_FromTPMPublic(
		tpm_esys(tpm), handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &key->tr));
	if (tpm_is_absent(rc))
		return fail(ERR_NOT_FOUND, "tpm-key", "no key is persistent at 0x%08x", handle);
	TRY(tpm_ok(rc, "TPM2_ReadPublic"));
	TRY(tpm_ok(TPM_PATIENT(Esys_ReadPublic(tpm_esys(tpm), key->tr, ESYS_TR_NONE, ESYS_TR_NONE,
			   ESYS_TR_NONE, &area, NULL, NULL)),
		"TPM2_ReadPublic"));
	return tpm_public_write(area, public);
}

enum err device_ak_at(
	struct tpm *tpm, TPM2_HANDLE handle, const char *service, struct device_ak **out)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	AUTO(buf_free) struct buf public = BUF(2 * LIMIT_PUBLIC);

	TRY(look_at(tpm, handle, &key, &public));
	return device_ak_public(buf_view(&public), handle, service, out);
}

static enum err load_persistent(struct tpm *tpm, const struct device_ak *ak, struct loaded *out)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	AUTO(buf_free) struct buf public = BUF(2 * LIMIT_PUBLIC);
	enum err err = look_at(tpm, ak->handle, &key, &public);

	if (err == ERR_NOT_FOUND)
		return fail(ERR_REJECTED, "tpm-key", "the AK is no longer at 0x%08x", ak->handle);
	TRY(err);
	if (!view_equal(buf_view(&public), buf_view(&ak->public)))
		return fail(ERR_REJECTED, "tpm-key", "another key than the AK is at 0x%08x",
			ak->handle);
	*out = key;
	key.tr = ESYS_TR_NONE;
	return OK;
}

static enum err load_wrapped(
	struct tpm *tpm, const struct device_ak *ak, const struct device_ek *ek, struct loaded *out)
{
	AUTO(parent_flush) struct parent parent = PARENT(tpm);
	TPM2B_PUBLIC public;
	TPM2B_PRIVATE private;
	ESYS_TR auth;
	TSS2_RC rc;

	if (!TPM_READ(TPM2B_PUBLIC, buf_view(&ak->public), &public) ||
		!TPM_READ(TPM2B_PRIVATE, buf_view(&ak->private), &private))
		return fail(ERR_REJECTED, "tpm-key",
			"the key file does not hold one TPM2B_PUBLIC and one TPM2B_PRIVATE");
	TRY(parent_load(tpm, ak->parent, ek, &parent));
	TRY(parent_authorize(tpm, &parent, &auth));
	rc = TPM_PATIENT(Esys_Load(tpm_esys(tpm), parent.key.tr, auth, ESYS_TR_NONE, ESYS_TR_NONE,
		&private, &public, &out->tr));
	if (tpm_is_verdict(rc))
		return fail(ERR_REJECTED, "tpm-key",
			"this TPM did not make the AK in the key file, or was cleared since "
			"(TPM2_Load: 0x%08x)",
			rc);
	return tpm_ok(rc, "TPM2_Load (AK)");
}

enum err device_ak_load(
	struct tpm *tpm, const struct device_ak *ak, const struct device_ek *ek, struct loaded *out)
{
	return ak->handle != 0 ? load_persistent(tpm, ak, out) : load_wrapped(tpm, ak, ek, out);
}

enum err device_ak_persist(
	struct tpm *tpm, struct device_ak *ak, const struct device_ek *ek, TPM2_HANDLE handle)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	AUTO(loaded_flush) struct loaded persistent = LOADED(tpm);
	TSS2_RC rc;

	TRY(device_ak_load(tpm, ak, ek, &key));
	rc = TPM_PATIENT(Esys_EvictControl(tpm_esys(tpm), ESYS_TR_RH_OWNER, key.tr,
		ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, handle, &persistent.tr));
	if (rc == TPM2_RC_NV_DEFINED)
		return fail(ERR_CONFLICT, "tpm-key",
			"another key is persistent at 0x%08x, and endorse evicts none", handle);
	TRY(tpm_hierarchy_ok(tpm, rc, ESYS_TR_RH_OWNER, "TPM2_EvictControl"));
	ak->handle = handle;
	return OK;
}

const char *device_ak_place(const struct device_ak *ak)
{
	enum ak_hierarchy hierarchy;

	return parent_hierarchy(ak->parent, &hierarchy) ? ak_hierarchy_text(hierarchy) : "handle";
}

bool device_ak_needs_ek(const struct device_ak *ak)
{
	enum ak_hierarchy hierarchy;

	return ak->handle == 0 && parent_hierarchy(ak->parent, &hierarchy) &&
	       hierarchy == AK_BELOW_EK;
}
