#include "ca/signer/client.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "ca/lint.h"
#include "ca/signer/parts.h"
#include "ca/ssh.h"
#include "ca/text.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* One more thing that may be wrong; the first one is the error. */
static void load(enum err loaded, struct problems *problems, enum err *err)
{
	if (loaded != OK)
		problem_add_failure(problems);
	if (*err == OK)
		*err = loaded;
}

/* NULL when the CA's subject has none that a certificate could state. */
static char *organization_of(const X509 *ca)
{
	const X509_NAME *subject = X509_get_subject_name(ca);
	const int at = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);
	AUTO(ossl_free) uint8_t *text = NULL;
	int n;

	if (at < 0)
		return NULL;
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	ERR_clear_error();
	if (n <= 0 || strlen((char *)text) != (size_t)n || !text_is((char *)text, TEXT_UTF8))
		return NULL;
	return strdup((char *)text);
}

static enum err add_former(struct signer *signer, const struct signer_former *from)
{
	AUTO(authority_free) struct authority *former = NULL;

	TRY(authority_load_former(from->certificate, from->key, from->passphrase, &former));
	if (signer_authority(signer, authority_id(former)) != NULL)
		return fail(ERR_INTERNAL, "ca-former",
			"%s has the key of the issuing CA or of another former one: a CA is known "
			"by its key, and is there once",
			from->certificate);
	signer->former[signer->former_n++] = MOVE(former);
	return OK;
}

static void load_former(struct signer *signer, const struct signer_files *files,
	struct problems *problems, enum err *err)
{
	if (files->former_n == 0)
		return;
	signer->former = calloc(files->former_n, sizeof(*signer->former));
	if (signer->former == NULL) {
		load(fail(ERR_INTERNAL, "out-of-memory", "signer_open"), problems, err);
		return;
	}
	for (size_t i = 0; i < files->former_n; i++)
		load(add_former(signer, &files->former[i]), problems, err);
}

static void load_root_crl(struct signer *signer, const struct signer_files *files,
	struct problems *problems, enum err *err)
{
	signer->root_crl = BUF(CRL_FILE_MAX);
	/* Without the CA its own problem is told; a second complaint would only hide it. */
	if (files->root_crl != NULL && signer->authority != NULL)
		load(crl_above_read(signer->authority, files->root_crl, &signer->root_crl),
			problems, err);
}

enum err signer_open(
	const struct signer_files *files, struct problems *problems, struct signer **out)
{
	AUTO(signer_close) struct signer *signer = calloc(1, sizeof(*signer));
	enum err err = OK, judged;

	if (signer == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "signer_open");
	judged = templates_load(files->templates, problems, &signer->templates);
	/* Also when the templates are wrong: an operator wants to see everything at once. */
	load(authority_load(files->certificate, files->key, files->passphrase, &signer->authority),
		problems, &err);
	if (files->ssh_host_key != NULL)
		load(ssh_ca_load(
			     files->ssh_host_key, files->ssh_host_passphrase, &signer->ssh_host),
			problems, &err);
	if (files->ssh_user_key != NULL)
		load(ssh_ca_load(
			     files->ssh_user_key, files->ssh_user_passphrase, &signer->ssh_user),
			problems, &err);
	load_former(signer, files, problems, &err);
	load_root_crl(signer, files, problems, &err);
	if (judged == OK)
		judged = templates_lint(signer->templates,
			signer->authority == NULL ? NULL : authority_certificate(signer->authority),
			problems);
	TRY(err);
	TRY(judged);
	signer->organization = files->organization != NULL
				       ? strdup(files->organization)
				       : organization_of(authority_certificate(signer->authority));
	if (files->organization != NULL && signer->organization == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "signer_open");
	TRY(responders_make(signer, &signer->responders));
	*out = MOVE(signer);
	return OK;
}

void signer_close(struct signer **signer)
{
	if (*signer == NULL)
		return;
	responders_free(&(*signer)->responders);
	authority_free(&(*signer)->authority);
	templates_free(&(*signer)->templates);
	ssh_ca_free(&(*signer)->ssh_host);
	ssh_ca_free(&(*signer)->ssh_user);
	for (size_t i = 0; i < (*signer)->former_n; i++)
		authority_free(&(*signer)->former[i]);
	free((*signer)->former);
	buf_free(&(*signer)->root_crl);
	free((*signer)->organization);
	free(*signer);
	*signer = NULL;
}

static enum err find_template(
	const struct signer *signer, const struct grant *grant, const struct template **out)
{
	const struct template *tmpl = template_named(signer->templates, grant->template);

	if (tmpl == NULL)
		return fail(ERR_INTERNAL, "template-unknown", "the signer has no template \"%s\"",
			grant->template);
	if (tmpl->version != grant->template_version)
		return fail(ERR_INTERNAL, "template-version",
			"the grant is for version %u of \"%s\", the signer has %lld",
			grant->template_version, grant->template, (long long)tmpl->version);
	/* The rest of the service judged the key; this only sees to it that it did. */
	if ((grant->evidence != NULL) != (template_key(tmpl) == TEMPLATE_KEY_CERTIFIED))
		return fail(ERR_INTERNAL, "template-key",
			"\"%s\" is for keys of class %s, and the grant has %s statement of an AK",
			grant->template, tmpl->key, grant->evidence == NULL ? "no" : "a");
	*out = tmpl;
	return OK;
}

static const struct ssh_ca *ssh_ca_of(const struct signer *signer, enum template_kind kind)
{
	return kind == TEMPLATE_SSH_HOST ? signer->ssh_host : signer->ssh_user;
}

static enum err no_ssh_ca(const struct template *tmpl)
{
	return fail(ERR_INTERNAL, "ssh-ca",
		"the template \"%s\" is of kind %s, and there is no such CA", tmpl->name,
		tmpl->kind);
}

enum err signer_issue(
	struct signer *signer, const struct grant *grant, int64_t now, struct issued *out)
{
	const struct template *tmpl;

	TRY(find_template(signer, grant, &tmpl));
	if (template_kind(tmpl) == TEMPLATE_X509)
		return certificate_issue(signer->authority, tmpl, grant, now, out);
	if (ssh_ca_of(signer, template_kind(tmpl)) == NULL)
		return no_ssh_ca(tmpl);
	return ssh_issue(ssh_ca_of(signer, template_kind(tmpl)), tmpl, grant, now, out);
}

enum err signer_judge(const struct signer *signer, const struct grant *grant)
{
	const struct template *tmpl;

	TRY(find_template(signer, grant, &tmpl));
	if (template_kind(tmpl) == TEMPLATE_X509)
		return certificate_judge(signer->authority, tmpl, grant);
	if (ssh_ca_of(signer, template_kind(tmpl)) == NULL)
		return no_ssh_ca(tmpl);
	return ssh_judge(tmpl, grant);
}

unsigned signer_template_version(const struct signer *signer, const char *name)
{
	const struct template *tmpl = template_named(signer->templates, name);

	return tmpl == NULL ? 0 : (unsigned)tmpl->version;
}

const struct template *signer_template(const struct signer *signer, size_t index)
{
	return template_at(signer->templates, index);
}

const struct template *signer_template_named(const struct signer *signer, const char *name)
{
	return template_named(signer->templates, name);
}

int64_t signer_not_after(const struct signer *signer)
{
	return authority_not_after(signer->authority);
}

struct view signer_chain(const struct signer *signer, size_t index)
{
	return authority_chain(signer->authority, index);
}

const struct authority *signer_authority(
	const struct signer *signer, const uint8_t id[static SHA256_SIZE])
{
	/* There is none when it could not be loaded, and former ones are looked at all the same. */
	if (signer->authority != NULL &&
		memcmp(authority_id(signer->authority), id, SHA256_SIZE) == 0)
		return signer->authority;
	for (size_t i = 0; i < signer->former_n; i++)
		if (memcmp(authority_id(signer->former[i]), id, SHA256_SIZE) == 0)
			return signer->former[i];
	return NULL;
}

static void tell_authority(
	const struct authority *authority, bool issues, struct signer_issuer *out)
{
	*out = (struct signer_issuer){.id = authority_id(authority),
		.kind = TEMPLATE_X509,
		.certificate = authority_chain(authority, 0),
		.not_after = authority_not_after(authority),
		.issues = issues};
}

static void tell_ssh(const struct ssh_ca *ca, enum template_kind kind, struct signer_issuer *out)
{
	*out = (struct signer_issuer){.id = ssh_ca_id(ca),
		.kind = kind,
		.certificate = ssh_ca_public(ca),
		.issues = true};
}

bool signer_issuer(const struct signer *signer, size_t index, struct signer_issuer *out)
{
	if (index == 0) {
		tell_authority(signer->authority, true, out);
		return true;
	}
	if (signer->ssh_host != NULL && --index == 0) {
		tell_ssh(signer->ssh_host, TEMPLATE_SSH_HOST, out);
		return true;
	}
	if (signer->ssh_user != NULL && --index == 0) {
		tell_ssh(signer->ssh_user, TEMPLATE_SSH_USER, out);
		return true;
	}
	if (index > signer->former_n)
		return false;
	tell_authority(signer->former[index - 1], false, out);
	return true;
}

const char *signer_organization(const struct signer *signer)
{
	return signer->organization;
}

struct view signer_ssh_ca(const struct signer *signer, enum template_kind kind)
{
	const struct ssh_ca *ca = kind == TEMPLATE_X509 ? NULL : ssh_ca_of(signer, kind);

	return ca == NULL ? (struct view){NULL, 0} : ssh_ca_public(ca);
}

static bool has_issued_ssh(const struct signer *signer, struct view blob)
{
	struct ssh_certificate read;
	const struct ssh_ca *ca;

	if (ssh_certificate_parse(blob, &read) != OK)
		return false;
	ca = read.type == SSH_HOST ? signer->ssh_host : signer->ssh_user;
	return ca != NULL && view_equal(read.signature_key, ssh_ca_public(ca)) &&
	       ssh_certificate_verify(&read) == OK;
}

bool signer_has_issued(const struct signer *signer, struct view der)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	X509 *ca = authority_certificate(signer->authority);
	bool is_ours = cert != NULL && X509_check_issued(ca, cert) == X509_V_OK &&
		       X509_verify(cert, X509_get0_pubkey(ca)) == 1;

	ERR_clear_error();
	return cert != NULL ? is_ours : has_issued_ssh(signer, der);
}

static bool signs(EVP_PKEY *private, EVP_PKEY *public)
{
	AUTO(md_ctx_free) EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
	uint8_t text[32], signature[1024];
	size_t n = sizeof(signature);
	const EVP_MD *md;

	return key_signs_with(private, &md) && sign != NULL && verify != NULL &&
	       random_bytes(text, sizeof(text)) == OK &&
	       EVP_DigestSignInit(sign, NULL, md, NULL, private) == 1 &&
	       EVP_DigestSign(sign, signature, &n, text, sizeof(text)) == 1 &&
	       EVP_DigestVerifyInit(verify, NULL, md, NULL, public) == 1 &&
	       EVP_DigestVerify(verify, signature, n, text, sizeof(text)) == 1;
}

enum err signer_ready(struct signer *signer)
{
	TRY(authority_judge(signer->authority, clock_now()));
	if (!signs(authority_key(signer->authority),
		    X509_get0_pubkey(authority_certificate(signer->authority))))
		return fail(ERR_BUSY, "ca-key", "the issuing CA's key does not sign");
	if (signer->ssh_host != NULL)
		TRY(ssh_ca_ready(signer->ssh_host));
	return signer->ssh_user == NULL ? OK : ssh_ca_ready(signer->ssh_user);
}
