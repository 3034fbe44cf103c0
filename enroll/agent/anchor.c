#include "enroll/agent/anchor.h"

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/purpose.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct anchors {
	STACK_OF(X509) *certificates; /* empty: pinned, not seen yet */
	bool pinned;
	uint8_t digest[SHA256_SIZE];
	char problem[256];
	struct tls_peer peer;
};

void anchors_free(struct anchors **anchors)
{
	if (*anchors == NULL)
		return;
	x509_stack_free(&(*anchors)->certificates);
	x509_free(&(*anchors)->peer.certificate);
	free(*anchors);
	*anchors = NULL;
}

static bool is_ca(X509 *certificate)
{
	return X509_check_ca(certificate) == 1;
}

static enum err make_empty(struct anchors **out)
{
	AUTO(anchors_free) struct anchors *anchors = calloc(1, sizeof(*anchors));

	if (anchors == NULL || (anchors->certificates = sk_X509_new_null()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "anchors");
	*out = MOVE(anchors);
	return OK;
}

enum err anchors_read(const char *path, struct anchors **out)
{
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(x509_stack_free) STACK_OF(X509) *read = NULL;

	TRY(make_empty(&anchors));
	TRY(certs_read(path, "pem-file", &read));
	for (int i = 0; i < sk_X509_num(read); i++)
		if (!is_ca(sk_X509_value(read, i)))
			return fail(ERR_INTERNAL, "pem-file",
				"%s: certificate %d is not a CA's (RFC 5280 4.2.1.9), so it cannot "
				"be an anchor",
				path, i + 1);
	x509_stack_free(&anchors->certificates);
	anchors->certificates = MOVE(read);
	*out = MOVE(anchors);
	return OK;
}

static bool has_digest(X509 *certificate, const uint8_t digest[static SHA256_SIZE])
{
	uint8_t found[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return X509_digest(certificate, EVP_sha256(), found, &n) == 1 && n == SHA256_SIZE &&
	       memcmp(found, digest, SHA256_SIZE) == 0;
}

/* Takes the first CA certificate of `from` that has the digest. */
static bool adopt(struct anchors *anchors, const STACK_OF(X509) *from)
{
	for (int i = 0; i < sk_X509_num(from); i++) {
		X509 *certificate = sk_X509_value(from, i);

		if (!is_ca(certificate) || !has_digest(certificate, anchors->digest))
			continue;
		X509_up_ref(certificate);
		if (sk_X509_push(anchors->certificates, certificate) > 0)
			return true;
		X509_free(certificate);
	}
	return false;
}

static enum err read_digest(const char *text, uint8_t out[static SHA256_SIZE])
{
	AUTO(buf_free) struct buf digits = BUF(2 * SHA256_SIZE);

	for (const char *p = text; *p != '\0'; p++)
		if (*p != ':')
			buf_add(&digits, (struct view){(const uint8_t *)p, 1});
	if (buf_ok(&digits) != OK || hex_read(buf_view(&digits), out, SHA256_SIZE) != OK)
		return fail(ERR_MALFORMED, "usage",
			"--ca-sha256: wanted the 64 hexadecimal digits of a SHA-256, not \"%s\"",
			text);
	return OK;
}

enum err anchors_pinned(const char *digest, const char *path, struct anchors **out)
{
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(x509_stack_free) STACK_OF(X509) *held = NULL;

	TRY(make_empty(&anchors));
	anchors->pinned = true;
	TRY(read_digest(digest, anchors->digest));
	if (certs_read(path, "pem-file", &held) == OK)
		adopt(anchors, held);
	*out = MOVE(anchors);
	return OK;
}

bool anchors_are_known(const struct anchors *anchors)
{
	return sk_X509_num(anchors->certificates) > 0;
}

const char *anchors_tls_problem(const struct anchors *anchors)
{
	return anchors->problem;
}

/*
 * Anchors are whatever the operator named, self-signed or not: hence PARTIAL_CHAIN, which is safe
 * because nothing but anchors is ever in the trusted set.
 */
static int verify(const struct anchors *anchors, X509_STORE_CTX *ctx, unsigned long flags)
{
	X509_STORE_CTX_set0_trusted_stack(ctx, anchors->certificates);
	X509_VERIFY_PARAM_set_flags(
		X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN | flags);
	return X509_verify_cert(ctx) == 1;
}

static void remember_peer(struct anchors *anchors, X509_STORE_CTX *ctx)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *certificate = X509_STORE_CTX_get0_cert(ctx);

	x509_free(&anchors->peer.certificate);
	if (certificate != NULL && X509_up_ref(certificate) == 1)
		anchors->peer.certificate = certificate;
	snprintf(anchors->peer.protocol, sizeof(anchors->peer.protocol), "%s",
		ssl == NULL ? "TLS" : SSL_get_version(ssl));
}

static int judge_tls(X509_STORE_CTX *ctx, struct anchors *anchors)
{
	anchors->problem[0] = '\0';
	if (!anchors_are_known(anchors) && !adopt(anchors, X509_STORE_CTX_get0_untrusted(ctx))) {
		snprintf(anchors->problem, sizeof(anchors->problem),
			"the server sends no CA certificate with the digest of --ca-sha256");
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
		return 0;
	}
	if (verify(anchors, ctx, 0))
		return 1;
	snprintf(anchors->problem, sizeof(anchors->problem), "the server's certificate: %s",
		X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	return 0;
}

int anchors_verify_tls(X509_STORE_CTX *ctx, void *of)
{
	struct anchors *anchors = of;
	int good;

	remember_peer(anchors, ctx);
	good = judge_tls(ctx, anchors);
	anchors->peer.error = good == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	return good;
}

const struct tls_peer *anchors_tls_peer(const struct anchors *anchors)
{
	return &anchors->peer;
}

/*
 * OpenSSL asks this of the purposes that it knows, and an AK's is none of them: below a company's root, a CA that is for TLS
 * servers alone could vouch for AKs. Anchors are whatever the operator named.
 */
static bool is_within_its_cas(const STACK_OF(X509) *chain)
{
	for (int i = 1; i < sk_X509_num(chain) - 1; i++)
		if (!purposes_are_within(sk_X509_value(chain, 0), sk_X509_value(chain, i)))
			return false;
	return true;
}

enum err anchors_check(
	const struct anchors *anchors, X509 *certificate, STACK_OF(X509) *intermediates)
{
	AUTO(store_free) X509_STORE *store = X509_STORE_new();
	AUTO(store_ctx_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int good;

	if (store == NULL || ctx == NULL ||
		X509_STORE_CTX_init(ctx, store, certificate, intermediates) != 1)
		return fail(ERR_INTERNAL, "out-of-memory", "anchors_check");
	good = verify(anchors, ctx, X509_V_FLAG_X509_STRICT);
	ERR_clear_error();
	if (!good)
		return fail(ERR_DENIED, "service-not-trusted",
			"the certificate does not lead to an anchor that this device holds: %s",
			X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	if (!is_within_its_cas(X509_STORE_CTX_get0_chain(ctx)))
		return fail(ERR_DENIED, "service-not-trusted",
			"the certificate is for what a CA above it may not give: that has other "
			"extended key usages");
	return OK;
}

enum err anchors_write(const struct anchors *anchors, struct buf *pem)
{
	for (int i = 0; i < sk_X509_num(anchors->certificates); i++)
		TRY(cert_pem_add(sk_X509_value(anchors->certificates, i), pem));
	return buf_ok(pem);
}
