#include "ca/base/ossl.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "ca/sshwire.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <string.h>

static enum err malformed(const char *what)
{
	return fail(ERR_MALFORMED, "ssh-certificate", "%s", what);
}

bool ssh_string_next(struct view *rest, struct view *out)
{
	return sshwire_string(rest, out);
}

static struct view without_suffix(struct view type)
{
	static const char suffix[] = SSH_CERTIFICATE_SUFFIX;
	size_t n = sizeof(suffix) - 1;

	if (type.n <= n || memcmp(type.p + type.n - n, suffix, n) != 0)
		return (struct view){NULL, 0};
	return (struct view){type.p, type.n - n};
}

/* How many fields a key of this type has; 0 for a type that is not taken. */
static size_t fields_of(struct view type)
{
	static const struct {
		const char *name;
		size_t fields;
	} types[] = {{"ssh-rsa", 2}, {"ecdsa-sha2-nistp256", 2}, {"ecdsa-sha2-nistp384", 2},
		{"ecdsa-sha2-nistp521", 2}, {"ssh-ed25519", 1}};

	for (size_t i = 0; i < COUNT(types); i++)
		if (view_equal(type, view_str(types[i].name)))
			return types[i].fields;
	return 0;
}

/* The key's fields, which must make a key that we would certify. */
static enum err read_key(struct view *rest, struct ssh_certificate *out)
{
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX), bits = BUF(SSHKEY_MAX);
	struct view type = without_suffix(out->key_type), field;
	struct grant_key key;
	size_t n = fields_of(type);

	out->public_key.p = rest->p;
	if (n == 0)
		return malformed("no certificate, or one of a kind of key that is not taken");
	for (size_t i = 0; i < n; i++)
		if (!sshwire_string(rest, &field))
			return malformed("it ends within the key");
	out->public_key.n = (size_t)(rest->p - out->public_key.p);
	sshwire_add_string(&blob, type);
	buf_add(&blob, out->public_key);
	if (buf_ok(&blob) != OK || sshkey_parse(buf_view(&blob), &bits, &key) != OK)
		return malformed("the key in it is none");
	return OK;
}

/* At least one, and none is empty. */
static bool are_principals(struct view packed)
{
	struct view one;
	size_t n = 0;

	for (; packed.n > 0; n++)
		if (!sshwire_string(&packed, &one) || one.n == 0)
			return false;
	return n > 0;
}

static int compare(struct view a, struct view b)
{
	int first = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return first != 0 ? first : a.n < b.n ? -1 : a.n > b.n;
}

/* Pairs, sorted, each once: PROTOCOL.certkeys "critical options". */
static bool are_options(struct view packed)
{
	struct view name, data, before = {NULL, 0};

	while (packed.n > 0) {
		if (!sshwire_string(&packed, &name) || !sshwire_string(&packed, &data))
			return false;
		if (name.n == 0 || (before.p != NULL && compare(before, name) >= 0))
			return false;
		before = name;
	}
	return true;
}

static enum err read_middle(struct view *rest, struct ssh_certificate *out)
{
	struct view reserved;

	if (!sshwire_u64(rest, &out->serial) || !sshwire_u32(rest, &out->type) ||
		!sshwire_string(rest, &out->key_id) || !sshwire_string(rest, &out->principals) ||
		!sshwire_u64(rest, &out->valid_after) || !sshwire_u64(rest, &out->valid_before) ||
		!sshwire_string(rest, &out->critical_options) ||
		!sshwire_string(rest, &out->extensions) || !sshwire_string(rest, &reserved) ||
		!sshwire_string(rest, &out->signature_key))
		return malformed("it ends before its signature");
	if (out->type != SSH_USER && out->type != SSH_HOST)
		return malformed("neither a user's nor a host's");
	if (!are_principals(out->principals))
		return malformed("it names no principals, or an empty one");
	if (!are_options(out->critical_options) || !are_options(out->extensions))
		return malformed("its options are not whole, not sorted, or one is there twice");
	if (out->valid_after >= out->valid_before)
		return malformed("it ends before it begins");
	return OK;
}

enum err ssh_certificate_parse(struct view blob, struct ssh_certificate *out)
{
	struct ssh_certificate read = {.body = {blob.p, 0}};
	struct view rest = blob;

	if (blob.n > SSH_CERTIFICATE_MAX)
		return malformed("longer than a certificate can be");
	if (!sshwire_string(&rest, &read.key_type) || !sshwire_string(&rest, &read.nonce))
		return malformed("no certificate");
	TRY(read_key(&rest, &read));
	TRY(read_middle(&rest, &read));
	read.body.n = (size_t)(rest.p - blob.p);
	if (!sshwire_string(&rest, &read.signature) || rest.n > 0)
		return malformed("no signature, or bytes behind it");
	*out = read;
	return OK;
}

bool ssh_certificate_is_for(const struct ssh_certificate *certificate, struct view key_blob)
{
	struct view rest = key_blob, type;

	return sshwire_string(&rest, &type) &&
	       view_equal(type, without_suffix(certificate->key_type)) &&
	       view_equal(rest, certificate->public_key);
}

/* The digest of a signature of that name by that key; false when they do not go together. */
static bool digest_for(struct view algorithm, struct view key_type, const EVP_MD **out)
{
	static const struct {
		const char *algorithm, *key;
		const EVP_MD *(*digest)(void);
	} signatures[] = {{"rsa-sha2-256", "ssh-rsa", EVP_sha256},
		{"rsa-sha2-512", "ssh-rsa", EVP_sha512},
		{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", EVP_sha256},
		{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", EVP_sha384},
		{"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", EVP_sha512},
		{"ssh-ed25519", "ssh-ed25519", NULL}};

	for (size_t i = 0; i < COUNT(signatures); i++)
		if (view_equal(algorithm, view_str(signatures[i].algorithm)) &&
			view_equal(key_type, view_str(signatures[i].key))) {
			*out = signatures[i].digest == NULL ? NULL : signatures[i].digest();
			return true;
		}
	return false;
}

/* Two mpints as OpenSSL's SEQUENCE, the caller's; NULL when they are none. */
static uint8_t *ecdsa_der(struct view numbers, size_t *n)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	struct view r, s;
	uint8_t *der = NULL;
	int made = 0;

	if (signature != NULL && sshwire_mpint(&numbers, &r) && sshwire_mpint(&numbers, &s) &&
		numbers.n == 0 &&
		ECDSA_SIG_set0(signature, BN_bin2bn(r.p, (int)r.n, NULL),
			BN_bin2bn(s.p, (int)s.n, NULL)) == 1)
		made = i2d_ECDSA_SIG(signature, &der);
	ECDSA_SIG_free(signature);
	*n = made > 0 ? (size_t)made : 0;
	return der;
}

static bool verify(EVP_PKEY *key, const EVP_MD *digest, struct view text, struct view signature)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	return ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, signature.p, signature.n, text.p, text.n) == 1;
}

/* The signature's own two fields, and the type of the key that is said to have made it. */
static bool split(struct view packed, struct view key, struct view *algorithm,
	struct view *signature, struct view *key_type)
{
	return sshwire_string(&packed, algorithm) && sshwire_string(&packed, signature) &&
	       packed.n == 0 && sshwire_string(&key, key_type);
}

enum err ssh_signature_verify(struct view key_blob, struct view text, struct view packed)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	AUTO(ossl_free) uint8_t *der = NULL;
	struct view algorithm, signature, key_type;
	const EVP_MD *digest = NULL;
	bool is_good;

	if (!split(packed, key_blob, &algorithm, &signature, &key_type) ||
		!digest_for(algorithm, key_type, &digest) || sshkey_public(key_blob, &key) != OK)
		return fail(ERR_REJECTED, "ssh-signature",
			"signed in a way of OpenSSH's, or by a key, that is not taken");
	if (EVP_PKEY_is_a(key, "EC")) {
		der = ecdsa_der(signature, &signature.n);
		signature.p = der;
	}
	is_good = signature.n > 0 && verify(key, digest, text, signature);
	ERR_clear_error();
	if (!is_good)
		return fail(ERR_REJECTED, "ssh-signature",
			"an OpenSSH signature that the key did not make over this");
	return OK;
}

enum err ssh_certificate_verify(const struct ssh_certificate *certificate)
{
	return ssh_signature_verify(
		certificate->signature_key, certificate->body, certificate->signature);
}
