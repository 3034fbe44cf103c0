#include "enroll/trust/chain.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/base/oid.h"
#include "ca/base/purpose.h"
#include "enroll/trust/issuer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define CA_BITS 112 /* RSA 2048 */

/* What X509_verify_cert() can have against one certificate of a path. */
static const struct fault {
	int code;
	const char *clause;
	const char *words; /* NULL: OpenSSL's own */
} faults[] = {
	{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "RFC 5280 4.2",
		"has a critical extension that is not known here"},
	{X509_V_ERR_INVALID_EXTENSION, "RFC 5280 4.2", "has an extension that cannot be read"},
	{X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER, "RFC 5280 4.2.1.1",
		"lacks the authority key identifier"},
	{X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL, "RFC 5280 4.2.1.1", NULL},
	{X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER, "RFC 5280 4.2.1.2",
		"is a CA's and lacks the subject key identifier"},
	{X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL, "RFC 5280 4.2.1.2", NULL},
	{X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "RFC 5280 4.2.1.3", NULL},
	{X509_V_ERR_CA_CERT_MISSING_KEY_USAGE, "RFC 5280 4.2.1.3", NULL},
	{X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA, "RFC 5280 4.2.1.3", NULL},
	{X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL, "RFC 5280 4.2.1.6",
		"has no subject, and a subject alternative name that is not critical"},
	{X509_V_ERR_CA_BCONS_NOT_CRITICAL, "RFC 5280 4.2.1.9", NULL},
	{X509_V_ERR_INVALID_CA, "RFC 5280 4.2.1.9",
		"stands where a CA certificate must be, and is none"},
	{X509_V_ERR_INVALID_NON_CA, "RFC 5280 4.2.1.9", NULL},
	{X509_V_ERR_PATH_LENGTH_EXCEEDED, "RFC 5280 4.2.1.9",
		"may not have that many CAs below it"},
	{X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA, "RFC 5280 4.2.1.9", NULL},
	{X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN, "RFC 5280 4.2.1.9", NULL},
	{X509_V_ERR_PERMITTED_VIOLATION, "RFC 5280 4.2.1.10", NULL},
	{X509_V_ERR_EXCLUDED_VIOLATION, "RFC 5280 4.2.1.10", NULL},
	{X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, "RFC 5480 2.1.1", NULL},
};

static const struct fault *fault_of(int code)
{
	static const struct fault other = {0, "RFC 5280 6.1", NULL};

	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].code == code)
			return &faults[i];
	return &other;
}

static size_t place_of(const struct path *path, const X509 *cert)
{
	for (size_t i = 0; i < path->n; i++)
		if (path->step[i].cert == cert)
			return i;
	return 0;
}

static enum err not_verified(const struct path *path, X509_STORE_CTX *ctx)
{
	int code = X509_STORE_CTX_get_error(ctx);
	const struct fault *fault = fault_of(code);
	char name[ISSUER_NAME];

	issuer_name(path, place_of(path, X509_STORE_CTX_get_current_cert(ctx)), name);
	if (code == X509_V_ERR_OUT_OF_MEM)
		return fail(ERR_INTERNAL, "out-of-memory", "X509_verify_cert");
	if (code == X509_V_ERR_CA_MD_TOO_WEAK)
		return refuse(ERR_REJECTED, "ek-weak", "RFC 5280 6.1.3 (a)(1)",
			"%s is signed over a digest that no longer proves anything (SHA-1 or "
			"weaker): it needs a certificate of its maker's newer CA",
			name);
	if (code == X509_V_ERR_CA_KEY_TOO_SMALL || code == X509_V_ERR_EE_KEY_TOO_SMALL)
		return refuse(ERR_REJECTED, "ek-weak", "RFC 5280 6.1.3 (a)(1)",
			"the key of %s is too short to prove anything", name);
	return refuse(ERR_REJECTED, "ek-chain", fault->clause, "%s %s%s%s", name,
		fault->words != NULL ? fault->words : "is not as it must be (",
		fault->words != NULL ? "" : X509_verify_cert_error_string(code),
		fault->words != NULL ? "" : ")");
}

/* OpenSSL's level 1 takes RSA of 1024 bits; the maker's CA signs for decades. */
static enum err judge_keys(const struct path *path)
{
	for (size_t i = 1; i < path->n; i++) {
		const EVP_PKEY *key = X509_get0_pubkey(path->step[i].cert);
		char name[ISSUER_NAME];

		if (key != NULL && EVP_PKEY_get_security_bits(key) >= CA_BITS)
			continue;
		issuer_name(path, i, name);
		return refuse(ERR_REJECTED, "ek-weak", "RFC 5280 6.1.3 (a)(1)",
			"the key of the CA %s is too short to prove anything", name);
	}
	return OK;
}

/* Below a maker's root may be CAs of attestation keys and of servers, and OpenSSL's usages know no EK. */
static enum err judge_purposes(const struct path *path)
{
	for (size_t i = 1; i < path->n; i++) {
		char name[ISSUER_NAME];

		if (purpose_is_within(OID_EK_CERTIFICATE, path->step[i].cert))
			continue;
		issuer_name(path, i, name);
		return refuse(ERR_REJECTED, "ek-chain", "RFC 5280 4.2.1.12",
			"%s is a CA of other things and vouches for no EK: its extended key "
			"usage lacks " OID_EK_CERTIFICATE,
			name);
	}
	return OK;
}

static enum err take_chain(const struct path *path, const X509_STORE_CTX *ctx, struct path *out)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	struct path verified = {.n = 0};

	for (int i = 0; i < sk_X509_num(chain) && verified.n <= PATH_ABOVE; i++)
		verified.step[verified.n++] = path->step[place_of(path, sk_X509_value(chain, i))];
	if (verified.n == 0 || verified.step[0].cert != path->step[0].cert ||
		verified.step[verified.n - 1].cert != path->step[path->n - 1].cert)
		return refuse(ERR_REJECTED, "ek-chain", "RFC 5280 6.1",
			"OpenSSL verified another chain than the one in question");
	*out = verified;
	return OK;
}

/* Who built the path has seen that each has signed the one before it; OpenSSL may leave out a step. */
static bool is_signed(const struct path *path, X509 *cert, X509 *issuer)
{
	size_t at = place_of(path, cert);

	if (at + 1 < path->n && path->step[at + 1].cert == issuer)
		return true;
	return X509_check_issued(issuer, cert) == X509_V_OK &&
	       cert_is_signed_by(cert, X509_get0_pubkey(issuer));
}

/* Instead of OpenSSL's own, which would compute every signature again; of dates chain.h has others. */
static int judge_signatures(X509_STORE_CTX *ctx)
{
	const struct path *path = X509_STORE_CTX_get_app_data(ctx);
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

	for (int i = sk_X509_num(chain) - 2; i >= 0; i--) {
		X509 *cert = sk_X509_value(chain, i);

		if (is_signed(path, cert, sk_X509_value(chain, i + 1)))
			continue;
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_SIGNATURE_FAILURE);
		X509_STORE_CTX_set_current_cert(ctx, cert);
		return 0;
	}
	return 1;
}

static enum err prepare(
	X509_STORE_CTX *ctx, const struct path *path, STACK_OF(X509) *between, STACK_OF(X509) *ends)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, NULL, path->step[0].cert, between) != 1 ||
		X509_STORE_CTX_set_app_data(ctx, (void *)path) != 1)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
	X509_STORE_CTX_set_verify(ctx, judge_signatures);
	X509_STORE_CTX_set0_trusted_stack(ctx, ends);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param,
		X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
	X509_VERIFY_PARAM_set_depth(param, PATH_ABOVE - 1);
	X509_VERIFY_PARAM_set_auth_level(param, 1);
	return OK;
}

static void borrowed_free(STACK_OF(X509) **stack)
{
	sk_X509_free(*stack);
}

enum err chain_verify(const struct path *path, struct path *verified)
{
	AUTO(borrowed_free) STACK_OF(X509) *between = sk_X509_new_null();
	AUTO(borrowed_free) STACK_OF(X509) *ends = sk_X509_new_null();
	AUTO(store_ctx_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum err err;

	if (ctx == NULL || between == NULL || ends == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
	for (size_t i = 1; i + 1 < path->n; i++)
		if (sk_X509_push(between, path->step[i].cert) <= 0)
			return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
	if (sk_X509_push(ends, path->step[path->n - 1].cert) <= 0)
		return fail(ERR_INTERNAL, "out-of-memory", "trust_verify");
	TRY(prepare(ctx, path, between, ends));
	/* There is -1, and it is no yes. */
	err = X509_verify_cert(ctx) == 1 ? take_chain(path, ctx, verified)
					 : not_verified(path, ctx);
	ERR_clear_error();
	TRY(err);
	TRY(judge_keys(verified));
	return judge_purposes(verified);
}

static enum err no_date(const struct path *path, size_t at)
{
	char name[ISSUER_NAME];

	issuer_name(path, at, name);
	return refuse(
		ERR_REJECTED, "ek-chain", "RFC 5280 4.1.2.5", "%s has a date that is none", name);
}

enum err chain_has_begun(const struct path *path, int64_t now)
{
	time_t then = (time_t)now;

	for (size_t i = 0; i < path->n; i++) {
		const X509 *cert = path->step[i].cert;
		char name[ISSUER_NAME], when[CLOCK_TEXT_SIZE] = "?";
		int64_t from, until;
		int order = X509_cmp_time(X509_get0_notBefore(cert), &then);

		if (order == 0 || X509_cmp_time(X509_get0_notAfter(cert), &then) == 0)
			return no_date(path, i);
		if (order < 0)
			continue;
		if (cert_validity(cert, &from, &until) == OK)
			clock_text(from, when);
		issuer_name(path, i, name);
		return refuse(ERR_REJECTED, "ek-not-yet-valid", "RFC 5280 6.1.3 (a)(2)",
			"%s is valid from %s on, and not yet: is the clock of this server right?",
			name, when);
	}
	return OK;
}

enum err chain_has_not_ended(const struct path *path, int64_t now)
{
	time_t then = (time_t)now;

	for (size_t i = 0; i < path->n; i++) {
		const X509 *cert = path->step[i].cert;
		char name[ISSUER_NAME], when[CLOCK_TEXT_SIZE] = "?";
		int64_t from, until;

		if (X509_cmp_time(X509_get0_notAfter(cert), &then) > 0)
			continue;
		if (cert_validity(cert, &from, &until) == OK)
			clock_text(until, when);
		issuer_name(path, i, name);
		return refuse(ERR_REJECTED, "ek-expired", "RFC 5280 6.1.3 (a)(2)",
			"%s ended at %s: ask its maker for a newer one, or let the policy take "
			"expired ones (expired_ek: warn)",
			name, when);
	}
	return OK;
}
