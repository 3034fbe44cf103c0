#include "enroll/trust/candidate.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/oid.h"
#include "ca/base/ossl.h"
#include "ca/base/purpose.h"
#include "enroll/trust/keykind.h"

#include <ctype.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#define SECURITY_BITS_MIN 80 /* of a signature; SHA-1's are 63 since OpenSSL 3 */
#define KEY_ID_DIGITS 40

const char *const candidate_role_words[] = {
	[TRUST_ROOT] = "root",
	[TRUST_INTERMEDIATE] = "intermediate",
	[TRUST_CRL] = "crl",
	NULL,
};

enum err candidate_wish_read(const char *word, enum candidate_wish *out)
{
	static const enum candidate_wish wishes[] = {
		[TRUST_ROOT] = CANDIDATE_ROOT,
		[TRUST_INTERMEDIATE] = CANDIDATE_INTERMEDIATE,
		[TRUST_CRL] = CANDIDATE_CRL,
	};

	for (size_t i = 0; candidate_role_words[i] != NULL; i++)
		if (strcmp(word, candidate_role_words[i]) == 0) {
			*out = wishes[i];
			return OK;
		}
	return refuse(ERR_REJECTED, "ca-role", "PROTOCOL admin",
		"\"%.32s\" is no role: wanted root, intermediate or crl", word);
}

/* One attribute of a name as UTF-8; the last where there are several. */
static void name_part(const X509_NAME *name, int nid, char *out, size_t room)
{
	AUTO(ossl_free) uint8_t *text = NULL;
	int at = -1, last = -1, n = 0;

	while ((at = X509_NAME_get_index_by_NID((X509_NAME *)name, nid, at)) >= 0)
		last = at;
	if (last >= 0)
		n = ASN1_STRING_to_UTF8(
			&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
	snprintf(out, room, "%.*s", n > 0 ? n : 0, text == NULL ? "" : (const char *)text);
}

/* Windows' CAs of attestation keys, below the root that also vouches for EKs, are named
 * "WUS-INTC-KEYID-17A00575D05E58E3881210BB98B1045BB4C30639": region, maker, key. */
static bool has_aik_name(const char *common_name)
{
	const char *digits = strcasestr(common_name, "-KEYID-");

	if (digits == NULL)
		return false;
	digits += strlen("-KEYID-");
	return strspn(digits, "0123456789abcdefABCDEF") == strlen(digits) &&
	       strlen(digits) >= KEY_ID_DIGITS;
}

static enum err judge_purpose(X509 *cert, const struct candidate *candidate)
{
	bool is_for_eks, is_limited = purposes_read(cert, OID_EK_CERTIFICATE, &is_for_eks) != 0;

	if (is_for_eks || purpose_is_among(cert, OID_ANY_USAGE))
		return OK;
	if (purpose_is_among(cert, OID_AK_CERTIFICATE) || has_aik_name(candidate->common_name))
		return refuse(ERR_REJECTED, "ca-aik", "EK Credential Profile 3.5.16",
			"it certifies attestation keys (AIK), not EKs: %s", candidate->subject);
	if (is_limited)
		return refuse(ERR_REJECTED, "ca-purpose", "EK Credential Profile 3.5.16",
			"its extended key usage lets it vouch for no EK: %s", candidate->subject);
	return OK;
}

static enum err judge_key(X509 *cert, const struct candidate *candidate)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	enum key_kind kind;

	if (key == NULL || key_kind_of(key, &kind) != OK)
		return refuse(ERR_REJECTED, "ca-key", "PROTOCOL keys",
			"its key has an unusual size or kind: wanted RSA 2048, 3072, 4096 with "
			"exponent 65537, P-256, P-384 or P-521: %s",
			candidate->subject);
	return OK;
}

/* What signs itself says nothing by it; but when it is wrong, these are not its maker's bytes. */
static enum err judge_signature(X509 *cert, bool is_self_signed, const struct candidate *candidate)
{
	int bits = 0;

	if (is_self_signed) {
		int good = X509_verify(cert, X509_get0_pubkey(cert));

		ERR_clear_error();
		if (good == 1)
			return OK;
		return refuse(ERR_REJECTED, "ca-signature", "RFC 5280 6.1",
			"its signature by itself is wrong, so something has altered it: %s",
			candidate->subject);
	}
	if (X509_get_signature_info(cert, NULL, NULL, &bits, NULL) != 1 || bits < SECURITY_BITS_MIN)
		return refuse(ERR_REJECTED, "ca-weak", "NIST SP 800-131A 3",
			"it was signed with SHA-1 or worse, as for TPM 1.2, and no chain through "
			"it is taken: %s",
			candidate->subject);
	return OK;
}

static enum err judge_ca(X509 *cert, enum candidate_wish wish, int64_t now, struct candidate *out)
{
	bool is_self_signed = (X509_get_extension_flags(cert) & EXFLAG_SS) != 0;
	char text[CLOCK_TEXT_SIZE];

	/* 1: by its basic constraints, as X509_V_FLAG_X509_STRICT wants them. */
	if (X509_check_ca(cert) != 1)
		return refuse(ERR_REJECTED, "ca-not-a-ca", "RFC 5280 4.2.1.9", "it is no CA: %s",
			out->subject);
	TRY(judge_purpose(cert, out));
	clock_text(out->until, text);
	if (out->until < now)
		return refuse(ERR_REJECTED, "ca-expired", "RFC 5280 4.1.2.5", "it ended at %s: %s",
			text, out->subject);
	TRY(judge_key(cert, out));
	if (wish == CANDIDATE_ANY)
		wish = is_self_signed ? CANDIDATE_ROOT : CANDIDATE_INTERMEDIATE;
	out->role = wish == CANDIDATE_ROOT ? TRUST_ROOT : TRUST_INTERMEDIATE;
	/* Nobody looks at the signature of an anchor that somebody else has signed. */
	return is_self_signed || wish != CANDIDATE_ROOT ? judge_signature(cert, is_self_signed, out)
							: OK;
}

static enum err judge_certificate(
	X509 *cert, enum candidate_wish wish, int64_t now, struct candidate *out)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int64_t from;

	name_text(name, out->subject, sizeof(out->subject));
	name_part(name, NID_organizationName, out->organization, sizeof(out->organization));
	name_part(name, NID_commonName, out->common_name, sizeof(out->common_name));
	if (cert_validity(cert, &from, &out->until) != OK)
		return refuse(ERR_REJECTED, "ca-unreadable", "RFC 5280 4.1.2.5",
			"its dates cannot be read: %s", out->subject);
	if (wish == CANDIDATE_CRL)
		return refuse(ERR_REJECTED, "ca-role", "PROTOCOL admin",
			"it is a certificate, not a CRL: %s", out->subject);
	return judge_ca(cert, wish, now, out);
}

static X509_CRL *crl_from_der(struct view der)
{
	const uint8_t *end = der.p;
	X509_CRL *crl = NULL;

	if (der.n > 0 && der.n <= LONG_MAX)
		crl = d2i_X509_CRL(NULL, &end, (long)der.n);
	ERR_clear_error();
	if (crl != NULL && end == der.p + der.n)
		return crl;
	X509_CRL_free(crl);
	return NULL;
}

static enum err judge_crl(const X509_CRL *crl, enum candidate_wish wish, struct candidate *out)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	struct tm tm;

	name_text(X509_CRL_get_issuer(crl), out->subject, sizeof(out->subject));
	if (wish != CANDIDATE_ANY && wish != CANDIDATE_CRL)
		return refuse(ERR_REJECTED, "ca-role", "PROTOCOL admin",
			"it is a CRL, not a certificate: %s", out->subject);
	out->role = TRUST_CRL;
	out->until = CLOCK_LAST;
	if (next != NULL && ASN1_TIME_to_tm(next, &tm) == 1)
		out->until = timegm(&tm);
	return OK;
}

enum err candidate_judge(
	struct view der, enum candidate_wish wish, int64_t now, struct candidate *out)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	X509_CRL *crl;
	enum err err;

	*out = (struct candidate){.role = TRUST_INTERMEDIATE};
	TRY(SHA256_OF(out->sha256, der));
	if (der.n > (cert != NULL ? CANDIDATE_CERTIFICATE_MAX : CANDIDATE_CRL_MAX))
		return refuse(ERR_REJECTED, "ca-unreadable", "PROTOCOL limits",
			"%zu bytes: a certificate has at most %d, a CRL %d", der.n,
			CANDIDATE_CERTIFICATE_MAX, CANDIDATE_CRL_MAX);
	if (cert != NULL)
		return judge_certificate(cert, wish, now, out);
	if ((crl = crl_from_der(der)) == NULL)
		return refuse(ERR_REJECTED, "ca-unreadable", "RFC 5280 4.1",
			"OpenSSL cannot read these %zu bytes as a certificate or as a CRL", der.n);
	err = judge_crl(crl, wish, out);
	X509_CRL_free(crl);
	return err;
}
