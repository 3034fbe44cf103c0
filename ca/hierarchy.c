#include "ca/hierarchy_parts.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/hostname.h"
#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/issue.h"
#include "ca/sshkey.h"
#include "ca/usage.h"
#include "ca/validity.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKDATE 300
#define SSH_FILES 4 /* the first ones of all_files */

static char server_auth[] = "1.3.6.1.5.5.7.3.1"; /* id-kp-serverAuth, RFC 5280 4.2.1.12 */

enum err hierarchy_failed(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot make the %s", what);
}

char *hierarchy_path(const char *dir, const char *name)
{
	char *path = path_join(dir, name);

	if (path == NULL)
		abort();
	return path;
}

enum err hierarchy_directory(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(errno));
	return OK;
}

static enum err set_subject(X509 *cert, const char *organization, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);

	if (X509_NAME_add_entry_by_txt(
		    name, "O", MBSTRING_UTF8, (const uint8_t *)organization, -1, -1, 0) != 1 ||
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_UTF8, (const uint8_t *)common_name, -1, -1, 0) != 1)
		return hierarchy_failed("subject (an organization has 1 to 64 characters)");
	return OK;
}

enum err hierarchy_begin(X509 *cert, EVP_PKEY *key, int64_t days)
{
	uint8_t serial[ISSUED_SERIAL_SIZE];
	int64_t now = clock_now();

	if (X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, key) != 1)
		return hierarchy_failed("certificate");
	TRY(serial_make(cert, now, serial));
	return validity_set(cert, now - BACKDATE, now + days * DAY);
}

static enum err add_key(EVP_PKEY *key, struct buf *pem)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_secmem());
	uint8_t *text;
	long n;

	if (bio == NULL || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1 ||
		(n = BIO_get_mem_data(bio, &text)) <= 0)
		return hierarchy_failed("PEM text");
	buf_add(pem, (struct view){text, (size_t)n});
	return buf_ok(pem);
}

enum err hierarchy_pem(const char *path, mode_t mode, X509 *const *certs, size_t n, EVP_PKEY *key)
{
	AUTO(buf_free) struct buf pem = BUF(1 << 16);

	for (size_t i = 0; i < n; i++)
		TRY(cert_pem_add(certs[i], &pem));
	if (key != NULL)
		TRY(add_key(key, &pem));
	return file_replace(path, mode, buf_view(&pem));
}

enum err hierarchy_ca(X509 *cert, EVP_PKEY *key, const char *organization, const char *name,
	char *usage, X509 *root, EVP_PKEY *root_key)
{
	const int usages[] = {
		usage_bit("keyCertSign"), usage_bit("cRLSign"), usage_bit("digitalSignature")};
	AUTO(buf_free) struct buf der = BUF(16384);
	bool is_root = cert == root && usage == NULL;

	TRY(hierarchy_begin(cert, key, is_root ? 20 * 365 : 10 * 365));
	TRY(set_subject(cert, organization, name));
	if (X509_set_issuer_name(cert, X509_get_subject_name(root)) != 1)
		return hierarchy_failed("issuer");
	TRY(extension_basic_constraints(cert, true, is_root ? 1 : 0));
	TRY(extension_key_usage(cert, usages, is_root ? 2 : 3));
	if (usage != NULL)
		TRY(extension_extended_key_usage(cert, &usage, 1, false));
	TRY(extension_subject_key_identifier(cert));
	TRY(extension_authority_key_identifier(cert, root));
	return certificate_sign(cert, root_key, &der);
}

enum err hierarchy_save(
	const char *dir, const char *stem, const char *key_stem, X509 *cert, EVP_PKEY *key)
{
	AUTO(mem_free)
	char *base = hierarchy_path(dir, stem), *key_base = hierarchy_path(dir, key_stem);
	AUTO(buf_free) struct buf pem = BUF(4096), secret = BUF(4096), passphrase = BUF(4096);

	buf_fmt(&pem, "%s.pem", base);
	buf_fmt(&secret, "%s.key", key_base);
	buf_fmt(&passphrase, "%s.passphrase", key_base);
	TRY(key_save(key, buf_text(&secret), buf_text(&passphrase)));
	return hierarchy_pem(buf_text(&pem), 0644, &cert, 1, NULL);
}

static enum err make_intermediate(const char *dir, const char *organization, enum key_type type,
	const char *name, const char *stem, char *usage, X509 *root, EVP_PKEY *root_key)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(x509_free) X509 *cert = X509_new();

	if (cert == NULL)
		return hierarchy_failed("certificate");
	TRY(key_generate(type, &key));
	TRY(hierarchy_ca(cert, key, organization, name, usage, root, root_key));
	return hierarchy_save(dir, stem, stem, cert, key);
}

enum err hierarchy_must_lack(const char *dir, const char *const *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(mem_free) char *path = hierarchy_path(dir, files[i]);

		if (access(path, F_OK) == 0)
			return fail(ERR_CONFLICT, "ca-exists",
				"%s is there already: a CA is never overwritten, choose another "
				"directory",
				path);
	}
	return OK;
}

/* Whatever is there of a CA, whole or half made: nothing of it is ever overwritten. */
static const char *const all_files[] = {"ssh-host-ca.key", "ssh-host-ca.pub", "ssh-user-ca.key",
	"ssh-user-ca.pub", "root.pem", "issuing.pem", "issuing.key", "edge-ca.pem", "edge-ca.key",
	"offline/root.key", "admin-ca.pem", "admin-ca.key"};

/* `stem`.key, `stem`.passphrase and, when both are there, `stem`.pub. */
static enum err make_ssh(const char *dir, const char *stem, enum key_type type)
{
	AUTO(mem_free) char *base = hierarchy_path(dir, stem);
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(buf_free) struct buf secret = BUF(4096), passphrase = BUF(4096), public = BUF(4096);
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX), line = BUF(2 * SSHKEY_MAX);

	buf_fmt(&secret, "%s.key", base);
	buf_fmt(&passphrase, "%s.passphrase", base);
	buf_fmt(&public, "%s.pub", base);
	TRY(key_generate(type, &key));
	TRY(sshkey_blob_of(key, &blob));
	TRY(sshkey_text(buf_view(&blob), &line));
	buf_fmt(&line, " endorse-%s\n", stem);
	TRY(buf_ok(&line));
	TRY(key_save(key, buf_text(&secret), buf_text(&passphrase)));
	return file_replace(buf_text(&public), 0644, buf_view(&line));
}

static enum err make_both_ssh(const char *dir, enum key_type type)
{
	TRY(make_ssh(dir, "ssh-host-ca", type));
	return make_ssh(dir, "ssh-user-ca", type);
}

enum err hierarchy_ssh(const char *dir, enum key_type type)
{
	TRY(hierarchy_must_lack(dir, all_files, SSH_FILES));
	TRY(hierarchy_directory(dir));
	return make_both_ssh(dir, type);
}

enum err hierarchy_make(const char *dir, const char *organization, enum key_type type)
{
	AUTO(mem_free) char *offline = hierarchy_path(dir, "offline");
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(x509_free) X509 *root = X509_new();

	if (root == NULL)
		return hierarchy_failed("certificate");
	TRY(hierarchy_must_lack(dir, all_files, COUNT(all_files)));
	TRY(hierarchy_directory(dir));
	TRY(hierarchy_directory(offline));
	TRY(key_generate(type, &key));
	TRY(hierarchy_ca(root, key, organization, "Endorse Root CA", NULL, root, key));
	TRY(make_intermediate(
		dir, organization, type, "Endorse Issuing CA", "issuing", NULL, root, key));
	TRY(make_intermediate(
		dir, organization, type, "Endorse Edge CA", "edge-ca", server_auth, root, key));
	TRY(make_both_ssh(dir, type));
	TRY(hierarchy_admin(dir, organization, type));
	/* The root's certificate comes last: its presence says that the rest is whole. */
	return hierarchy_save(dir, "root", "offline/root", root, key);
}

static enum err add_name(GENERAL_NAMES *names, const char *text)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *dns = ASN1_IA5STRING_new();

	if (name == NULL || dns == NULL || ASN1_STRING_set(dns, text, -1) != 1 ||
		sk_GENERAL_NAME_push(names, name) <= 0)
		return hierarchy_failed("subject alternative name");
	if (address != NULL) {
		GENERAL_NAME_set0_value(name, GEN_IPADD, address);
		ASN1_IA5STRING_free(dns);
		return OK;
	}
	GENERAL_NAME_set0_value(name, GEN_DNS, dns);
	if (!is_dns_name(text))
		return fail(ERR_MALFORMED, "edge-name",
			"\"%s\" is neither a lower-case DNS name nor an IP address", text);
	return OK;
}

static enum err set_server_names(X509 *cert, const char *const *names, size_t n)
{
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	enum err err = list == NULL ? hierarchy_failed("subject alternative name") : OK;

	for (size_t i = 0; err == OK && i < n; i++)
		err = add_name(list, names[i]);
	if (err == OK && X509_add1_ext_i2d(cert, NID_subject_alt_name, list, 1, 0) != 1)
		err = hierarchy_failed("subject alternative name");
	GENERAL_NAMES_free(list);
	return err;
}

static enum err make_server(
	X509 *cert, EVP_PKEY *key, const struct authority *ca, const char *const *names, size_t n)
{
	const int usages[] = {usage_bit("digitalSignature")};
	char *oids[] = {server_auth};
	AUTO(buf_free) struct buf der = BUF(16384);

	TRY(hierarchy_begin(cert, key, 397));
	if (X509_set_issuer_name(cert, X509_get_subject_name(authority_certificate(ca))) != 1)
		return hierarchy_failed("issuer");
	TRY(extension_basic_constraints(cert, false, 0));
	TRY(extension_key_usage(cert, usages, COUNT(usages)));
	TRY(extension_extended_key_usage(cert, oids, COUNT(oids), false));
	TRY(set_server_names(cert, names, n));
	TRY(extension_subject_key_identifier(cert));
	TRY(extension_authority_key_identifier(cert, authority_certificate(ca)));
	return certificate_sign(cert, authority_key(ca), &der);
}

static enum err read_root(const char *dir, X509 **out)
{
	AUTO(mem_free) char *path = hierarchy_path(dir, "root.pem");
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;

	TRY(certs_read(path, "ca-certificate", &certs));
	*out = sk_X509_shift(certs);
	return OK;
}

enum err hierarchy_edge(const char *dir, const char *const *names, size_t n, const char *path)
{
	AUTO(mem_free)
	char *pem = hierarchy_path(dir, "edge-ca.pem"),
	     *secret = hierarchy_path(dir, "edge-ca.key");
	AUTO(mem_free) char *passphrase = hierarchy_path(dir, "edge-ca.passphrase");
	AUTO(authority_free) struct authority *ca = NULL;
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(x509_free) X509 *cert = X509_new(), *root = NULL;

	if (n == 0)
		return fail(
			ERR_MALFORMED, "edge-name", "a TLS certificate needs at least one name");
	if (cert == NULL)
		return hierarchy_failed("certificate");
	TRY(authority_load(pem, secret, passphrase, &ca));
	TRY(read_root(dir, &root));
	TRY(key_generate(KEY_TYPE_P256, &key));
	TRY(make_server(cert, key, ca, names, n));
	return hierarchy_pem(path, 0600, (X509 *[]){cert, authority_certificate(ca), root}, 3, key);
}
