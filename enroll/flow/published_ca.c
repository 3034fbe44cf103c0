#include "enroll/flow/published_ca.h"

#include "ca/base/cert.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "ca/sshkey.h"
#include "enroll/flow/publication.h"

#include <openssl/pkcs7.h>
#include <string.h>

static enum err unknown(void)
{
	return refuse(ERR_NOT_FOUND, "ca-unknown", "PROTOCOL publication",
		"there is no such CA, or nothing of that name about it");
}

static enum err add_pem(struct view der, struct buf *out)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);

	return cert == NULL ? fail(ERR_INTERNAL, "crypto", "the CA's certificate is none")
			    : cert_pem_add(cert, out);
}

static enum err add_chain(const struct signer *signer, struct buf *out)
{
	struct view der;

	for (size_t i = 0; (der = signer_chain(signer, i)).n > 0; i++)
		TRY(add_pem(der, out));
	return OK;
}

static void pkcs7_free(PKCS7 **pkcs7)
{
	PKCS7_free(*pkcs7);
	*pkcs7 = NULL;
}

static bool fill_pkcs7(const struct signer *signer, PKCS7 *pkcs7)
{
	struct view der;

	if (pkcs7 == NULL || PKCS7_set_type(pkcs7, NID_pkcs7_signed) != 1 ||
		PKCS7_content_new(pkcs7, NID_pkcs7_data) != 1 || PKCS7_set_detached(pkcs7, 1) != 1)
		return false;
	for (size_t i = 0; (der = signer_chain(signer, i)).n > 0; i++) {
		AUTO(x509_free) X509 *cert = cert_from_der(der);

		if (cert == NULL || PKCS7_add_certificate(pkcs7, cert) != 1)
			return false;
	}
	return true;
}

static enum err add_pkcs7(const struct signer *signer, struct buf *out)
{
	AUTO(pkcs7_free) PKCS7 *pkcs7 = PKCS7_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = fill_pkcs7(signer, pkcs7) ? i2d_PKCS7(pkcs7, &der) : 0;

	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot make a PKCS #7");
	buf_add(out, (struct view){der, (size_t)n});
	return buf_ok(out);
}

static enum err add_root_crl(const struct signer *signer, struct buf *out)
{
	struct view der = signer_root_crl(signer);

	buf_add(out, der);
	return der.n == 0 ? unknown() : buf_ok(out);
}

static enum err add_ssh(const struct signer *signer, enum template_kind kind, struct buf *out)
{
	struct view blob = signer_ssh_ca(signer, kind);

	if (blob.n == 0)
		return unknown();
	TRY(sshkey_text(blob, out));
	buf_str(out, "\n");
	return buf_ok(out);
}

/* "https://ca.example.org:8443" has hosts of example.org; without a domain it is that very host. */
static enum err add_known_hosts(const struct service *service, struct buf *out)
{
	const char *host = strstr(service->name, "://") + strlen("://");
	const char *domain = strchr(host, '.'), *end = host + strcspn(host, ":/");

	if (signer_ssh_ca(service->signer, TEMPLATE_SSH_HOST).n == 0)
		return unknown();
	buf_fmt(out, "@cert-authority %.*s", (int)(end - host), host);
	if (domain != NULL && domain < end &&
		memchr(domain + 1, '.', (size_t)(end - domain - 1)) != NULL)
		buf_fmt(out, ",*%.*s", (int)(end - domain), domain);
	buf_str(out, " ");
	return add_ssh(service->signer, TEMPLATE_SSH_HOST, out);
}

/* "SHORTID.cer", "SHORTID.pem" */
static enum err add_certificate(
	const struct signer *signer, const char *name, const char **type, struct buf *out)
{
	const char *ending = strchr(name, '.');
	char short_id[2 * SHORT_ID_SIZE + 1];
	struct signer_issuer ca;

	for (size_t i = 0; ending != NULL && signer_issuer(signer, i, &ca); i++) {
		hex_write((struct view){ca.id, SHORT_ID_SIZE}, short_id);
		if (ca.kind != TEMPLATE_X509 || ending - name != 2 * SHORT_ID_SIZE ||
			memcmp(name, short_id, 2 * SHORT_ID_SIZE) != 0)
			continue;
		if (strcmp(ending, ".pem") == 0)
			return add_pem(ca.certificate, out);
		if (strcmp(ending, ".cer") != 0)
			break;
		*type = "application/pkix-cert";
		buf_add(out, ca.certificate);
		return buf_ok(out);
	}
	return unknown();
}

enum err published_ca(
	const struct service *service, const char *name, const char **type, struct buf *out)
{
	const struct signer *signer = service->signer;

	*type = "application/x-pem-file";
	if (strcmp(name, "chain.pem") == 0)
		return add_chain(signer, out);
	if (strcmp(name, "chain.p7c") == 0) {
		*type = "application/pkcs7-mime";
		return add_pkcs7(signer, out);
	}
	if (strcmp(name, "root.crl") == 0) {
		*type = "application/pkix-crl";
		return add_root_crl(signer, out);
	}
	if (strchr(name, '.') != NULL && strstr(name, "ssh-") == NULL)
		return add_certificate(signer, name, type, out);
	*type = "text/plain";
	if (strcmp(name, "ssh-host-ca.pub") == 0)
		return add_ssh(signer, TEMPLATE_SSH_HOST, out);
	if (strcmp(name, "ssh-user-ca.pub") == 0)
		return add_ssh(signer, TEMPLATE_SSH_USER, out);
	return strcmp(name, "known_hosts") == 0 ? add_known_hosts(service, out) : unknown();
}
