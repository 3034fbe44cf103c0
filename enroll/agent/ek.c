#include "enroll/agent/ek.h"

#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "enroll/agent/nv.h"
#include "enroll/tpm/nvcert.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NV_EK_FIRST 0x01c00002
#define NV_EK_LAST 0x01c0001e
#define NV_CHAIN_FIRST 0x01c00100
#define NV_CHAIN_LAST 0x01c001ff
#define NV_CHAIN_INDICES 64
#define NV_CHAIN_BYTES (64 * 1024)
/* What of it is sent: in base64, with the EK's certificate, it has to fit into LIMIT_CLAIM. */
#define CHAIN_BYTES (24 * 1024)

void device_ek_free(struct device_ek **ek)
{
	if (*ek == NULL)
		return;
	EVP_PKEY_free((*ek)->key);
	buf_free(&(*ek)->certificate);
	buf_free(&(*ek)->public);
	for (size_t i = 0; i < (*ek)->chain_n; i++)
		buf_free(&(*ek)->chain[i]);
	free(*ek);
	*ek = NULL;
}

bool ek_template_is(const struct ek_template *tmpl, const char *text)
{
	return strcmp(tmpl->name, text) == 0 || strcmp(key_kind_text(tmpl->kind), text) == 0;
}

const struct ek_template *ek_template_find(const char *text)
{
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++)
		if (ek_template_is(t, text))
			return t;
	return NULL;
}

static enum err take_digest(struct device_ek *ek)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	TRY(spki_sha256(ek->key, digest));
	hex_write(VIEW(digest), ek->sha256);
	return OK;
}

/* Fills key and digest from the certificate's bytes. */
static enum err take_key(struct device_ek *ek)
{
	AUTO(x509_free) X509 *certificate = cert_from_der(buf_view(&ek->certificate));
	enum key_kind kind;

	if (certificate == NULL)
		return fail(ERR_INTERNAL, "tpm-ek",
			"NV 0x%08x holds no certificate that can be read",
			ek->template->nv_certificate);
	ek->key = X509_get_pubkey(certificate);
	ERR_clear_error();
	if (ek->key == NULL)
		return fail(ERR_INTERNAL, "tpm-ek",
			"the EK certificate's key cannot be used (made for TPM 1.2?)");
	if (key_kind_of(ek->key, &kind) != OK || kind != ek->template->kind)
		return fail(ERR_INTERNAL, "tpm-ek",
			"NV 0x%08x holds a certificate for another kind of key than %s",
			ek->template->nv_certificate, key_kind_text(ek->template->kind));
	return take_digest(ek);
}

static enum err read_certificate(struct tpm *tpm, struct device_ek *ek)
{
	AUTO(buf_free) struct buf content = BUF(UINT16_MAX);
	struct view der;

	TRY(nv_read(tpm, ek->template->nv_certificate, &content));
	if (nv_certificate_cut(buf_view(&content), &der) != OK)
		return fail(ERR_INTERNAL, "tpm-ek", "NV 0x%08x: %s", ek->template->nv_certificate,
			why()->sentence);
	ek->certificate = BUF(LIMIT_EK_CERTIFICATE);
	buf_add(&ek->certificate, der);
	if (buf_ok(&ek->certificate) != OK)
		return fail(ERR_INTERNAL, "tpm-ek",
			"the EK certificate has %zu bytes, more than %d", der.n,
			LIMIT_EK_CERTIFICATE);
	return take_key(ek);
}

static bool has_already(const struct device_ek *ek, struct view der)
{
	if (view_equal(buf_view(&ek->certificate), der))
		return true;
	for (size_t i = 0; i < ek->chain_n; i++)
		if (view_equal(buf_view(&ek->chain[i]), der))
			return true;
	return false;
}

static size_t chain_bytes(const struct device_ek *ek)
{
	size_t n = 0;

	for (size_t i = 0; i < ek->chain_n; i++)
		n += ek->chain[i].n;
	return n;
}

static void chain_add(struct device_ek *ek, struct view der)
{
	AUTO(x509_free) X509 *certificate = NULL;

	if (ek->chain_n == LIMIT_INTERMEDIATES || chain_bytes(ek) + der.n > CHAIN_BYTES ||
		der.n > LIMIT_INTERMEDIATE || has_already(ek, der) ||
		(certificate = cert_from_der(der)) == NULL) {
		fprintf(stderr,
			"endorse: a certificate of %zu bytes in the TPM's EK chain is left out: "
			"unreadable, repeated, too long or one too many\n",
			der.n);
		return;
	}
	ek->chain[ek->chain_n] = BUF(LIMIT_INTERMEDIATE);
	buf_add(&ek->chain[ek->chain_n++], der);
}

static enum err read_chain(struct tpm *tpm, struct device_ek *ek)
{
	AUTO(buf_free) struct buf joined = BUF(NV_CHAIN_BYTES);
	TPM2_HANDLE indices[NV_CHAIN_INDICES];
	struct view rest, der;
	size_t n = 0;

	TRY(nv_list(tpm, NV_CHAIN_FIRST, NV_CHAIN_LAST, indices, COUNT(indices), &n));
	for (size_t i = 0; i < n; i++)
		if (nv_read(tpm, indices[i], &joined) != OK)
			fprintf(stderr,
				"endorse: NV 0x%08x of the TPM's EK chain is left out: %s\n",
				indices[i], why()->sentence);
	rest = buf_view(&joined);
	while (nv_chain_next(&rest, &der))
		chain_add(ek, der);
	return OK;
}

static void forget_certificate(struct device_ek *ek)
{
	pkey_free(&ek->key);
	buf_free(&ek->certificate);
}

/* The first certificate that can be used; one that cannot must not hide the others. */
static enum err find_any(struct tpm *tpm, const char *wanted, struct device_ek *ek)
{
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++) {
		enum err err;

		if (wanted != NULL && !ek_template_is(t, wanted))
			continue;
		ek->template = t;
		err = read_certificate(tpm, ek);
		if (err == OK || strcmp(why()->code, "tpm-ek") != 0)
			return err;
		if (err != ERR_NOT_FOUND)
			fprintf(stderr, "endorse: the %s EK (template %s) is passed over: %s\n",
				key_kind_text(t->kind), t->name, why()->sentence);
		forget_certificate(ek);
	}
	if (wanted != NULL)
		return fail(ERR_NOT_FOUND, "tpm-ek",
			"this TPM has no certificate that can be used for an EK of the kind %s; "
			"try --ek auto, or --ek-certificate none",
			wanted);
	return fail(ERR_NOT_FOUND, "tpm-ek",
		"this TPM's EK certificates in NV are of no use: a firmware update may bring a "
		"good one; with --ek-certificate none it enrolls where the service's operator "
		"allows its EK, or approves it");
}

static enum err find_certificate(struct tpm *tpm, const char *wanted, struct device_ek *ek)
{
	const struct ek_template *tmpl = wanted == NULL ? NULL : ek_template_find(wanted);
	enum err err;

	/* A kind may have two templates, a template's name is the one thing that was asked for. */
	if (tmpl == NULL || strcmp(tmpl->name, wanted) != 0)
		return find_any(tpm, wanted, ek);
	ek->template = tmpl;
	err = read_certificate(tpm, ek);
	if (err == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "tpm-ek",
			"this TPM has no certificate for the EK of template %s (%s, NV 0x%08x); "
			"try --ek auto, or --ek-certificate none",
			tmpl->name, key_kind_text(tmpl->kind), tmpl->nv_certificate);
	return err;
}

/* Is there one at any index where an EK's certificate is looked for, of use or not? */
static enum err has_certificates(struct tpm *tpm, bool *out)
{
	TPM2_HANDLE indices[NV_CHAIN_INDICES];
	size_t n = 0;

	*out = false;
	TRY(nv_list(tpm, NV_EK_FIRST, NV_EK_LAST, indices, COUNT(indices), &n));
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++)
		for (size_t i = 0; i < n; i++)
			*out = *out || indices[i] == t->nv_certificate;
	return OK;
}

static enum err read_public(struct tpm *tpm, ESYS_TR object, struct buf *out)
{
	AUTO(esys_free) TPM2B_PUBLIC *public = NULL;

	TRY(tpm_ok(TPM_PATIENT(Esys_ReadPublic(tpm_esys(tpm), object, ESYS_TR_NONE, ESYS_TR_NONE,
			   ESYS_TR_NONE, &public, NULL, NULL)),
		"TPM2_ReadPublic"));
	return tpm_public_write(public, out);
}

/* Is the loaded object, public area and all, the one that the service will assume? */
static enum err compare_public(
	struct tpm *tpm, ESYS_TR object, const struct device_ek *ek, bool *equal)
{
	AUTO(buf_free) struct buf wanted = BUF(EK_PUBLIC_MAX), found = BUF(EK_PUBLIC_MAX);

	TRY(ek_public_build(ek->template, ek->key, &wanted));
	TRY(read_public(tpm, object, &found));
	*equal = view_equal(buf_view(&wanted), buf_view(&found));
	return OK;
}

/* Takes the key of the loaded object where it is made from ek->template; leaves `ek` otherwise. */
static enum err adopt_object(struct tpm *tpm, ESYS_TR object, struct device_ek *ek)
{
	AUTO(buf_free) struct buf public = BUF(EK_PUBLIC_MAX);
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	const struct ek_template *template;

	TRY(read_public(tpm, object, &public));
	if (ek_public_read(buf_view(&public), &key, &template) != OK || template != ek->template)
		return OK;
	ek->key = MOVE(key);
	ek->public = public;
	public = BUF(0);
	return take_digest(ek);
}

/* `ek` stays without a key when there is none at the template's handle, or another kind of key. */
static enum err adopt_persistent(struct tpm *tpm, struct device_ek *ek)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	TSS2_RC rc = TPM_PATIENT(Esys_TR_FromTPMPublic(tpm_esys(tpm), ek->template->persistent,
		ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &key.tr));

	if (tpm_is_absent(rc))
		return OK;
	TRY(tpm_ok(rc, "TPM2_ReadPublic"));
	return adopt_object(tpm, key.tr, ek);
}

static enum err create_from_template(
	struct tpm *tpm, const struct ek_template *template, struct loaded *out)
{
	AUTO(buf_free) struct buf bytes = BUF(EK_PUBLIC_MAX);
	TPM2B_PUBLIC public;

	TRY(ek_public_build(template, NULL, &bytes));
	if (!TPM_READ(TPM2B_PUBLIC, buf_view(&bytes), &public))
		return fail(ERR_INTERNAL, "tpm-ek", "the EK template is not one TPM2B_PUBLIC");
	return tpm_primary_create(tpm, ESYS_TR_RH_ENDORSEMENT, &public, out);
}

static enum err adopt_created(struct tpm *tpm, struct device_ek *ek)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);

	TRY(create_from_template(tpm, ek->template, &key));
	TRY(adopt_object(tpm, key.tr, ek));
	return ek->key != NULL ? OK
			       : fail(ERR_INTERNAL, "tpm-ek",
					 "the EK that this TPM makes is not of the template %s",
					 ek->template->name);
}

/* What is persistent was put there by whoever made the machine, and needs no making. */
static enum err find_without_certificate(struct tpm *tpm, const char *wanted, struct device_ek *ek)
{
	if (wanted != NULL) {
		ek->template = ek_template_find(wanted);
		TRY(adopt_persistent(tpm, ek));
		return ek->key != NULL ? OK : adopt_created(tpm, ek);
	}
	for (ek->template = ek_templates; ek->template->name != NULL; ek->template ++) {
		TRY(adopt_persistent(tpm, ek));
		if (ek->key != NULL)
			return OK;
	}
	ek->template = ek_templates;
	return adopt_created(tpm, ek);
}

static enum err find(
	struct tpm *tpm, const char *wanted, enum ek_certificate certificate, struct device_ek *ek)
{
	bool has_some = true;

	if (certificate == EK_CERTIFICATE_AUTO)
		TRY(has_certificates(tpm, &has_some));
	if (certificate == EK_CERTIFICATE_NONE || !has_some)
		return find_without_certificate(tpm, wanted, ek);
	TRY(find_certificate(tpm, wanted, ek));
	return read_chain(tpm, ek);
}

enum err device_ek_find(struct tpm *tpm, const char *wanted, enum ek_certificate certificate,
	struct device_ek **out)
{
	AUTO(device_ek_free) struct device_ek *ek = calloc(1, sizeof(*ek));

	if (ek == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "device_ek_find");
	TRY(find(tpm, wanted, certificate, ek));
	*out = MOVE(ek);
	return OK;
}

/* `out` stays empty when there is no such persistent key, or another one. */
static enum err load_persistent(struct tpm *tpm, const struct device_ek *ek, struct loaded *out)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	bool equal = false;
	TSS2_RC rc;

	rc = TPM_PATIENT(Esys_TR_FromTPMPublic(tpm_esys(tpm), ek->template->persistent,
		ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &key.tr));
	if (tpm_is_absent(rc))
		return OK;
	TRY(tpm_ok(rc, "TPM2_ReadPublic"));
	TRY(compare_public(tpm, key.tr, ek, &equal));
	if (equal) {
		*out = key;
		key.tr = ESYS_TR_NONE;
	}
	return OK;
}

static enum err create_primary(struct tpm *tpm, const struct device_ek *ek, struct loaded *out)
{
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	bool equal = false;

	TRY(create_from_template(tpm, ek->template, &key));
	TRY(compare_public(tpm, key.tr, ek, &equal));
	if (!equal && ek->certificate.n == 0)
		return fail(ERR_INTERNAL, "tpm-ek",
			"the %s EK that this TPM makes (template %s) is not the one that was "
			"found in it: a TPM was cleared just now, or another one answers",
			key_kind_text(ek->template->kind), ek->template->name);
	if (!equal)
		return fail(ERR_INTERNAL, "tpm-ek",
			"the %s EK that this TPM makes (template %s) is not the one in its "
			"certificate (NV 0x%08x): the endorsement seed was changed, or the "
			"certificate belongs to another TPM or another template; try another --ek",
			key_kind_text(ek->template->kind), ek->template->name,
			ek->template->nv_certificate);
	*out = key;
	key.tr = ESYS_TR_NONE;
	return OK;
}

enum err device_ek_load(struct tpm *tpm, const struct device_ek *ek, struct loaded *out)
{
	TRY(load_persistent(tpm, ek, out));
	return out->tr != ESYS_TR_NONE ? OK : create_primary(tpm, ek, out);
}
