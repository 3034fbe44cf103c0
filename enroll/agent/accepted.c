#include "enroll/agent/accepted.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/hostname.h"
#include "ca/base/oid.h"
#include "ca/base/printable.h"
#include "ca/base/purpose.h"
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

static bool says(const ASN1_STRING *string, const char *text)
{
	return view_equal(
		(struct view){ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)},
		view_str(text));
}

/* Without a dNSName, there are programs that take the common name for one (RFC 6125 6.4.4). */
static bool is_subject_of(const X509 *certificate, const char *host)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);

	for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
		const ASN1_STRING *name =
			X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
		char text[HOSTNAME_MAX + 1];

		printable((const char *)ASN1_STRING_get0_data(name), text, sizeof(text));
		if (!says(name, host) && hostname_check(text) == OK)
			return false;
	}
	return true;
}

/* Service and templates know no address as a host's name, and no mail. */
static bool is_of_no_host(const GENERAL_NAME *name)
{
	return name->type == GEN_IPADD || name->type == GEN_EMAIL;
}

/* A certificate need not name a host; where it does, this one is among them: others are the operator's to add. */
static bool names_host(const X509 *certificate, const char *host)
{
	int critical = -1;
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
	bool names_any = false, names_this = false;

	/* One that cannot be read, or two, may name anybody. */
	if (names == NULL && critical != -1)
		return false;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (is_of_no_host(name))
			return false;
		if (name->type != GEN_DNS)
			continue;
		names_any = true;
		names_this = names_this || says(name->d.dNSName, host);
	}
	return names_any ? names_this : is_subject_of(certificate, host);
}

/* A certificate need not name its device; where it does, it is this one, by its id or by its host's name. */
static bool identifies_only(const X509 *certificate, const struct answer *answer)
{
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (is_identifier(name) && !identifier_says(name, answer->device_id) &&
			!identifier_says(name, answer->host))
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
	if (!names_host(certificate, accepted->answer->host))
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate (template %s) that names other hosts, and "
			"not %s",
			name, accepted->answer->host);
	if (X509_check_ca(certificate) != 0)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer has a certificate (template %s) that makes this machine a CA",
			name);
	if (!identifies_only(certificate, accepted->answer))
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

/* To ssh(1) a host is who is among the principals. */
static bool is_of_host(const struct ssh_certificate *certificate, const char *host)
{
	struct view rest = certificate->principals, principal;

	while (ssh_string_next(&rest, &principal))
		if (view_equal(principal, view_str(host)))
			return true;
	return false;
}

/* A user's certificate in the place of a host's is of no use, and the other way round none that anybody wants. */
static enum err check_ssh_type(
	const struct ssh_certificate *certificate, const char *host, const struct brought *key)
{
	enum want_form form = want_form(key->want);

	if ((form == WANT_SSH_HOST && certificate->type != SSH_HOST) ||
		(form == WANT_SSH_USER && certificate->type != SSH_USER))
		return distrust_ssh(key, "of another type than the template's");
	if (certificate->type == SSH_HOST && !is_of_host(certificate, host))
		return distrust_ssh(key, "for hosts of other names");
	return OK;
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
	TRY(check_ssh_type(&certificate, accepted->answer->host, key));
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
	enum want_form form = want_form(key->want);
	bool is_ssh;

	one->blob = answer->certificates[i].der;
	if (strcmp(answer->certificates[i].template, key->want->template) != 0)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has a certificate of another template where %s was asked for",
			key->want->template);
	is_ssh = one->blob.n > 0 && one->blob.p[0] != DER_SEQUENCE;
	if (form != WANT_ANY_FORM && is_ssh == (form == WANT_X509))
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has a certificate %s, which template %s does not make",
			is_ssh ? "of OpenSSH" : "in X.509", key->want->template);
	if (is_ssh)
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
	if (accepted->items[accepted->ak].x509 == NULL)
		return fail(ERR_MALFORMED, "service-answer",
			"the answer has no certificate for the AK");
	/* A platform-property certificate, say, is for the AK too, and is none that shows what the AK is. */
	if (!purpose_is_among(accepted->items[accepted->ak].x509, OID_AK_CERTIFICATE))
		return fail(ERR_MALFORMED, "service-answer",
			"template %s does not make AK certificates (extended key usage "
			"" OID_AK_CERTIFICATE "): ask for one that does first, --template ak",
			keys->wanted->items[accepted->ak].template);
	return OK;
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
