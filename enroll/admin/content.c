#include "enroll/admin/content.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCE 0x30

static enum err out_of_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "content_read");
}

/* One more of this kind, with what is said of `like`, if anything. */
static enum err add(struct bundle *to, enum bundle_kind kind, struct view der, size_t line)
{
	struct bundle_entry *grown;

	if (to->n == BUNDLE_ENTRIES)
		return fail(ERR_MALFORMED, "bundle-size", "more than %d certificates in one file",
			BUNDLE_ENTRIES);
	if ((grown = realloc(to->entry, (to->n + 1) * sizeof(*grown))) == NULL)
		return out_of_memory();
	to->entry = grown;
	to->entry[to->n] = (struct bundle_entry){.kind = kind, .line = line, .der = malloc(der.n)};
	if (to->entry[to->n].der == NULL)
		return out_of_memory();
	memcpy(to->entry[to->n].der, der.p, der.n);
	to->entry[to->n++].der_n = der.n;
	return OK;
}

static enum err add_cert(struct bundle *to, const X509 *cert, size_t line)
{
	AUTO(buf_free) struct buf der = BUF(CERTS_MAX);

	TRY(cert_der_add(cert, &der));
	return add(to, BUNDLE_CERTIFICATE, buf_view(&der), line);
}

static enum err add_crl(struct bundle *to, X509_CRL *crl, size_t line)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);

	return n <= 0 ? out_of_memory() : add(to, BUNDLE_CRL, (struct view){der, (size_t)n}, line);
}

static enum err add_of_pkcs7(struct bundle *to, const PKCS7 *p7, size_t line)
{
	STACK_OF(X509) *certs = p7->d.sign->cert;
	STACK_OF(X509_CRL) *crls = p7->d.sign->crl;

	for (int i = 0; i < sk_X509_num(certs); i++)
		TRY(add_cert(to, sk_X509_value(certs, i), line));
	for (int i = 0; i < sk_X509_CRL_num(crls); i++)
		TRY(add_crl(to, sk_X509_CRL_value(crls, i), line));
	return OK;
}

static PKCS7 *pkcs7_from(struct view der)
{
	const uint8_t *at = der.p;
	PKCS7 *p7 = der.n > 0 && der.n <= LONG_MAX ? d2i_PKCS7(NULL, &at, (long)der.n) : NULL;

	ERR_clear_error();
	if (p7 != NULL && (!PKCS7_type_is_signed(p7) || p7->d.sign == NULL)) {
		PKCS7_free(p7);
		p7 = NULL;
	}
	return p7;
}

/* `*is_one` says whether it was PKCS#7 at all. */
static enum err add_pkcs7(struct bundle *to, struct view der, size_t line, bool *is_one)
{
	PKCS7 *p7 = pkcs7_from(der);
	enum err err;

	*is_one = p7 != NULL;
	if (p7 == NULL)
		return OK;
	err = add_of_pkcs7(to, p7, line);
	PKCS7_free(p7);
	return err;
}

static enum err read_der(struct view bytes, struct bundle *to)
{
	bool is_pkcs7;

	TRY(add_pkcs7(to, bytes, 1, &is_pkcs7));
	/* Whatever else it is, it is for the judge: what OpenSSL cannot read is named there. */
	return is_pkcs7 ? OK : add(to, BUNDLE_CERTIFICATE, bytes, 1);
}

/* Puts what is in a PKCS#7 behind the others, and nothing in its own place. */
static enum err unpack(struct bundle *bundle)
{
	size_t n = bundle->n, kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct view der = {bundle->entry[i].der, bundle->entry[i].der_n};
		bool is_one = true;

		if (bundle->entry[i].kind == BUNDLE_PKCS7)
			TRY(add_pkcs7(bundle, der, bundle->entry[i].line, &is_one));
		if (!is_one)
			bundle->entry[i].kind = BUNDLE_CERTIFICATE;
	}
	for (size_t i = 0; i < bundle->n; i++)
		if (bundle->entry[i].kind == BUNDLE_PKCS7)
			bundle_entry_release(&bundle->entry[i]);
		else
			bundle->entry[kept++] = bundle->entry[i];
	bundle->n = kept;
	return OK;
}

enum err content_read(struct view bytes, const char *shown, struct bundle **out)
{
	AUTO(bundle_free) struct bundle *found = NULL;

	if (bytes.n > 0 && bytes.p[0] == SEQUENCE) {
		if ((found = calloc(1, sizeof(*found))) == NULL)
			return out_of_memory();
		TRY(read_der(bytes, found));
	} else {
		TRY(bundle_read(bytes, shown, &found));
		TRY(unpack(found));
	}
	if (found->n == 0)
		return fail(ERR_MALFORMED, "no-certificate",
			"no certificate and no CRL in it, in PEM or DER");
	*out = MOVE(found);
	return OK;
}
