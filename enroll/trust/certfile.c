#include "enroll/trust/certfile.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static enum err is_read(X509 *cert, X509 **out)
{
	if (cert == NULL)
		return refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1",
			"these bytes are not one DER certificate");
	*out = cert;
	return OK;
}

enum err certificate_read(struct view der, X509 **out)
{
	return is_read(cert_from_der(der), out);
}

enum err certificate_read_plainly(struct view der, X509 **out)
{
	return is_read(cert_from_der_plainly(der), out);
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

enum err crl_read(struct view der, X509_CRL **out)
{
	const uint8_t *end = der.p;
	AUTO(crl_free) X509_CRL *crl = NULL;

	if (der.n > 0 && der.n <= LONG_MAX)
		crl = d2i_X509_CRL(NULL, &end, (long)der.n);
	ERR_clear_error();
	if (crl == NULL || end != der.p + der.n)
		return fail(ERR_MALFORMED, "crl-file", "these bytes are not one DER CRL");
	*out = MOVE(crl);
	return OK;
}

static bool is_end_of_text(unsigned long error)
{
	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static enum err each_pem_crl(
	struct view text, enum err (*each)(void *ctx, X509_CRL *crl), void *ctx)
{
	AUTO(bio_free) BIO *bio = text.n > INT_MAX ? NULL : BIO_new_mem_buf(text.p, (int)text.n);
	char no_passphrase[] = ""; /* or OpenSSL would ask somebody for one */
	size_t broken = 0, n = 0;

	if (bio == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "crl_each");
	do {
		AUTO(crl_free)
		X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, no_passphrase);

		broken += crl == NULL && !is_end_of_text(ERR_peek_last_error());
		ERR_clear_error();
		if (crl == NULL)
			continue;
		n++;
		TRY(each(ctx, crl));
	} while (BIO_ctrl_pending(bio) > 0);
	if (broken > 0)
		return fail(ERR_MALFORMED, "crl-file",
			"OpenSSL cannot read %zu of its %zu CRLs; the others are taken", broken,
			broken + n);
	if (n == 0)
		return fail(
			ERR_MALFORMED, "crl-file", "no CRL that OpenSSL can read, in PEM or DER");
	return OK;
}

enum err crl_each(struct view bytes, enum err (*each)(void *ctx, X509_CRL *crl), void *ctx)
{
	AUTO(crl_free) X509_CRL *single = NULL;

	if (bytes.n == 0)
		return fail(ERR_MALFORMED, "crl-file", "the file is empty");
	if (bytes.p[0] != 0x30)
		return each_pem_crl(bytes, each, ctx);
	TRY(crl_read(bytes, &single));
	return each(ctx, single);
}
