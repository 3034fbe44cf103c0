#include "ca/issue.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/extra.h"
#include "ca/key.h"
#include "ca/san.h"
#include "ca/skae.h"
#include "ca/subject.h"
#include "ca/usage.h"
#include "ca/validity.h"

#include <openssl/objects.h>
#include <string.h>

void issued_free(struct issued *issued)
{
	buf_free(&issued->der);
}

static enum err crypto_failed(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot set a certificate's %s", what);
}

enum err serial_make(X509 *cert, int64_t now, uint8_t out[static ISSUED_SERIAL_SIZE])
{
	ASN1_INTEGER *serial = X509_get_serialNumber(cert);

	/* Positive, and never shorter; 104 bits are left to chance. */
	out[0] = 0x40;
	TRY(random_of_day(now, out + 1, ISSUED_SERIAL_SIZE - 1));
	if (ASN1_STRING_set(serial, out, ISSUED_SERIAL_SIZE) != 1)
		return crypto_failed("serial number");
	return OK;
}

enum err certificate_sign(X509 *cert, EVP_PKEY *key, struct buf *der)
{
	const EVP_MD *md;

	if (!key_signs_with(key, &md) || X509_sign(cert, key, md) <= 0)
		return crypto_failed("signature");
	return cert_der_add(cert, der);
}

static enum err set_period(X509 *cert, const struct authority *authority,
	const struct template *tmpl, int64_t now, struct issued *out)
{
	int64_t ca_begins = authority_not_before(authority);
	int64_t ca_ends = authority_not_after(authority);

	TRY(authority_judge(authority, now));
	out->not_before = now - tmpl->backdate < ca_begins ? ca_begins : now - tmpl->backdate;
	out->not_after = now + tmpl->lifetime > ca_ends ? ca_ends : now + tmpl->lifetime;
	return validity_set(cert, out->not_before, out->not_after);
}

static enum err set_names(X509 *cert, const struct template *tmpl, const struct grant *grant)
{
	AUTO(san_free) GENERAL_NAMES *names = NULL;

	TRY(subject_build(&tmpl->subject, false, grant, X509_get_subject_name(cert)));
	if (tmpl->san.names.n == 0)
		return OK;
	TRY(san_build(&tmpl->san, grant, &names));
	if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names, tmpl->san.critical, 0) != 1)
		return crypto_failed("subject alternative name");
	return OK;
}

static enum err set_usages(X509 *cert, const struct template *tmpl)
{
	char *const *usages = tmpl->key_usage.item;
	int bits[9];

	for (size_t i = 0; i < tmpl->key_usage.n; i++)
		bits[i] = usage_bit(usages[i]);
	TRY(extension_key_usage(cert, bits, tmpl->key_usage.n));
	return extension_extended_key_usage(cert, tmpl->extended_key_usage.item,
		tmpl->extended_key_usage.n, tmpl->extended_key_usage_critical);
}

/* Which ones apply is the grant's to say: a class that the template does not name has none. */
static enum err set_policies(X509 *cert, const struct template *tmpl, const struct grant *grant)
{
	const char *oids[TEMPLATE_POLICIES + 1];
	const char *of_class = template_trust_policy(tmpl, grant->trust_class);
	char *const *always = tmpl->policies.item;
	size_t n = 0;

	while (n < tmpl->policies.n) {
		oids[n] = always[n];
		n++;
	}
	if (of_class != NULL)
		oids[n++] = of_class;
	return n == 0 ? OK : extension_certificate_policies(cert, oids, n);
}

static enum err set_evidence(X509 *cert, const struct template *tmpl, const struct grant *grant)
{
	if (!tmpl->skae)
		return OK;
	if (grant->evidence == NULL)
		return refuse(ERR_REJECTED, "template-needs-evidence", "endorse-template(5) skae",
			"certificates of the template \"%s\" carry what the AK said of their key, "
			"and this key comes without: have the TPM make it, and the AK certify it",
			tmpl->name);
	return skae_add(cert, grant->evidence);
}

/* All that the grant has a part in, but the key: what can be wrong with it is found here. */
static enum err set_content(X509 *cert, const struct authority *authority,
	const struct template *tmpl, const struct grant *grant)
{
	const struct template_extension *extension = tmpl->extensions.item;

	if (grant->trust_class == NULL)
		return fail(ERR_INTERNAL, "template-value", "a grant without a trust class");
	TRY(set_policies(cert, tmpl, grant));
	TRY(set_names(cert, tmpl, grant));
	for (size_t i = 0; i < tmpl->extensions.n; i++)
		TRY(extra_add(cert, &extension[i], grant));
	TRY(set_evidence(cert, tmpl, grant));
	return authority_permits(authority, cert);
}

enum err certificate_judge(
	const struct authority *authority, const struct template *tmpl, const struct grant *grant)
{
	AUTO(x509_free) X509 *cert = X509_new();

	if (cert == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificate_judge");
	return set_content(cert, authority, tmpl, grant);
}

/* What the template names itself comes before what the service would. */
static enum err set_publication(X509 *cert, const struct template *tmpl, const struct grant *grant)
{
	const struct template_access *own = &tmpl->authority_information;
	const struct grant_publication *ours = &grant->publication;
	const char *issuer = own->ca_issuers != NULL ? own->ca_issuers : ours->issuer;
	const char *ocsp = own->ocsp;

	if (ocsp == NULL && template_tells_ocsp(tmpl))
		ocsp = ours->ocsp;
	if (issuer != NULL || ocsp != NULL)
		TRY(extension_authority_information(cert, issuer, ocsp));
	if (ours->crl == NULL || !template_tells_crl(tmpl))
		return OK;
	return extension_crl_distribution_point(cert, ours->crl);
}

enum err certificate_issue(const struct authority *authority, const struct template *tmpl,
	const struct grant *grant, int64_t now, struct issued *out)
{
	AUTO(x509_free) X509 *cert = X509_new();
	const X509 *issuer = authority_certificate(authority);

	out->der = BUF(32768);
	out->serial_n = ISSUED_SERIAL_SIZE;
	memcpy(out->issuer, authority_id(authority), SHA256_SIZE);
	if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
		X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1)
		return crypto_failed("issuer");
	TRY(serial_make(cert, now, out->serial));
	TRY(set_period(cert, authority, tmpl, now, out));
	TRY(key_spki(&grant->key, X509_get_X509_PUBKEY(cert)));
	TRY(extension_basic_constraints(cert, false, 0));
	TRY(set_usages(cert, tmpl));
	TRY(set_content(cert, authority, tmpl, grant));
	TRY(set_publication(cert, tmpl, grant));
	TRY(extension_subject_key_identifier(cert));
	TRY(extension_authority_key_identifier(cert, issuer));
	return certificate_sign(cert, authority_key(authority), &out->der);
}
