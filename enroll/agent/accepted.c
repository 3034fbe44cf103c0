#include "enroll/agent/accepted.h"

#include "ca/base/cert.h"
#include "ca/base/hostname.h"
#include "ca/base/printable.h"
#include "ca/identifier.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define AK_TEMPLATE "ak"

void accepted_free(struct accepted **accepted)
{
	if (*accepted == NULL)
		return;
	answer_free(&(*accepted)->answer);
	x509_stack_free(&(*accepted)->certificates);
	x509_stack_free(&(*accepted)->intermediates);
	free(*accepted);
	*accepted = NULL;
}

static enum err take(struct view der, STACK_OF(X509) *into)
{
	AUTO(x509_free) X509 *certificate = cert_from_der(der);

	if (certificate == NULL)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has a certificate that cannot be read");
	if (sk_X509_push(into, certificate) <= 0)
		return fail(ERR_INTERNAL, "out-of-memory", "certificates");
	certificate = NULL;
	return OK;
}

/* What ends a chain is held before: an answer that brings a root wants to be trusted for its word. */
static enum err take_intermediate(struct view der, STACK_OF(X509) *into)
{
	X509 *certificate;

	TRY(take(der, into));
	certificate = sk_X509_value(into, sk_X509_num(into) - 1);
	if (X509_self_signed(certificate, 0) != 0 || X509_check_ca(certificate) != 1)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer brings a certificate as an intermediate CA's that is a root, "
			"or no "
			"CA's");
	return OK;
}

static enum err take_all(struct accepted *accepted)
{
	const struct answer *answer = accepted->answer;

	accepted->certificates = sk_X509_new_null();
	accepted->intermediates = sk_X509_new_null();
	if (accepted->certificates == NULL || accepted->intermediates == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificates");
	for (size_t i = 0; i < answer->certificates_n; i++)
		TRY(take(answer->certificates[i].der, accepted->certificates));
	for (size_t i = 0; i < answer->intermediates_n; i++)
		TRY(take_intermediate(answer->intermediates[i], accepted->intermediates));
	return OK;
}

/* A certificate need not name a host; where it does, every name is this one. */
static bool names_only(const X509 *certificate, const char *host)
{
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		struct view text;

		if (name->type != GEN_DNS)
			continue;
		text = (struct view){ASN1_STRING_get0_data(name->d.dNSName),
			(size_t)ASN1_STRING_length(name->d.dNSName)};
		if (!view_equal(text, view_str(host)))
			return false;
	}
	return true;
}

/* A certificate need not name its device; where it does, it is this one. */
static bool identifies_only(const X509 *certificate, const char *device_id)
{
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (is_identifier(name) && !identifier_says(name, device_id))
			return false;
	}
	return true;
}

static enum err check_certificate(const struct accepted *accepted, X509 *certificate,
	const struct anchors *anchors, const struct device_ak *ak)
{
	if (EVP_PKEY_eq(X509_get0_pubkey(certificate), ak_pkey(ak->judged)) != 1)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate for another key than this device's AK");
	if (!names_only(certificate, accepted->answer->host))
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate that names another host than %s",
			accepted->answer->host);
	if (!identifies_only(certificate, accepted->answer->device_id))
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate for another device than its device_id says");
	return anchors_check(anchors, certificate, accepted->intermediates);
}

static enum err check_device(const struct answer *answer, const char *host)
{
	char other[LIMIT_HOST + 1];

	printable(answer->host, other, sizeof(other));
	if (host == NULL && hostname_check(answer->host) != OK)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer calls this machine \"%s\", which is no host's name", other);
	if (host != NULL && strcmp(answer->host, host) != 0)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer is for %s, and %s was asked for", other, host);
	if (strlen(answer->device_id) != 32 || strspn(answer->device_id, "0123456789abcdef") != 32)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer's device_id is not 32 hexadecimal digits");
	return OK;
}

static enum err find_ak(struct accepted *accepted)
{
	for (size_t i = 0; i < accepted->answer->certificates_n; i++)
		if (strcmp(accepted->answer->certificates[i].template, AK_TEMPLATE) == 0) {
			accepted->ak = (int)i;
			return OK;
		}
	return fail(ERR_MALFORMED, "service-answer",
		"the answer has no certificate of template \"" AK_TEMPLATE "\"");
}

enum err accepted_check(struct answer **answer, const struct anchors *anchors,
	const struct device_ak *ak, const char *host, struct accepted **out)
{
	AUTO(accepted_free) struct accepted *accepted = calloc(1, sizeof(*accepted));

	if (accepted == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "accepted_check");
	accepted->answer = MOVE(*answer);
	TRY(check_device(accepted->answer, host));
	TRY(find_ak(accepted));
	TRY(take_all(accepted));
	for (int i = 0; i < sk_X509_num(accepted->certificates); i++)
		TRY(check_certificate(
			accepted, sk_X509_value(accepted->certificates, i), anchors, ak));
	*out = MOVE(accepted);
	return OK;
}
