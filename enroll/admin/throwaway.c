#include "enroll/admin/throwaway.h"

#include "ca/base/cert.h"
#include "ca/base/file.h"
#include "ca/hierarchy.h"
#include "enroll/admin/tempdir.h"

#include <stdlib.h>

/* A path below the directory, for AUTO(mem_free). */
static char *below(const char *dir, const char *name)
{
	char *path = path_join(dir, name);

	if (path == NULL)
		abort();
	return path;
}

/* A new key of the same kind: its size is part of what a certificate looks like. */
static enum err key_like(const X509 *cert, EVP_PKEY **out)
{
	EVP_PKEY *like = X509_get0_pubkey(cert);
	char group[64];

	if (like != NULL && EVP_PKEY_is_a(like, "RSA"))
		*out = EVP_RSA_gen((unsigned)EVP_PKEY_get_bits(like));
	else if (like != NULL && EVP_PKEY_is_a(like, "ED25519"))
		*out = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else if (like != NULL && EVP_PKEY_get_group_name(like, group, sizeof(group), NULL) == 1)
		*out = EVP_EC_gen(group);
	return *out != NULL ? OK
			    : fail(ERR_INTERNAL, "crypto", "cannot make a key of the CA's kind");
}

/* The CA's certificate with another key in it, signed by that, and those that were above it. */
static enum err certificates_like(
	STACK_OF(X509) *certs, EVP_PKEY *key, const char *path, const char *ca)
{
	AUTO(x509_free) X509 *cert = X509_dup(sk_X509_value(certs, 0));
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX), der = BUF(CERTS_MAX);

	if (cert == NULL || X509_set_pubkey(cert, key) != 1)
		return fail(ERR_INTERNAL, "ca-certificate", "%s: no certificate of a CA", ca);
	TRY(certificate_sign(cert, key, &der));
	TRY(cert_pem_add(cert, &pem));
	for (int i = 1; i < sk_X509_num(certs); i++)
		TRY(cert_pem_add(sk_X509_value(certs, i), &pem));
	return file_replace(path, 0600, buf_view(&pem));
}

static enum err make_like(const char *ca, const char *dir)
{
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(mem_free) char *certificate = below(dir, "issuing.pem");
	AUTO(mem_free) char *path = below(dir, "issuing.key");
	AUTO(mem_free) char *passphrase = below(dir, "issuing.passphrase");

	TRY(certs_read(ca, "ca-certificate", &certs));
	TRY(key_like(sk_X509_value(certs, 0), &key));
	TRY(certificates_like(certs, key, certificate, ca));
	return key_save(key, path, passphrase);
}

static enum err load_authority(const char *dir, struct authority **out)
{
	AUTO(mem_free) char *certificate = below(dir, "issuing.pem");
	AUTO(mem_free) char *key = below(dir, "issuing.key");
	AUTO(mem_free) char *passphrase = below(dir, "issuing.passphrase");

	return authority_load(certificate, key, passphrase, out);
}

static enum err make_ssh(const char *dir, struct ssh_ca **out)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(mem_free) char *path = below(dir, "ssh.key");
	AUTO(mem_free) char *passphrase = below(dir, "ssh.passphrase");

	TRY(key_generate(KEY_TYPE_P256, &key));
	TRY(key_save(key, path, passphrase));
	return ssh_ca_load(path, passphrase, out);
}

enum err throwaway_make(const char *ca, struct throwaway *out)
{
	AUTO(tempdir_remove) char *dir = NULL;
	AUTO(mem_free) char *made = NULL;

	*out = (struct throwaway){0};
	TRY(tempdir_make(NULL, &dir));
	made = below(dir, "ca");
	if (ca == NULL)
		TRY(hierarchy_make(made, "Example", KEY_TYPE_P256));
	else
		TRY(make_like(ca, dir));
	TRY(load_authority(ca == NULL ? made : dir, &out->authority));
	return make_ssh(dir, &out->ssh_ca);
}

void throwaway_free(struct throwaway *throwaway)
{
	authority_free(&throwaway->authority);
	ssh_ca_free(&throwaway->ssh_ca);
}

enum err throwaway_issue(const struct throwaway *throwaway, const struct template *tmpl,
	const struct grant *grant, int64_t now, struct issued *out)
{
	if (template_kind(tmpl) == TEMPLATE_X509)
		return certificate_issue(throwaway->authority, tmpl, grant, now, out);
	return ssh_issue(throwaway->ssh_ca, tmpl, grant, now, out);
}
