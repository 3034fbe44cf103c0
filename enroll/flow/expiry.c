#include "enroll/flow/expiry.h"

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/printable.h"

#include <string.h>

const char *const expiry_role_words[] = {[EXPIRY_CA] = "ca",
	[EXPIRY_CA_ABOVE] = "ca-above",
	[EXPIRY_FORMER_CA] = "former-ca",
	[EXPIRY_ADMIN_CA] = "admin-ca",
	[EXPIRY_ROOT] = "vendor-root",
	NULL};

struct telling {
	void (*each)(void *ctx, const struct expiry *expiry);
	void *ctx;
};

static void tell(const struct telling *telling, enum expiry_role role, const X509 *cert)
{
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	struct expiry expiry = {.role = role};
	char subject[256];
	int64_t begin;

	if (cert_validity(cert, &begin, &expiry.until) != OK || cert_der_add(cert, &der) != OK ||
		SHA256_OF(expiry.sha256, buf_view(&der)) != OK)
		return;
	name_text(X509_get_subject_name(cert), subject, sizeof(subject));
	printable(subject, expiry.subject, sizeof(expiry.subject));
	telling->each(telling->ctx, &expiry);
}

static void tell_der(const struct telling *telling, enum expiry_role role, struct view der)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);

	if (cert != NULL)
		tell(telling, role, cert);
}

static void tell_root(void *ctx, const X509 *cert)
{
	tell(ctx, EXPIRY_ROOT, cert);
}

void expiry_each(const struct service *service,
	void (*each)(void *ctx, const struct expiry *expiry), void *ctx)
{
	struct telling telling = {each, ctx};
	struct signer_issuer issuer;
	const X509 *cert;
	struct view der;

	for (size_t i = 0; (der = signer_chain(service->signer, i)).n > 0; i++)
		tell_der(&telling, i == 0 ? EXPIRY_CA : EXPIRY_CA_ABOVE, der);
	for (size_t i = 0; signer_issuer(service->signer, i, &issuer); i++)
		if (issuer.kind == TEMPLATE_X509 && !issuer.issues)
			tell_der(&telling, EXPIRY_FORMER_CA, issuer.certificate);
	for (size_t i = 0; (cert = admin_ca_at(service->admin_ca, i)) != NULL; i++)
		tell(&telling, EXPIRY_ADMIN_CA, cert);
	trust_each_root(service->trust, tell_root, &telling);
}

bool expiry_is_of_ours(const struct service *service, const uint8_t id[static SHA256_SIZE])
{
	struct signer_issuer issuer;

	for (size_t i = 0; signer_issuer(service->signer, i, &issuer); i++)
		if (memcmp(issuer.id, id, SHA256_SIZE) == 0)
			return true;
	return false;
}
