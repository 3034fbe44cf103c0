#include "enroll/agent/link.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/oid.h"
#include "ca/base/printable.h"
#include "ca/base/purpose.h"
#include "enroll/tpm/endpointlog.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OID_SERVER_AUTH "1.3.6.1.5.5.7.3.1"

const char *link_part_text(enum link_part part)
{
	static const char *const texts[] = {[LINK_ENDPOINT] = "endpoint-certificate",
		[LINK_AK] = "ak-certificate",
		[LINK_PROPERTY] = "platform-property-certificate",
		[LINK_SAME_AK] = "same-ak",
		[LINK_NAME] = "name",
		[LINK_LOG] = "log",
		[LINK_QUOTE] = "quote",
		[LINK_KEY] = "endpoint-key"};

	return texts[part];
}

enum err link_nonce_read(const char *text, struct buf *out)
{
	uint8_t bytes[LINK_NONCE_MAX];
	size_t digits = strlen(text);

	*out = BUF(LINK_NONCE_MAX);
	if (digits % 2 != 0 || digits < 2 * LINK_NONCE_MIN || digits > 2 * LINK_NONCE_MAX ||
		hex_read(view_str(text), bytes, digits / 2) != OK)
		return fail(ERR_MALFORMED, "usage",
			"--nonce: wanted %d to %d hexadecimal digits; endorse link-check "
			"--new-nonce makes some",
			2 * LINK_NONCE_MIN, 2 * LINK_NONCE_MAX);
	buf_add(out, (struct view){bytes, digits / 2});
	return buf_ok(out);
}

static const char *usage_of(enum link_part part)
{
	return part == LINK_AK ? OID_AK_CERTIFICATE : OID_PLATFORM_PROPERTY;
}

/* One certificate is never taken for another kind. */
bool link_part_takes(enum link_part part, X509 *certificate)
{
	return purpose_is_alone(certificate, usage_of(part));
}

/* By itself, as the paper has it, or by the CA: anybody else's signature says nothing here. */
static enum err check_signer(const struct link_question *q)
{
	if (X509_self_signed(q->endpoint, 1) == 1)
		return OK;
	ERR_clear_error();
	if (X509_check_issued(q->endpoint, q->endpoint) == X509_V_OK)
		return fail(ERR_REJECTED, "link-signature",
			"the endpoint's certificate says that it signed itself, and did not");
	if (anchors_check(q->anchors, q->endpoint, q->intermediates) != OK)
		return fail(ERR_REJECTED, "link-signature",
			"the endpoint's certificate is neither signed by itself nor by the CA");
	return OK;
}

/* A kind of key that this OpenSSL does not know is equal to every other such key, if one asks it. */
static enum err check_has_key(const X509 *certificate, const char *what)
{
	if (X509_get0_pubkey(certificate) != NULL)
		return OK;
	ERR_clear_error();
	return fail(ERR_REJECTED, "link-key", "the key of the %s cannot be read", what);
}

static enum err check_endpoint(const struct link_question *q)
{
	bool is_server;

	TRY(check_has_key(q->endpoint, "endpoint's certificate"));
	TRY(cert_check_dates(q->endpoint, clock_now()));
	if (purposes_read(q->endpoint, OID_SERVER_AUTH, &is_server) != 0 && !is_server)
		return fail(ERR_REJECTED, "link-usage",
			"the endpoint's certificate is not for a TLS server (its extended key "
			"usage)");
	return check_signer(q);
}

static enum err check_certificate(
	const struct link_question *q, X509 *certificate, enum link_part part, const char *what)
{
	if (anchors_check(q->anchors, certificate, q->intermediates) != OK)
		return fail(ERR_DENIED, "link-chain", "the %s: %s", what, why()->sentence);
	TRY(check_has_key(certificate, what));
	if (X509_check_ca(certificate) != 0)
		return fail(ERR_REJECTED, "link-usage", "the %s is a CA's certificate", what);
	if (!link_part_takes(part, certificate))
		return fail(ERR_REJECTED, "link-usage",
			"the %s is a certificate of another kind: its extended key usage is not %s "
			"alone",
			what, usage_of(part));
	return OK;
}

static enum err check_ak(const struct link_question *q)
{
	return check_certificate(q, q->ak, LINK_AK, "AK certificate");
}

static enum err check_property(const struct link_question *q)
{
	return check_certificate(q, q->property, LINK_PROPERTY, "platform-property certificate");
}

static enum err check_same_ak(const struct link_question *q)
{
	if (EVP_PKEY_eq(X509_get0_pubkey(q->ak), X509_get0_pubkey(q->property)) == 1)
		return OK;
	ERR_clear_error();
	return fail(ERR_REJECTED, "link-ak",
		"the platform-property certificate is another AK's: whose endpoint it is about has "
		"another TPM");
}

/* One dNSName at least, and each of them is `name`, whatever the case of its letters. */
static enum err check_names(X509 *certificate, const char *name, const char *what)
{
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t found = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
		const char *text;
		char shown[80];
		size_t n;

		if (one->type != GEN_DNS)
			continue;
		text = (const char *)ASN1_STRING_get0_data(one->d.dNSName);
		n = (size_t)ASN1_STRING_length(one->d.dNSName);
		printable(text, shown, sizeof(shown));
		if (n != strlen(name) || strncasecmp(text, name, n) != 0)
			return fail(ERR_REJECTED, "link-name",
				"%s was dialled, and the %s is about %s", name, what, shown);
		found++;
	}
	ERR_clear_error();
	if (found == 0)
		return fail(ERR_REJECTED, "link-name", "the %s has no dNSName", what);
	return OK;
}

static enum err check_name(const struct link_question *q)
{
	TRY(check_names(q->endpoint, q->name, "endpoint's certificate"));
	return check_names(q->property, q->name, "platform-property certificate");
}

static enum err check_log(const struct link_question *q)
{
	AUTO(endpoint_log_free) struct endpoint_log log;

	TRY(endpoint_log_parse(q->log, &log));
	if (log.pcr == q->pcr)
		return OK;
	/* A host with two logs would leave out the one in which it took the key back. */
	return fail(ERR_REJECTED, "link-pcr",
		"the log is about PCR %u, and wanted is the one about PCR %u: in another PCR a key "
		"that was marked invalid can be measured anew",
		log.pcr, q->pcr);
}

static enum err check_quote(const struct link_question *q)
{
	AUTO(endpoint_log_free) struct endpoint_log log;
	struct pcr_values values = {0};

	TRY(endpoint_log_parse(q->log, &log));
	TRY(endpoint_log_replay(&log, &values));
	return quote_judge(q->attest, q->signature, X509_get0_pubkey(q->ak), q->nonce, &values);
}

static enum err check_key(const struct link_question *q)
{
	AUTO(endpoint_log_free) struct endpoint_log log;
	uint8_t digest[32];

	TRY(endpoint_log_parse(q->log, &log));
	TRY(endpoint_key_sha256(X509_get0_pubkey(q->endpoint), digest));
	return endpoint_log_judge(&log, digest);
}

enum err link_judge(const struct link_question *question, enum link_part *broken)
{
	static enum err (*const checks[])(const struct link_question *) = {
		[LINK_ENDPOINT] = check_endpoint,
		[LINK_AK] = check_ak,
		[LINK_PROPERTY] = check_property,
		[LINK_SAME_AK] = check_same_ak,
		[LINK_NAME] = check_name,
		[LINK_LOG] = check_log,
		[LINK_QUOTE] = check_quote,
		[LINK_KEY] = check_key,
	};

	for (*broken = 0; *broken < LINK_PARTS; (*broken)++)
		TRY(checks[*broken](question));
	return OK;
}
