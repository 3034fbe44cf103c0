#include "enroll/agent/accepted.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/hostname.h"
#include "ca/base/printable.h"
#include "ca/identifier.h"
#include "ca/ssh.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* How a certificate in X.509 begins; a blob of OpenSSH begins with a length below 2^24. */
#define DER_SEQUENCE 0x30

void accepted_free(struct accepted **accepted)
{
	if (*accepted == NULL)
		return;
	answer_free(&(*accepted)->answer);
	for (size_t i = 0; i < (*accepted)->n; i++)
		X509_free((*accepted)->items[i].x509);
	x509_stack_free(&(*accepted)->intermediates);
	free(*accepted);
	*accepted = NULL;
}

static enum err read_x509(struct view der, X509 **out)
{
	*out = cert_from_der(der);
	if (*out == NULL)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has a certificate that cannot be read");
	return OK;
}

/* What ends a chain is held before: an answer that brings a root wants to be trusted for its word. */
static enum err take_intermediate(struct view der, STACK_OF(X509) *into)
{
	AUTO(x509_free) X509 *certificate = NULL;

	TRY(read_x509(der, &certificate));
	if (X509_self_signed(certificate, 0) != 0 || X509_check_ca(certificate) != 1)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer brings a certificate as an intermediate CA's that is a root, "
			"or no CA's");
	if (sk_X509_push(into, certificate) <= 0)
		return fail(ERR_INTERNAL, "out-of-memory", "certificates");
	certificate = NULL;
	return OK;
}

static enum err take_intermediates(struct accepted *accepted)
{
	const struct answer *answer = accepted->answer;

	accepted->intermediates = sk_X509_new_null();
	if (accepted->intermediates == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificates");
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

static enum err check_x509(const struct accepted *accepted, X509 *certificate,
	const struct anchors *anchors, const struct brought *key)
{
	const char *name = key->want->template;

	if (!brought_is(key, X509_get0_pubkey(certificate)))
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate (template %s) for another key than the one "
			"that was asked for",
			name);
	if (!names_only(certificate, accepted->answer->host))
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate (template %s) that names another host than "
			"%s",
			name, accepted->answer->host);
	if (!identifies_only(certificate, accepted->answer->device_id))
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate (template %s) for another device than its "
			"device_id says",
			name);
	return anchors_check(anchors, certificate, accepted->intermediates);
}

static enum err distrust_ssh(const struct brought *key, const char *what)
{
	return fail(ERR_DENIED, "service-not-trusted",
		"the answer has a certificate of OpenSSH (template %s) %s", key->want->template,
		what);
}

/* Hosts' and users' certificates are by two CAs: who trusts the one does not trust the other. */
static bool is_by_its_ca(const struct answer *answer, const struct ssh_certificate *certificate)
{
	struct view ca = certificate->type == SSH_HOST	 ? answer->ssh_host_ca
			 : certificate->type == SSH_USER ? answer->ssh_user_ca
							 : (struct view){NULL, 0};

	return ca.n > 0 && view_equal(certificate->signature_key, ca);
}

static enum err check_ssh(
	const struct accepted *accepted, struct view blob, const struct brought *key)
{
	uint64_t now = (uint64_t)clock_now();
	struct ssh_certificate certificate;

	if (ssh_certificate_parse(blob, &certificate) != OK)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has a certificate (template %s) that cannot be read: %s",
			key->want->template, why()->sentence);
	if (!is_by_its_ca(accepted->answer, &certificate))
		return distrust_ssh(key, "by another CA than the service's for its type");
	if (ssh_certificate_verify(&certificate) != OK)
		return distrust_ssh(key, "with a signature that does not hold");
	if (key->ssh.n == 0 || !ssh_certificate_is_for(&certificate, buf_view(&key->ssh)))
		return distrust_ssh(key, "for another key than the one that was asked for");
	if (now < certificate.valid_after || now >= certificate.valid_before)
		return distrust_ssh(
			key, "that is not in force now; is this machine's clock right?");
	return OK;
}

static enum err take(
	struct accepted *accepted, const struct anchors *anchors, const struct keys *keys)
{
	size_t i = accepted->n;
	const struct brought *key = &keys->items[i];
	const struct answer *answer = accepted->answer;
	struct accepted_one *one = &accepted->items[accepted->n++];

	one->blob = answer->certificates[i].der;
	if (strcmp(answer->certificates[i].template, key->want->template) != 0)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has a certificate of another template where %s was asked for",
			key->want->template);
	if (one->blob.n > 0 && one->blob.p[0] != DER_SEQUENCE)
		return check_ssh(accepted, one->blob, key);
	TRY(read_x509(one->blob, &one->x509));
	return check_x509(accepted, one->x509, anchors, key);
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

static enum err find_ak(struct accepted *accepted, const struct keys *keys)
{
	accepted->ak = wanted_ak(keys->wanted);
	if (accepted->items[accepted->ak].x509 != NULL)
		return OK;
	return fail(ERR_MALFORMED, "service-answer", "the answer has no certificate for the AK");
}

enum err accepted_check(struct answer **answer, const struct anchors *anchors,
	const struct keys *keys, const char *host, struct accepted **out)
{
	AUTO(accepted_free) struct accepted *accepted = calloc(1, sizeof(*accepted));

	if (accepted == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "accepted_check");
	accepted->answer = MOVE(*answer);
	TRY(check_device(accepted->answer, host));
	if (accepted->answer->certificates_n != keys->n)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has %zu certificates, and %zu were asked for",
			accepted->answer->certificates_n, keys->n);
	TRY(take_intermediates(accepted));
	while (accepted->n < keys->n)
		TRY(take(accepted, anchors, keys));
	TRY(find_ak(accepted, keys));
	*out = MOVE(accepted);
	return OK;
}
