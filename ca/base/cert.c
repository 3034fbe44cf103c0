#include "ca/base/cert.h"

#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "ca/base/file.h"

#include <ctype.h>
#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

X509 *cert_from_der(struct view der)
{
	const uint8_t *end = der.p;
	X509 *cert = NULL;

	if (der.n > 0 && der.n <= LONG_MAX)
		cert = d2i_X509(NULL, &end, (long)der.n);
	ERR_clear_error();
	if (cert != NULL && end != der.p + der.n)
		x509_free(&cert);
	return cert;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *nothing; /* in which OpenSSL finds no decoder, nor anything else */

static void make_nothing(void)
{
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();

	/* Without any provider OpenSSL would load the usual one. */
	if (ctx != NULL && OSSL_PROVIDER_load(ctx, "null") != NULL)
		nothing = ctx;
	else
		OSSL_LIB_CTX_free(ctx);
}

/* The certificate without its key; NULL also when there is anything wrong with it. */
static X509 *without_key(struct view der)
{
	const uint8_t *end = der.p;
	X509 *cert;

	pthread_once(&once, make_nothing);
	if (nothing == NULL || der.n == 0 || der.n > LONG_MAX ||
		(cert = X509_new_ex(nothing, NULL)) == NULL)
		return NULL;
	/* It frees the certificate when it fails. */
	if (d2i_X509(&cert, &end, (long)der.n) != NULL && end != der.p + der.n)
		x509_free(&cert);
	ERR_clear_error();
	return cert;
}

/* The key of RSA that these bytes are, and are the only encoding of. */
static EVP_PKEY *plain_rsa(struct view bytes)
{
	const uint8_t *end = bytes.p;
	AUTO(pkey_free) EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &end, (long)bytes.n);
	AUTO(ossl_free) uint8_t *again = NULL;
	int n = key == NULL ? 0 : i2d_PublicKey(key, &again);

	if (n <= 0 || !view_equal(bytes, (struct view){again, (size_t)n}))
		return NULL;
	return MOVE(key);
}

/* NULL where OpenSSL's decoders are to say what key it is. */
static EVP_PKEY *plain_key(const X509 *cert)
{
	const X509_ALGOR *algorithm = NULL;
	X509_ALGOR *of_key = NULL;
	const ASN1_OBJECT *oid = NULL;
	const uint8_t *bits = NULL;
	int n = 0, type = V_ASN1_UNDEF;

	if (X509_PUBKEY_get0_param(NULL, &bits, &n, &of_key, X509_get_X509_PUBKEY(cert)) != 1 ||
		n <= 0)
		return NULL;
	algorithm = of_key;
	X509_ALGOR_get0(&oid, &type, NULL, algorithm);
	if (OBJ_obj2nid(oid) != NID_rsaEncryption || type != V_ASN1_NULL)
		return NULL;
	return plain_rsa((struct view){bits, (size_t)n});
}

X509 *cert_from_der_plainly(struct view der)
{
	AUTO(x509_free) X509 *cert = without_key(der);
	AUTO(pkey_free) EVP_PKEY *key = cert == NULL ? NULL : plain_key(cert);
	bool is_plain = key != NULL && X509_set_pubkey(cert, key) == 1;

	ERR_clear_error();
	return is_plain ? MOVE(cert) : cert_from_der(der);
}

enum err cert_sha256(const X509 *cert, uint8_t out[static 32])
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_X509(cert, &der);

	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode a certificate");
	return SHA256_OF(out, ((struct view){der, (size_t)n}));
}

/* The first member of the SEQUENCE that a certificate is: what is signed (RFC 5280 4.1.1.1), header and all. */
static bool tbs_of(struct view der, ASN1_STRING *out)
{
	const uint8_t *p = der.p, *begin;
	int tag, class;
	long n;

	if ((ASN1_get_object(&p, &n, &tag, &class, (long)der.n) & 0x80) != 0)
		return false;
	begin = p;
	if ((ASN1_get_object(&p, &n, &tag, &class, (long)(der.p + der.n - p)) & 0x80) != 0)
		return false;
	return ASN1_STRING_set(out, begin, (int)(p - begin + n)) == 1;
}

static void string_free(ASN1_STRING **string)
{
	ASN1_STRING_free(*string);
}

bool cert_is_signed_by(const X509 *cert, EVP_PKEY *key)
{
	AUTO(string_free) ASN1_STRING *tbs = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	AUTO(ossl_free) uint8_t *der = NULL;
	const ASN1_BIT_STRING *signature;
	const X509_ALGOR *algorithm;
	int n = i2d_X509(cert, &der);
	bool is_good;

	X509_get0_signature(&signature, &algorithm, cert);
	is_good = key != NULL && tbs != NULL && n > 0 &&
		  tbs_of((struct view){der, (size_t)n}, tbs) &&
		  X509_ALGOR_cmp(algorithm, X509_get0_tbs_sigalg(cert)) == 0 &&
		  ASN1_item_verify_ex(ASN1_ITEM_rptr(ASN1_SEQUENCE), algorithm, signature, tbs,
			  NULL, key, NULL, NULL) == 1;
	ERR_clear_error();
	return is_good;
}

enum err cert_der_add(const X509 *cert, struct buf *out)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_X509(cert, &der);

	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode a certificate");
	buf_add(out, (struct view){der, (size_t)n});
	return buf_ok(out);
}

enum err cert_pem_add(const X509 *cert, struct buf *out)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *pem = NULL;
	long n;

	if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1 ||
		(n = BIO_get_mem_data(bio, &pem)) <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode a certificate");
	buf_add(out, (struct view){pem, (size_t)n});
	return buf_ok(out);
}

static bool is_end_of_text(unsigned long error)
{
	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

enum err certs_from_pem(struct view pem, STACK_OF(X509) **out, size_t *broken)
{
	AUTO(x509_stack_free) STACK_OF(X509) *certs = sk_X509_new_null();
	AUTO(bio_free) BIO *bio = NULL;
	char no_passphrase[] = ""; /* or OpenSSL would ask somebody for one */

	*broken = 0;
	if (pem.n <= INT_MAX)
		bio = BIO_new_mem_buf(pem.n == 0 ? "" : (const void *)pem.p, (int)pem.n);
	if (certs == NULL || bio == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certs_from_pem");
	do {
		AUTO(x509_free) X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, no_passphrase);

		if (cert == NULL && !is_end_of_text(ERR_peek_last_error()))
			(*broken)++;
		ERR_clear_error();
		if (cert != NULL && sk_X509_push(certs, cert) <= 0)
			return fail(ERR_INTERNAL, "out-of-memory", "certs_from_pem");
		(void)MOVE(cert);
	} while (BIO_ctrl_pending(bio) > 0);
	*out = MOVE(certs);
	return OK;
}

enum err certs_parse(struct view pem, const char *path, const char *code, STACK_OF(X509) **out)
{
	AUTO(x509_stack_free) STACK_OF(X509) *certs = NULL;
	size_t broken;

	TRY(certs_from_pem(pem, &certs, &broken));
	if (broken > 0)
		return fail(ERR_INTERNAL, code, "%s: %zu of its %zu certificates cannot be read",
			path, broken, broken + (size_t)sk_X509_num(certs));
	if (sk_X509_num(certs) == 0)
		return fail(ERR_INTERNAL, code, "%s: holds no certificate (PEM)", path);
	*out = MOVE(certs);
	return OK;
}

enum err certs_read(const char *path, const char *code, STACK_OF(X509) **out)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);

	TRY(file_read(path, &pem));
	return certs_parse(buf_view(&pem), path, code, out);
}

enum err cert_read(const char *path, const char *code, X509 **out)
{
	AUTO(x509_stack_free) STACK_OF(X509) *read = NULL;

	TRY(certs_read(path, code, &read));
	*out = sk_X509_shift(read);
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

static bool seconds_of(const ASN1_TIME *time, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

enum err cert_validity(const X509 *cert, int64_t *from, int64_t *until)
{
	if (!seconds_of(X509_get0_notBefore(cert), from) ||
		!seconds_of(X509_get0_notAfter(cert), until))
		return fail(ERR_INTERNAL, "certificate-dates",
			"a certificate with dates that cannot be read");
	return OK;
}

enum err cert_check_dates(const X509 *cert, int64_t now)
{
	char from_text[CLOCK_TEXT_SIZE], until_text[CLOCK_TEXT_SIZE];
	int64_t from = 0, until = 0;

	if (cert_validity(cert, &from, &until) != OK)
		return fail(ERR_REJECTED, "certificate-dates",
			"the certificate has dates that cannot be read");
	if (now >= from && now <= until)
		return OK;
	clock_text(from, from_text);
	clock_text(until, until_text);
	return fail(ERR_REJECTED, "certificate-dates", "the certificate is good from %s to %s only",
		from_text, until_text);
}

void cert_serial(const X509 *cert, char out[static CERT_SERIAL_SIZE])
{
	AUTO(bn_free) BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	AUTO(ossl_text_free) char *digits = number == NULL ? NULL : BN_bn2hex(number);

	snprintf(out, CERT_SERIAL_SIZE, "%s", digits == NULL ? "?" : digits);
	for (char *p = out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}
