#include "ca/signer/client.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "ca/lint.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct signer {
	struct authority *authority;
	struct templates *templates;
};

enum err signer_open(
	const struct signer_files *files, struct problems *problems, struct signer **out)
{
	AUTO(signer_close) struct signer *signer = calloc(1, sizeof(*signer));
	enum err judged, loaded;

	if (signer == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "signer_open");
	judged = templates_load(files->templates, problems, &signer->templates);
	/* Also when the templates are wrong: an operator wants to see everything at once. */
	loaded = authority_load(
		files->certificate, files->key, files->passphrase, &signer->authority);
	if (loaded != OK)
		problem_add_failure(problems);
	if (judged == OK)
		judged = templates_lint(signer->templates,
			loaded == OK ? authority_certificate(signer->authority) : NULL, problems);
	TRY(loaded);
	TRY(judged);
	*out = MOVE(signer);
	return OK;
}

void signer_close(struct signer **signer)
{
	if (*signer == NULL)
		return;
	authority_free(&(*signer)->authority);
	templates_free(&(*signer)->templates);
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
	*out = tmpl;
	return OK;
}

enum err signer_issue(
	struct signer *signer, const struct grant *grant, int64_t now, struct issued *out)
{
	const struct template *tmpl;

	TRY(find_template(signer, grant, &tmpl));
	return certificate_issue(signer->authority, tmpl, grant, now, out);
}

enum err signer_judge(const struct signer *signer, const struct grant *grant)
{
	const struct template *tmpl;

	TRY(find_template(signer, grant, &tmpl));
	return certificate_judge(signer->authority, tmpl, grant);
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

int64_t signer_not_after(const struct signer *signer)
{
	return authority_not_after(signer->authority);
}

struct view signer_chain(const struct signer *signer, size_t index)
{
	return authority_chain(signer->authority, index);
}

bool signer_has_issued(const struct signer *signer, struct view der)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	X509 *ca = authority_certificate(signer->authority);
	bool is_ours = cert != NULL && X509_check_issued(ca, cert) == X509_V_OK &&
		       X509_verify(cert, X509_get0_pubkey(ca)) == 1;

	ERR_clear_error();
	return is_ours;
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
	return OK;
}
