#include "enroll/tpm/certfile.h"

#include "ca/base/ossl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

enum err certificate_read(struct view der, X509 **out)
{
	const uint8_t *end = der.p;
	X509 *cert;

	if (der.n > LONG_MAX || (cert = d2i_X509(NULL, &end, (long)der.n)) == NULL) {
		ERR_clear_error();
		return refuse(
			ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1", "not a DER certificate");
	}
	if (end != der.p + der.n) {
		X509_free(cert);
		return refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1",
			"%td bytes after the certificate", der.p + der.n - end);
	}
	*out = cert;
	return OK;
}

/* A block that cannot be read is counted, and hides none of those after it. */
static enum err each_pem(
	BIO *bio, enum err (*each)(void *ctx, X509 *cert), void *ctx, size_t *good, size_t *broken)
{
	char no_passphrase[] = ""; /* or OpenSSL would ask somebody for one */

	do {
		AUTO(x509_free) X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, no_passphrase);

		if (cert != NULL) {
			TRY(each(ctx, cert));
			(*good)++;
		} else if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
			(*broken)++;
		}
		ERR_clear_error();
	} while (BIO_ctrl_pending(bio) > 0);
	return OK;
}

enum err certificate_each(struct view bytes, enum err (*each)(void *ctx, X509 *cert), void *ctx)
{
	AUTO(x509_free) X509 *single = NULL;
	AUTO(bio_free) BIO *bio = NULL;
	size_t good = 0, broken = 0;

	if (bytes.n > 0 && bytes.p[0] == 0x30) {
		TRY(certificate_read(bytes, &single));
		return each(ctx, single);
	}
	if (bytes.n > INT_MAX || (bio = BIO_new_mem_buf(bytes.n == 0 ? "" : (const void *)bytes.p,
					  (int)bytes.n)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificate_each");
	TRY(each_pem(bio, each, ctx, &good, &broken));
	if (broken > 0)
		return fail(ERR_MALFORMED, "certificate-file",
			"OpenSSL cannot read %zu of its %zu certificates; the others are taken",
			broken, broken + good);
	if (good == 0)
		return fail(ERR_MALFORMED, "certificate-file",
			"no certificate that OpenSSL can read, in PEM or DER");
	return OK;
}

void name_text(const X509_NAME *name, char *out, size_t room)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		n = BIO_get_mem_data(bio, &text);
	snprintf(out, room, "%.*s", (int)n, text == NULL ? "" : text);
}
