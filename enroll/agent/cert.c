#include "enroll/agent/cert.h"

#include "ca/base/file.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

X509 *cert_from_der(struct view der)
{
	const unsigned char *p = der.p;
	X509 *certificate;

	if (der.n == 0 || der.n > LONG_MAX)
		return NULL;
	certificate = d2i_X509(NULL, &p, (long)der.n);
	if (certificate != NULL && p != der.p + der.n)
		x509_free(&certificate);
	ERR_clear_error();
	return certificate;
}

/* Reads until there is no further PEM block; false when one is there and cannot be read. */
static bool read_blocks(BIO *bio, STACK_OF(X509) *out)
{
	AUTO(x509_free) X509 *certificate = NULL;
	char no_passphrase[] = ""; /* or OpenSSL would ask somebody for one */
	unsigned long last;

	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, no_passphrase)) != NULL) {
		if (sk_X509_push(out, certificate) <= 0)
			return false;
		certificate = NULL;
	}
	last = ERR_peek_last_error();
	ERR_clear_error();
	return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

enum err certs_parse(struct view pem, const char *path, STACK_OF(X509) **out)
{
	AUTO(x509_stack_free) STACK_OF(X509) *certificates = sk_X509_new_null();
	AUTO(bio_free) BIO *bio = NULL;

	if (pem.n == 0 || pem.n > CERTS_MAX)
		return fail(ERR_INTERNAL, "pem-file", "%s: holds no certificate", path);
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL || certificates == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", path);
	if (!read_blocks(bio, certificates))
		return fail(ERR_INTERNAL, "pem-file", "%s: certificate %d cannot be read", path,
			sk_X509_num(certificates) + 1);
	if (sk_X509_num(certificates) == 0)
		return fail(ERR_INTERNAL, "pem-file", "%s: holds no certificate (PEM)", path);
	*out = MOVE(certificates);
	return OK;
}

enum err certs_read(const char *path, STACK_OF(X509) **out)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);

	TRY(file_read(path, &pem));
	return certs_parse(buf_view(&pem), path, out);
}

enum err cert_pem_add(X509 *certificate, struct buf *out)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n;

	if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1)
		return fail(ERR_INTERNAL, "out-of-memory", "a certificate's PEM text");
	n = BIO_get_mem_data(bio, &text);
	buf_add(out, (struct view){(const uint8_t *)text, (size_t)n});
	return buf_ok(out);
}

static bool seconds_of(const ASN1_TIME *time, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

enum err cert_validity(const X509 *certificate, int64_t *from, int64_t *until)
{
	if (!seconds_of(X509_get0_notBefore(certificate), from) ||
		!seconds_of(X509_get0_notAfter(certificate), until))
		return fail(ERR_INTERNAL, "pem-file", "a certificate with dates that are none");
	return OK;
}

void cert_serial(const X509 *certificate, char out[static CERT_SERIAL_SIZE])
{
	AUTO(bn_free) BIGNUM *number = NULL;
	AUTO(ossl_text_free) char *digits = NULL;

	number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	if (number != NULL)
		digits = BN_bn2hex(number);
	snprintf(out, CERT_SERIAL_SIZE, "%s", digits == NULL ? "?" : digits);
	for (char *p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p - 'A' + 'a');
}
