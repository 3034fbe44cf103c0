#include "ca/ssh.h"

#include "ca/base/clock.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "ca/sshkey.h"
#include "ca/sshwire.h"
#include "ca/variable.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_SIZE 32
#define TEXT_MAX 1024 /* bytes of one text, its variables filled in */
#define OPTIONS_MAX 16 /* of one list, as the template's schema has it */

struct ssh_ca {
	EVP_PKEY *key;
	const EVP_MD *digest; /* NULL for Ed25519 */
	struct view algorithm; /* of its signatures */
	struct buf public;
	uint8_t id[SHA256_SIZE];
};

static enum err crypto_failed(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot make the %s of an OpenSSH certificate", what);
}

static enum err take_key(struct ssh_ca *ca, const char *path)
{
	struct view rest;

	if (!key_signs_with(ca->key, &ca->digest))
		return fail(ERR_INTERNAL, "ca-key",
			"%s: wanted a key on P-256, P-384 or P-521, RSA of 2048 to 4096 bits with "
			"exponent 65537 (not RSA-PSS), or Ed25519",
			path);
	TRY(sshkey_blob_of(ca->key, &ca->public));
	rest = buf_view(&ca->public);
	/* A signature is called as its key is (RFC 5656 3.1.2, RFC 8709 6) ... */
	if (!sshwire_string(&rest, &ca->algorithm))
		return crypto_failed("CA key");
	/* ... but for RSA, where that name means SHA-1 (RFC 8332 3). */
	if (EVP_PKEY_is_a(ca->key, "RSA")) {
		ca->digest = EVP_sha512();
		ca->algorithm = view_str("rsa-sha2-512");
	}
	return OK;
}

enum err ssh_ca_load(const char *key, const char *passphrase, struct ssh_ca **out)
{
	AUTO(ssh_ca_free) struct ssh_ca *ca = calloc(1, sizeof(*ca));

	if (ca == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ssh_ca_load");
	ca->public = BUF(SSHKEY_MAX);
	TRY(key_load(key, passphrase, &ca->key));
	TRY(take_key(ca, key));
	TRY(SHA256_OF(ca->id, buf_view(&ca->public)));
	*out = MOVE(ca);
	return OK;
}

void ssh_ca_free(struct ssh_ca **ca)
{
	if (*ca == NULL)
		return;
	EVP_PKEY_free((*ca)->key);
	buf_free(&(*ca)->public);
	free(*ca);
	*ca = NULL;
}

struct view ssh_ca_public(const struct ssh_ca *ca)
{
	return buf_view(&ca->public);
}

/* One text of the template, of its type. */
static enum err add_text(
	const char *text, enum text_type type, const struct grant *grant, struct buf *out)
{
	AUTO(buf_free) struct buf value = BUF(TEXT_MAX);

	TRY(variables_expand(text, type, grant, &value));
	sshwire_add_string(out, buf_view(&value));
	return buf_ok(out);
}

static enum err add_principals(
	const struct template *tmpl, const struct grant *grant, struct buf *out)
{
	AUTO(buf_free) struct buf packed = BUF(SSH_CERTIFICATE_MAX);
	char *const *principal = tmpl->ssh.principals.item;

	/* OpenSSH took a user's certificate without any for everybody's, until 10.3. */
	if (tmpl->ssh.principals.n == 0)
		return refuse(ERR_REJECTED, "ssh-principals", "PROTOCOL.certkeys valid principals",
			"the template \"%s\" names no principals, and its certificates would be "
			"anybody's; the service's operator has to name them",
			grant->template);
	for (size_t i = 0; i < tmpl->ssh.principals.n; i++)
		TRY(add_text(principal[i], TEXT_PRINCIPAL, grant, &packed));
	sshwire_add_string(out, buf_view(&packed));
	return buf_ok(out);
}

static int by_name(const void *a, const void *b)
{
	const struct template_ssh_option *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static enum err add_option(
	const struct template_ssh_option *option, const struct grant *grant, struct buf *out)
{
	AUTO(buf_free) struct buf data = BUF(SSH_CERTIFICATE_MAX);

	sshwire_add_string(out, view_str(option->name));
	/* A value is a string within the string, a flag an empty one. */
	if (option->value != NULL)
		TRY(add_text(option->value, TEXT_IA5, grant, &data));
	sshwire_add_string(out, buf_view(&data));
	return buf_ok(out);
}

/* Sorted and each once, or OpenSSH takes the certificate for none. */
static enum err add_options(
	const struct yaml_list *list, const struct grant *grant, struct buf *out)
{
	AUTO(buf_free) struct buf packed = BUF(SSH_CERTIFICATE_MAX);
	const struct template_ssh_option *sorted[OPTIONS_MAX], *option = list->item;

	if (list->n > COUNT(sorted))
		return crypto_failed("options");
	for (size_t i = 0; i < list->n; i++)
		sorted[i] = &option[i];
	qsort(sorted, list->n, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0 && by_name(&sorted[i - 1], &sorted[i]) == 0)
			return fail(ERR_INTERNAL, "template-value",
				"the template \"%s\" has the option \"%s\" twice", grant->template,
				sorted[i]->name);
		TRY(add_option(sorted[i], grant, &packed));
	}
	sshwire_add_string(out, buf_view(&packed));
	return buf_ok(out);
}

/* What the template and the grant say between the serial and the validity. */
static enum err add_identity(
	const struct template *tmpl, const struct grant *grant, struct buf *out)
{
	sshwire_add_u32(out, template_kind(tmpl) == TEMPLATE_SSH_HOST ? SSH_HOST : SSH_USER);
	TRY(add_text(tmpl->ssh.key_id, TEXT_PRINTABLE, grant, out));
	return add_principals(tmpl, grant, out);
}

static enum err add_all_options(
	const struct template *tmpl, const struct grant *grant, struct buf *out)
{
	const struct template_ssh *ssh = &tmpl->ssh;

	/* None is known for hosts, and sshd's clients refuse a critical one that they do not know. */
	if (template_kind(tmpl) == TEMPLATE_SSH_HOST &&
		(ssh->critical_options.n > 0 || ssh->extensions.n > 0))
		return fail(ERR_INTERNAL, "template-value",
			"the template \"%s\" has options, which are for users' certificates only",
			grant->template);
	TRY(add_options(&ssh->critical_options, grant, out));
	return add_options(&ssh->extensions, grant, out);
}

enum err ssh_judge(const struct template *tmpl, const struct grant *grant)
{
	AUTO(buf_free) struct buf scratch = BUF(SSH_CERTIFICATE_MAX);

	if (template_kind(tmpl) == TEMPLATE_X509)
		return fail(ERR_INTERNAL, "template-value",
			"the template \"%s\" is not one of OpenSSH certificates", grant->template);
	TRY(add_identity(tmpl, grant, &scratch));
	return add_all_options(tmpl, grant, &scratch);
}

static enum err set_period(const struct template *tmpl, int64_t now, struct issued *out)
{
	out->not_before = now - tmpl->backdate;
	out->not_after = now + tmpl->lifetime;
	if (out->not_before < 0 || out->not_after > CLOCK_LAST)
		return crypto_failed("validity period");
	return OK;
}

/* "ssh-ed25519" becomes "ssh-ed25519-cert-v01@openssh.com", and its fields come after the nonce. */
static enum err add_key(const struct grant_key *key, struct buf *out)
{
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX), type = BUF(128);
	uint8_t nonce[NONCE_SIZE];
	struct view fields, name;

	TRY(sshkey_blob(key, &blob));
	TRY(random_bytes(nonce, sizeof(nonce)));
	fields = buf_view(&blob);
	if (!sshwire_string(&fields, &name))
		return crypto_failed("key");
	buf_add(&type, name);
	buf_str(&type, SSH_CERTIFICATE_SUFFIX);
	sshwire_add_string(out, buf_view(&type));
	sshwire_add_string(out, VIEW(nonce));
	buf_add(out, fields);
	return buf_ok(out);
}

static enum err add_body(const struct ssh_ca *ca, const struct template *tmpl,
	const struct grant *grant, const struct issued *issued, struct buf *out)
{
	TRY(add_key(&grant->key, out));
	buf_be64(out, grant->ssh_serial);
	TRY(add_identity(tmpl, grant, out));
	buf_be64(out, (uint64_t)issued->not_before);
	buf_be64(out, (uint64_t)issued->not_after);
	TRY(add_all_options(tmpl, grant, out));
	sshwire_add_string(out, view_str("")); /* reserved */
	sshwire_add_string(out, buf_view(&ca->public));
	return buf_ok(out);
}

static enum err sign(const struct ssh_ca *ca, struct view text, struct buf *out)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[1024];
	size_t n = sizeof(signature);

	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, ca->digest, NULL, ca->key) != 1 ||
		EVP_DigestSign(ctx, signature, &n, text.p, text.n) != 1)
		return crypto_failed("signature");
	buf_add(out, (struct view){signature, n});
	return buf_ok(out);
}

static void add_number(const BIGNUM *number, struct buf *out)
{
	uint8_t bytes[66]; /* of P-521 */

	if (BN_num_bytes(number) > (int)sizeof(bytes))
		out->failed = true;
	else
		sshwire_add_mpint(out, (struct view){bytes, (size_t)BN_bn2bin(number, bytes)});
}

/* RFC 5656 3.1.2: two mpints instead of OpenSSL's SEQUENCE. */
static enum err repack_ecdsa(struct view der, struct buf *out)
{
	const uint8_t *p = der.p;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &p, (long)der.n);

	if (signature == NULL)
		return crypto_failed("signature");
	add_number(ECDSA_SIG_get0_r(signature), out);
	add_number(ECDSA_SIG_get0_s(signature), out);
	ECDSA_SIG_free(signature);
	return buf_ok(out);
}

enum err ssh_ca_sign(const struct ssh_ca *ca, struct view text, struct buf *out)
{
	AUTO(buf_free) struct buf made = BUF(1024), repacked = BUF(1024), whole = BUF(2048);
	bool is_ecdsa = EVP_PKEY_is_a(ca->key, "EC");

	TRY(sign(ca, text, &made));
	if (is_ecdsa)
		TRY(repack_ecdsa(buf_view(&made), &repacked));
	sshwire_add_string(&whole, ca->algorithm);
	sshwire_add_string(&whole, buf_view(is_ecdsa ? &repacked : &made));
	TRY(buf_ok(&whole));
	sshwire_add_string(out, buf_view(&whole));
	return buf_ok(out);
}

enum err ssh_issue(const struct ssh_ca *ca, const struct template *tmpl, const struct grant *grant,
	int64_t now, struct issued *out)
{
	AUTO(buf_free) struct buf serial = BUF(8);

	out->der = BUF(SSH_CERTIFICATE_MAX);
	/* 0 is what certificates without a number have, and a KRL cannot name it. */
	if (grant->ssh_serial == 0)
		return fail(ERR_INTERNAL, "ssh-serial", "a grant without a serial number");
	buf_be64(&serial, grant->ssh_serial);
	TRY(buf_ok(&serial));
	memcpy(out->serial, serial.p, serial.n);
	out->serial_n = serial.n;
	memcpy(out->issuer, ca->id, SHA256_SIZE);
	TRY(ssh_judge(tmpl, grant));
	TRY(set_period(tmpl, now, out));
	TRY(add_body(ca, tmpl, grant, out, &out->der));
	return ssh_ca_sign(ca, buf_view(&out->der), &out->der);
}

const uint8_t *ssh_ca_id(const struct ssh_ca *ca)
{
	return ca->id;
}

enum err ssh_ca_ready(const struct ssh_ca *ca)
{
	AUTO(buf_free) struct buf signature = BUF(1024);
	AUTO(pkey_free) EVP_PKEY *public = NULL;
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t text[NONCE_SIZE];

	if (ctx == NULL || random_bytes(text, sizeof(text)) != OK ||
		sign(ca, VIEW(text), &signature) != OK ||
		sshkey_public(buf_view(&ca->public), &public) != OK ||
		EVP_DigestVerifyInit(ctx, NULL, ca->digest, NULL, public) != 1 ||
		EVP_DigestVerify(ctx, signature.p, signature.n, text, sizeof(text)) != 1) {
		ERR_clear_error();
		return fail(ERR_BUSY, "ca-key", "an OpenSSH CA's key does not sign");
	}
	return OK;
}
