#include "enroll/tpm/numbers.h"

#include "ca/base/crypt.h"
#include "ca/base/ossl.h"

#include <openssl/core_names.h>
#include <string.h>

/*
 * The SubjectPublicKeyInfo of each kind up to its numbers, which are as long as the kind says: a modulus of
 * so many bits has its highest bit set, and so a zero in front of it. The exponent of RSA comes last.
 */
static const uint8_t spki_rsa_2048[] = {0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30,
	0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00};
static const uint8_t spki_rsa_3072[] = {0x30, 0x82, 0x01, 0xa2, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x8f, 0x00, 0x30,
	0x82, 0x01, 0x8a, 0x02, 0x82, 0x01, 0x81, 0x00};
static const uint8_t spki_rsa_4096[] = {0x30, 0x82, 0x02, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x02, 0x0f, 0x00, 0x30,
	0x82, 0x02, 0x0a, 0x02, 0x82, 0x02, 0x01, 0x00};
static const uint8_t spki_p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
	0x00, 0x04};
static const uint8_t spki_p384[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};
static const uint8_t spki_p521[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48,
	0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00,
	0x04};
static const uint8_t exponent_f4[] = {0x02, 0x03, 0x01, 0x00, 0x01};

static const struct view beginnings[KEY_KINDS] = {
	[KEY_RSA_2048] = {spki_rsa_2048, sizeof(spki_rsa_2048)},
	[KEY_RSA_3072] = {spki_rsa_3072, sizeof(spki_rsa_3072)},
	[KEY_RSA_4096] = {spki_rsa_4096, sizeof(spki_rsa_4096)},
	[KEY_P256] = {spki_p256, sizeof(spki_p256)},
	[KEY_P384] = {spki_p384, sizeof(spki_p384)},
	[KEY_P521] = {spki_p521, sizeof(spki_p521)},
};

bool key_numbers_are_rsa(const struct key_numbers *numbers)
{
	return key_kind_group(numbers->kind) == NULL;
}

static bool take(EVP_PKEY *key, const char *name, size_t width, uint8_t *out)
{
	AUTO(bn_free) BIGNUM *n = NULL;

	return EVP_PKEY_get_bn_param(key, name, &n) == 1 && BN_bn2binpad(n, out, (int)width) >= 0;
}

enum err key_numbers_of(EVP_PKEY *key, struct key_numbers *out)
{
	bool is_taken;

	TRY(key_kind_of(key, &out->kind));
	out->width = ((size_t)key_kind_bits(out->kind) + 7) / 8;
	if (key_numbers_are_rsa(out))
		is_taken = take(key, OSSL_PKEY_PARAM_RSA_N, out->width, out->first);
	else
		is_taken = take(key, OSSL_PKEY_PARAM_EC_PUB_X, out->width, out->first) &&
			   take(key, OSSL_PKEY_PARAM_EC_PUB_Y, out->width, out->second);
	return is_taken ? OK : fail(ERR_INTERNAL, "crypto", "a public key without its numbers");
}

static bool begins_with(struct view *rest, struct view beginning)
{
	if (rest->n < beginning.n || memcmp(rest->p, beginning.p, beginning.n) != 0)
		return false;
	*rest = (struct view){rest->p + beginning.n, rest->n - beginning.n};
	return true;
}

bool key_numbers_read(struct view spki, struct key_numbers *out)
{
	for (enum key_kind kind = 0; kind < KEY_KINDS; kind++) {
		const size_t width = ((size_t)key_kind_bits(kind) + 7) / 8;
		struct view rest = spki, second;

		if (!begins_with(&rest, beginnings[kind]) || rest.n < width)
			continue;
		second = (struct view){rest.p + width, rest.n - width};
		*out = (struct key_numbers){.kind = kind, .width = width};
		memcpy(out->first, rest.p, width);
		if (key_numbers_are_rsa(out))
			return rest.p[0] >= 0x80 && view_equal(second, VIEW(exponent_f4));
		if (second.n != width)
			return false;
		memcpy(out->second, second.p, width);
		return true;
	}
	return false;
}

enum err key_numbers_sha256(const struct key_numbers *numbers, uint8_t out[static 32])
{
	const struct view first = {numbers->first, numbers->width};

	if (key_numbers_are_rsa(numbers))
		return SHA256_OF(out, beginnings[numbers->kind], first, VIEW(exponent_f4));
	return SHA256_OF(out, beginnings[numbers->kind], first,
		((struct view){numbers->second, numbers->width}));
}
