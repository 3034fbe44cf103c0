#include "ca/sshsig.h"

#include "ca/base/encode.h"
#include "ca/sshwire.h"

#include <openssl/evp.h>
#include <string.h>

#define MAGIC "SSHSIG" /* without a NUL */
#define VERSION 1
#define HASH "sha512"
#define LINE 70 /* characters, as ssh-keygen breaks them */

static const char begin[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char end[] = "-----END SSH SIGNATURE-----\n";

static enum err malformed(const char *what)
{
	return fail(ERR_MALFORMED, "sshsig", "no signature of ssh-keygen's form: %s", what);
}

/* What the key signs: what it is for, and a digest of the message. */
static enum err add_signed(
	const char *namespace, struct view hash, struct view message, struct buf *out)
{
	const EVP_MD *md = view_equal(hash, view_str(HASH)) ? EVP_sha512() : EVP_sha256();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_Digest(message.p, message.n, digest, &n, md, NULL) != 1)
		return fail(ERR_INTERNAL, "crypto", "cannot digest a message");
	buf_str(out, MAGIC);
	sshwire_add_string(out, view_str(namespace));
	sshwire_add_string(out, view_str("")); /* reserved */
	sshwire_add_string(out, hash);
	sshwire_add_string(out, (struct view){digest, n});
	return buf_ok(out);
}

static void armor(struct view blob, struct buf *out)
{
	AUTO(buf_free) struct buf text = BUF(SSHSIG_MAX);
	struct view rest;

	base64_add(&text, blob);
	out->failed = out->failed || text.failed;
	buf_str(out, begin);
	for (rest = buf_view(&text); rest.n > 0;) {
		size_t n = rest.n < LINE ? rest.n : LINE;

		buf_add(out, (struct view){rest.p, n});
		buf_str(out, "\n");
		rest = (struct view){rest.p + n, rest.n - n};
	}
	buf_str(out, end);
}

enum err sshsig_make(
	const struct ssh_ca *ca, const char *namespace, struct view message, struct buf *armored)
{
	AUTO(buf_free) struct buf text = BUF(1024), blob = BUF(SSHSIG_MAX / 2);

	TRY(add_signed(namespace, view_str(HASH), message, &text));
	buf_str(&blob, MAGIC);
	sshwire_add_u32(&blob, VERSION);
	sshwire_add_string(&blob, ssh_ca_public(ca));
	sshwire_add_string(&blob, view_str(namespace));
	sshwire_add_string(&blob, view_str("")); /* reserved */
	sshwire_add_string(&blob, view_str(HASH));
	TRY(ssh_ca_sign(ca, buf_view(&text), &blob));
	armor(buf_view(&blob), armored);
	return buf_ok(armored);
}

static bool takes(struct view *rest, const char *text)
{
	size_t n = strlen(text);

	if (rest->n < n || memcmp(rest->p, text, n) != 0)
		return false;
	*rest = (struct view){rest->p + n, rest->n - n};
	return true;
}

static enum err unarmor(struct view armored, struct buf *blob)
{
	AUTO(buf_free) struct buf text = BUF(SSHSIG_MAX);
	struct view rest = armored;

	if (armored.n > SSHSIG_MAX || !takes(&rest, begin))
		return malformed("it does not begin as one");
	while (rest.n > 0 && rest.p[0] != '-') {
		const uint8_t *newline = memchr(rest.p, '\n', rest.n);
		size_t n = newline == NULL ? rest.n : (size_t)(newline - rest.p);

		buf_add(&text, (struct view){rest.p, n});
		rest = (struct view){rest.p + n, rest.n - n};
		if (newline != NULL)
			rest = (struct view){rest.p + 1, rest.n - 1};
	}
	if (!takes(&rest, end) || rest.n > 0)
		return malformed("it does not end as one");
	if (buf_ok(&text) != OK || base64_read(buf_view(&text), blob) != OK)
		return malformed("no base64 within");
	return OK;
}

struct sshsig {
	struct view key, namespace, hash, signature;
};

static enum err parse(struct view blob, struct sshsig *out)
{
	struct view rest = blob, reserved;
	uint32_t version;

	if (!takes(&rest, MAGIC) || !sshwire_u32(&rest, &version) || version != VERSION)
		return malformed("of a version that is not known");
	if (!sshwire_string(&rest, &out->key) || !sshwire_string(&rest, &out->namespace) ||
		!sshwire_string(&rest, &reserved) || !sshwire_string(&rest, &out->hash) ||
		!sshwire_string(&rest, &out->signature) || rest.n > 0)
		return malformed("it is not whole, or something is behind it");
	if (reserved.n > 0)
		return malformed("it says more than is known");
	if (!view_equal(out->hash, view_str(HASH)) && !view_equal(out->hash, view_str("sha256")))
		return malformed("of a digest that is not known");
	return OK;
}

static bool is_among(struct view key, const struct view *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].n > 0 && view_equal(key, keys[i]))
			return true;
	return false;
}

enum err sshsig_verify(struct view armored, const char *namespace, struct view message,
	const struct view *keys, size_t keys_n)
{
	AUTO(buf_free) struct buf blob = BUF(SSHSIG_MAX), text = BUF(1024);
	struct sshsig read;

	TRY(unarmor(armored, &blob));
	TRY(parse(buf_view(&blob), &read));
	if (!is_among(read.key, keys, keys_n))
		return fail(ERR_REJECTED, "sshsig-key",
			"it was signed with another key than those that are trusted for it");
	if (!view_equal(read.namespace, view_str(namespace)))
		return fail(ERR_REJECTED, "sshsig-namespace",
			"it was signed for something else than \"%s\"", namespace);
	TRY(add_signed(namespace, read.hash, message, &text));
	return ssh_signature_verify(read.key, buf_view(&text), read.signature);
}

enum err sshsig_signer(struct view armored, struct buf *key)
{
	AUTO(buf_free) struct buf blob = BUF(SSHSIG_MAX);
	struct sshsig read;

	TRY(unarmor(armored, &blob));
	TRY(parse(buf_view(&blob), &read));
	buf_add(key, read.key);
	return buf_ok(key) == OK ? OK : malformed("its key is too long");
}
