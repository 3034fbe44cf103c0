#include "enroll/tpm/certfile.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"

enum err certificate_read(struct view der, X509 **out)
{
	X509 *cert = cert_from_der(der);

	if (cert == NULL)
		return refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1",
			"these bytes are not one DER certificate");
	*out = cert;
	return OK;
}

static enum err each_pem(struct view text, enum err (*each)(void *ctx, X509 *cert), void *ctx)
{
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;
	size_t broken;
	int n;

	TRY(certs_from_pem(text, &certs, &broken));
	n = sk_X509_num(certs);
	for (int i = 0; i < n; i++)
		TRY(each(ctx, sk_X509_value(certs, i)));
	if (broken > 0)
		return fail(ERR_MALFORMED, "certificate-file",
			"OpenSSL cannot read %zu of its %zu certificates; the others are taken",
			broken, broken + (size_t)n);
	if (n == 0)
		return fail(ERR_MALFORMED, "certificate-file",
			"no certificate that OpenSSL can read, in PEM or DER");
	return OK;
}

enum err certificate_each(struct view bytes, enum err (*each)(void *ctx, X509 *cert), void *ctx)
{
	AUTO(x509_free) X509 *single = NULL;

	if (bytes.n == 0 || bytes.p[0] != 0x30)
		return each_pem(bytes, each, ctx);
	TRY(certificate_read(bytes, &single));
	return each(ctx, single);
}
