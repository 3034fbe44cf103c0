#include "ca/admin_ca.h"
#include "ca/base/oid.h"
#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/hierarchy_parts.h"
#include "ca/issue.h"
#include "ca/usage.h"

#include <unistd.h>

static char client_auth[] = OID_CLIENT_AUTH;

enum err hierarchy_admin(const char *dir, const char *organization, enum key_type type)
{
	static const char *const files[] = {"admin-ca.pem", "admin-ca.key", "admin-ca.passphrase"};
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(x509_free) X509 *cert = X509_new();

	if (cert == NULL)
		return hierarchy_failed("certificate");
	TRY(hierarchy_must_lack(dir, files, COUNT(files)));
	TRY(hierarchy_directory(dir));
	TRY(key_generate(type, &key));
	TRY(hierarchy_ca(cert, key, organization, "Endorse Admin CA", client_auth, cert, key));
	return hierarchy_save(dir, "admin-ca", "admin-ca", cert, key);
}

static enum err make_client(
	X509 *cert, EVP_PKEY *key, const struct authority *ca, const char *name, int64_t days)
{
	const int usages[] = {usage_bit("digitalSignature")};
	char *oids[] = {client_auth};
	AUTO(buf_free) struct buf der = BUF(16384);
	X509 *issuer = authority_certificate(ca);

	TRY(hierarchy_begin(cert, key, days));
	if (X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
		    (const uint8_t *)name, -1, -1, 0) != 1 ||
		X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1)
		return hierarchy_failed("subject");
	TRY(extension_basic_constraints(cert, false, 0));
	TRY(extension_key_usage(cert, usages, COUNT(usages)));
	TRY(extension_extended_key_usage(cert, oids, COUNT(oids), false));
	TRY(extension_subject_key_identifier(cert));
	TRY(extension_authority_key_identifier(cert, issuer));
	return certificate_sign(cert, authority_key(ca), &der);
}

static enum err judge(const char *name, int64_t days, const char *path)
{
	if (!operator_name_is(name))
		return fail(ERR_MALFORMED, "operator-name",
			"\"%.80s\" is no name of an operator: a letter or digit, then letters, "
			"digits and . _ @ -, at most %d",
			name, OPERATOR_NAME);
	if (days < 1 || days > OPERATOR_DAYS_MAX)
		return fail(ERR_MALFORMED, "operator-days",
			"an operator's certificate is valid for 1 to %d days", OPERATOR_DAYS_MAX);
	if (access(path, F_OK) == 0)
		return fail(ERR_CONFLICT, "file-exists",
			"%s is there already, and may be somebody's only key: choose another file",
			path);
	return OK;
}

enum err hierarchy_operator(const char *dir, const char *name, int64_t days, const char *path)
{
	AUTO(mem_free) char *pem = hierarchy_path(dir, "admin-ca.pem");
	AUTO(mem_free) char *secret = hierarchy_path(dir, "admin-ca.key");
	AUTO(mem_free) char *passphrase = hierarchy_path(dir, "admin-ca.passphrase");
	AUTO(authority_free) struct authority *ca = NULL;
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(x509_free) X509 *cert = X509_new();

	if (cert == NULL)
		return hierarchy_failed("certificate");
	TRY(judge(name, days, path));
	TRY(authority_load(pem, secret, passphrase, &ca));
	TRY(key_generate(KEY_TYPE_P256, &key));
	TRY(make_client(cert, key, ca, name, days));
	return hierarchy_pem(path, 0600, (X509 *[]){cert, authority_certificate(ca)}, 2, key);
}
