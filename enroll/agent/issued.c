#include "enroll/agent/issued.h"

#include "enroll/agent/cert.h"
#include "enroll/agent/printable.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define AK_TEMPLATE "ak"

void issued_free(struct issued **issued)
{
	if (*issued == NULL)
		return;
	answer_free(&(*issued)->answer);
	x509_stack_free(&(*issued)->certificates);
	x509_stack_free(&(*issued)->intermediates);
	free(*issued);
	*issued = NULL;
}

static enum err take(struct view der, STACK_OF(X509) * into)
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

static enum err take_all(struct issued *issued)
{
	const struct answer *answer = issued->answer;

	issued->certificates = sk_X509_new_null();
	issued->intermediates = sk_X509_new_null();
	if (issued->certificates == NULL || issued->intermediates == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificates");
	for (size_t i = 0; i < answer->certificates_n; i++)
		TRY(take(answer->certificates[i].der, issued->certificates));
	for (size_t i = 0; i < answer->intermediates_n; i++)
		TRY(take(answer->intermediates[i], issued->intermediates));
	return OK;
}

static void names_free(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
	*names = NULL;
}

/* A certificate need not name a host; where it does, every name is this one. */
static bool names_only(const X509 *certificate, const char *host)
{
	AUTO(names_free)
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

static enum err check_certificate(const struct issued *issued, X509 *certificate,
	const struct anchors *anchors, const struct device_ak *ak)
{
	if (EVP_PKEY_eq(X509_get0_pubkey(certificate), ak_pkey(ak->judged)) != 1)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate for another key than this device's AK");
	if (!names_only(certificate, issued->answer->host))
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate that names another host than %s",
			issued->answer->host);
	return anchors_check(anchors, certificate, issued->intermediates);
}

static enum err check_device(const struct answer *answer, const char *host)
{
	char other[LIMIT_HOST + 1];

	if (strcmp(answer->host, host) != 0) {
		printable(answer->host, other, sizeof(other));
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer is for %s, and %s was asked for", other, host);
	}
	if (strlen(answer->device_id) != 32 || strspn(answer->device_id, "0123456789abcdef") != 32)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer's device_id is not 32 hexadecimal digits");
	return OK;
}

static enum err find_ak(struct issued *issued)
{
	for (size_t i = 0; i < issued->answer->certificates_n; i++)
		if (strcmp(issued->answer->certificates[i].template, AK_TEMPLATE) == 0) {
			issued->ak = (int)i;
			return OK;
		}
	return fail(ERR_MALFORMED, "service-answer",
		"the answer has no certificate of template \"" AK_TEMPLATE "\"");
}

enum err issued_check(struct answer **answer, const struct anchors *anchors,
	const struct device_ak *ak, const char *host, struct issued **out)
{
	AUTO(issued_free) struct issued *issued = calloc(1, sizeof(*issued));

	if (issued == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "issued_check");
	issued->answer = MOVE(*answer);
	TRY(check_device(issued->answer, host));
	TRY(find_ak(issued));
	TRY(take_all(issued));
	for (int i = 0; i < sk_X509_num(issued->certificates); i++)
		TRY(check_certificate(issued, sk_X509_value(issued->certificates, i), anchors, ak));
	*out = MOVE(issued);
	return OK;
}
