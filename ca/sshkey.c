#include "ca/sshkey.h"

#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "ca/edwards.h"
#include "ca/key.h"
#include "ca/sshwire.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

#define NAME_MAX_SHOWN 60

static const struct type {
	const char *name; /* RFC 4253 6.6 */
	const char *ssh_curve; /* RFC 5656 10.1; NULL for all but ECDSA */
	const char *curve; /* as grants have it */
	size_t size; /* of their bits; 0 for RSA */
} types[] = {
	{"ssh-rsa", NULL, NULL, 0},
	{"ecdsa-sha2-nistp256", "nistp256", "prime256v1", 65},
	{"ecdsa-sha2-nistp384", "nistp384", "secp384r1", 97},
	{"ecdsa-sha2-nistp521", "nistp521", "secp521r1", 133},
	{"ssh-ed25519", NULL, "ED25519", EDWARDS_SIZE},
};

static enum err malformed(const char *what)
{
	return refuse(ERR_MALFORMED, "ssh-key", "RFC 4253 6.6", "%s", what);
}

static bool ends_with(struct view text, const char *end)
{
	size_t n = strlen(end);

	return text.n > n && memcmp(text.p + text.n - n, end, n) == 0;
}

static bool begins_with(struct view text, const char *begin)
{
	size_t n = strlen(begin);

	return text.n > n && memcmp(text.p, begin, n) == 0;
}

/* Says why, because people send these. */
static enum err not_taken(struct view name)
{
	int n = (int)(name.n > NAME_MAX_SHOWN ? NAME_MAX_SHOWN : name.n);

	if (ends_with(name, "-cert-v01@openssh.com"))
		return malformed("a certificate where a public key is wanted: send the key that it "
				 "is for, in the file without -cert");
	if (begins_with(name, "sk-"))
		return malformed(
			"a key of a FIDO token (sk-): what the token demands of its user is "
			"not what a host proves; send a plain key");
	if (view_equal(name, view_str("ssh-dss")))
		return malformed("a DSA key: they are too short, and OpenSSH takes none");
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return malformed("its type has no name that can be printed");
	return refuse(ERR_MALFORMED, "ssh-key", "RFC 4253 6.6",
		"a key of type \"%.*s\": wanted ssh-ed25519, ecdsa-sha2-nistp256, -384 or -521, or "
		"ssh-rsa",
		n, (const char *)name.p);
}

static const struct type *type_named(struct view name)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (view_equal(name, view_str(types[i].name)))
			return &types[i];
	return NULL;
}

static const struct type *type_of(const struct grant_key *key)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (key->curve == types[i].curve ||
			(key->curve != NULL && types[i].curve != NULL &&
				strcmp(key->curve, types[i].curve) == 0))
			return &types[i];
	return NULL;
}

static size_t bits_of(struct view number)
{
	size_t n = number.n * 8;

	for (size_t i = 0; i < n; i++)
		if ((number.p[i / 8] >> (7 - i % 8) & 1) != 0)
			return n - i;
	return 0;
}

static bool is_odd(struct view number)
{
	return (number.p[number.n - 1] & 1) != 0;
}

/* FIPS 186-5 5.1 of the exponent; of the size, what key_signs_with() says for CAs. */
static enum err judge_rsa(struct view modulus, struct view exponent)
{
	size_t size = bits_of(modulus), exponent_size = bits_of(exponent);

	if (size < 2048 || size > 4096)
		return refuse(ERR_MALFORMED, "ssh-key", "RFC 8332 5.1",
			"an RSA key of %zu bits: wanted 2048 to 4096", size);
	if (!is_odd(modulus))
		return malformed("an RSA key with an even modulus");
	if (exponent_size < 17 || exponent_size > 256 || !is_odd(exponent))
		return refuse(ERR_MALFORMED, "ssh-key", "FIPS 186-5 5.1",
			"an RSA key whose public exponent is even, below 65537 or above 2^256: "
			"make a new one");
	return OK;
}

/* An mpint and an INTEGER have the same bytes (X.690 8.3). */
static enum err add_rsa(struct view modulus, struct view exponent, struct buf *out)
{
	const struct view numbers[] = {modulus, exponent};
	int inside = ASN1_object_size(0, (int)modulus.n, V_ASN1_INTEGER) +
		     ASN1_object_size(0, (int)exponent.n, V_ASN1_INTEGER);
	uint8_t header[16], *p = header;

	ASN1_put_object(&p, 1, inside, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	buf_add(out, (struct view){header, (size_t)(p - header)});
	for (size_t i = 0; i < COUNT(numbers); i++) {
		p = header;
		ASN1_put_object(&p, 0, (int)numbers[i].n, V_ASN1_INTEGER, V_ASN1_UNIVERSAL);
		buf_add(out, (struct view){header, (size_t)(p - header)});
		buf_add(out, numbers[i]);
	}
	return buf_ok(out);
}

static enum err read_rsa(struct view *rest, struct buf *bits)
{
	struct view exponent, modulus;

	if (!sshwire_mpint(rest, &exponent) || !sshwire_mpint(rest, &modulus))
		return malformed("an RSA key whose numbers are not two positive mpints as short as "
				 "can be");
	TRY(judge_rsa(modulus, exponent));
	return add_rsa(modulus, exponent, bits);
}

static EVP_PKEY *ec_key(const char *curve, struct view point)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PUB_KEY, (void *)point.p, point.n),
		OSSL_PARAM_construct_end()};
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static enum err read_ec(const struct type *type, struct view *rest, struct buf *bits)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	struct view curve, point;

	if (!sshwire_string(rest, &curve) || !sshwire_string(rest, &point))
		return malformed("an ECDSA key that ends before its point does");
	if (!view_equal(curve, view_str(type->ssh_curve)))
		return malformed("an ECDSA key of another curve than its type says");
	if (point.n != type->size || point.p[0] != 0x04)
		return malformed("an ECDSA key whose point is not written out (04 X Y)");
	/* Looks whether the point is on the curve; no point that is, is at infinity. */
	key = ec_key(type->curve, point);
	ERR_clear_error();
	if (key == NULL)
		return malformed("an ECDSA key whose point is not on its curve");
	buf_add(bits, point);
	return buf_ok(bits);
}

static enum err read_ed25519(struct view *rest, struct buf *bits)
{
	struct view key;

	if (!sshwire_string(rest, &key) || key.n != EDWARDS_SIZE)
		return malformed("an Ed25519 key that does not have 32 bytes");
	if (!edwards_is_key(key))
		return malformed(
			"an Ed25519 key that is no point of the curve, or one of small order");
	buf_add(bits, key);
	return buf_ok(bits);
}

enum err sshkey_parse(struct view blob, struct buf *bits, struct grant_key *out)
{
	struct view rest = blob, name;
	const struct type *type;

	if (blob.n > SSHKEY_MAX || !sshwire_string(&rest, &name))
		return malformed("no public key of OpenSSH's");
	if ((type = type_named(name)) == NULL)
		return not_taken(name);
	if (type->ssh_curve != NULL)
		TRY(read_ec(type, &rest, bits));
	else if (type->curve != NULL)
		TRY(read_ed25519(&rest, bits));
	else
		TRY(read_rsa(&rest, bits));
	if (rest.n > 0)
		return malformed("bytes behind the key");
	*out = (struct grant_key){type->curve, buf_view(bits)};
	return OK;
}

static EVP_PKEY *rsa_key(struct view der)
{
	const uint8_t *p = der.p;
	EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.n);

	if (key == NULL || p == der.p + der.n)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static void add_number(const BIGNUM *number, struct buf *blob)
{
	uint8_t bytes[1024];

	if (number == NULL || BN_num_bytes(number) > (int)sizeof(bytes))
		blob->failed = true;
	else
		sshwire_add_mpint(blob, (struct view){bytes, (size_t)BN_bn2bin(number, bytes)});
}

static enum err blob_rsa(const struct grant_key *key, struct buf *blob)
{
	AUTO(pkey_free) EVP_PKEY *rsa = rsa_key(key->bits);
	AUTO(bn_free) BIGNUM *exponent = NULL, *modulus = NULL;
	AUTO(buf_free) struct buf numbers = BUF(SSHKEY_MAX), bits = BUF(SSHKEY_MAX);
	struct view rest;

	if (rsa != NULL) {
		EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_E, &exponent);
		EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &modulus);
	}
	ERR_clear_error();
	add_number(exponent, &numbers);
	add_number(modulus, &numbers);
	if (buf_ok(&numbers) != OK)
		return malformed("no RSA key, or a very long one");
	rest = buf_view(&numbers);
	TRY(read_rsa(&rest, &bits));
	buf_add(blob, buf_view(&numbers));
	return buf_ok(blob);
}

enum err sshkey_blob(const struct grant_key *key, struct buf *blob)
{
	const struct type *type = type_of(key);

	if (type == NULL || (type->size != 0 && key->bits.n != type->size))
		return malformed("a key of a curve that OpenSSH does not have");
	sshwire_add_string(blob, view_str(type->name));
	if (type->size == 0)
		return blob_rsa(key, blob);
	if (type->ssh_curve != NULL)
		sshwire_add_string(blob, view_str(type->ssh_curve));
	sshwire_add_string(blob, key->bits);
	return buf_ok(blob);
}

enum err sshkey_blob_of(EVP_PKEY *key, struct buf *blob)
{
	AUTO(buf_free) struct buf bits = BUF(SSHKEY_MAX);
	struct grant_key out;

	TRY(key_public(key, &bits, &out));
	return sshkey_blob(&out, blob);
}

enum err sshkey_public(struct view blob, EVP_PKEY **out)
{
	AUTO(buf_free) struct buf bits = BUF(SSHKEY_MAX);
	struct grant_key key;
	EVP_PKEY *made;

	TRY(sshkey_parse(blob, &bits, &key));
	if (key.curve == NULL)
		made = rsa_key(key.bits);
	else if (strcmp(key.curve, "ED25519") == 0)
		made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key.bits.p, key.bits.n);
	else
		made = ec_key(key.curve, key.bits);
	ERR_clear_error();
	if (made == NULL)
		return malformed("a key that OpenSSL cannot read");
	*out = made;
	return OK;
}

/* What stands until the next blank or the end; `rest` goes behind the blanks. */
static struct view next_word(struct view *rest)
{
	struct view word = {rest->p, 0};

	while (word.n < rest->n && rest->p[word.n] != ' ' && rest->p[word.n] != '\t')
		word.n++;
	rest->p += word.n;
	rest->n -= word.n;
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
		rest->p++;
		rest->n--;
	}
	return word;
}

static struct view without_newline(struct view text)
{
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n > 0 && text.p[text.n - 1] == '\r')
		text.n--;
	return text;
}

enum err sshkey_line(struct view text, struct buf *blob)
{
	AUTO(buf_free) struct buf bytes = BUF(SSHKEY_MAX), bits = BUF(SSHKEY_MAX);
	struct view rest = without_newline(text), word, encoded, after, name;
	struct grant_key key;

	if (rest.n == 0 || memchr(rest.p, '\n', rest.n) != NULL ||
		memchr(rest.p, 0, rest.n) != NULL)
		return malformed("not one line");
	word = next_word(&rest);
	encoded = next_word(&rest);
	if (type_named(word) == NULL)
		return not_taken(word);
	if (base64_read(encoded, &bytes) != OK)
		return malformed("what stands behind the key's type is not base64, or too long");
	after = buf_view(&bytes);
	if (!sshwire_string(&after, &name) || !view_equal(name, word))
		return malformed("a key of another type than the line begins with");
	TRY(sshkey_parse(buf_view(&bytes), &bits, &key));
	buf_add(blob, buf_view(&bytes));
	return buf_ok(blob);
}

enum err sshkey_text(struct view blob, struct buf *text)
{
	struct view rest = blob, name;

	if (!sshwire_string(&rest, &name) || name.n == 0 || name.n > 128)
		return malformed("no public key of OpenSSH's");
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return malformed("its type has no name that can be printed");
	buf_add(text, name);
	buf_str(text, " ");
	base64_add(text, blob);
	return buf_ok(text);
}

enum err sshkey_fingerprint(struct view blob, struct buf *text)
{
	AUTO(buf_free) struct buf encoded = BUF(64);
	uint8_t digest[SHA256_SIZE];

	TRY(SHA256_OF(digest, blob));
	base64_add(&encoded, VIEW(digest));
	/* Without its padding, which 32 bytes have one of. */
	buf_str(text, "SHA256:");
	buf_add(text, (struct view){encoded.p, encoded.n == 0 ? 0 : encoded.n - 1});
	return buf_ok(text);
}
