#include "enroll/tpm/skae.h"

#include "ca/base/crypt.h"
#include "ca/base/oid.h"
#include "ca/base/ossl.h"
#include "ca/base/purpose.h"

#include <openssl/err.h>

/* The flags also tell of extensions that cannot be read. */
static bool is_leaf(X509 *certificate)
{
	uint32_t flags = X509_get_extension_flags(certificate);

	return (flags & (EXFLAG_INVALID | EXFLAG_CA)) == 0 &&
	       ((flags & EXFLAG_KUSAGE) == 0 ||
		       (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) == 0);
}

static enum err judge_ak_certificate(const X509 *certificate)
{
	AUTO(x509_free) X509 *copy = X509_dup(certificate); /* flags are computed in place */

	if (copy == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "skae_judge");
	if (!is_leaf(copy))
		return fail(ERR_REJECTED, "skae-ak-certificate",
			"the AK certificate is a CA's, or its extensions cannot be read: a CA's "
			"key signs more than what a TPM says");
	if (!purpose_is_among(copy, OID_AK_CERTIFICATE))
		return fail(ERR_REJECTED, "skae-ak-certificate",
			"the AK certificate is not for an AK: it lacks the extended key "
			"usage " OID_AK_CERTIFICATE
			", so nobody vouches that its key is a TPM's and restricted");
	return OK;
}

static enum err judge_self_signed(const X509 *certificate, EVP_PKEY *key)
{
	AUTO(x509_free) X509 *copy = X509_dup(certificate);
	bool signs = copy != NULL && X509_verify(copy, key) == 1;

	ERR_clear_error();
	if (!signs)
		return fail(ERR_REJECTED, "skae-self-signed",
			"the certificate is not signed with its own key");
	return OK;
}

enum err skae_qualifying(const X509 *certificate, uint8_t out[static 32])
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode a public key");
	return SHA256_OF(out, ((struct view){der, (size_t)n}));
}

/* What the AK must have said. */
static enum err judge_statement(const X509 *certificate, EVP_PKEY *ak,
	const struct certify_evidence *carried, enum skae_kind kind, struct certified **out)
{
	uint8_t digest[32];
	const struct view extra = VIEW(digest);

	if (kind == SKAE_BY_CA)
		return certified_carried(carried, ak, NULL, out);
	TRY(skae_qualifying(certificate, digest));
	return certified_carried(carried, ak, &extra, out);
}

enum err skae_judge(const X509 *certificate, const X509 *ak_certificate,
	const struct certify_evidence *carried, enum skae_kind kind)
{
	AUTO(certified_free) struct certified *certified = NULL;
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	EVP_PKEY *ak = X509_get0_pubkey(ak_certificate);

	ERR_clear_error();
	if (ak == NULL)
		return fail(ERR_REJECTED, "skae-ak-certificate",
			"the key of the AK certificate cannot be read");
	if (key == NULL)
		return fail(ERR_REJECTED, "skae-key", "the certificate's key cannot be read");
	TRY(judge_ak_certificate(ak_certificate));
	TRY(judge_statement(certificate, ak, carried, kind, &certified));
	if (EVP_PKEY_eq(certified_pkey(certified), key) != 1)
		return fail(ERR_REJECTED, "skae-key",
			"the evidence is about another key than the certificate's");
	return kind == SKAE_SELF_SIGNED ? judge_self_signed(certificate, key) : OK;
}
