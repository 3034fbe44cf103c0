#include "enroll/trust/keykind.h"

#include "ca/base/ossl.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <string.h>

static const struct {
	const char *text;
	const char *group;
	int bits;
} kinds[KEY_KINDS] = {
	[KEY_RSA_2048] = {"rsa2048", NULL, 2048},
	[KEY_RSA_3072] = {"rsa3072", NULL, 3072},
	[KEY_RSA_4096] = {"rsa4096", NULL, 4096},
	[KEY_P256] = {"p256", "prime256v1", 256},
	[KEY_P384] = {"p384", "secp384r1", 384},
	[KEY_P521] = {"p521", "secp521r1", 521},
};

const char *key_kind_text(enum key_kind kind)
{
	return kinds[kind].text;
}

int key_kind_bits(enum key_kind kind)
{
	return kinds[kind].bits;
}

const char *key_kind_group(enum key_kind kind)
{
	return kinds[kind].group;
}

static bool is_explicit_curve(EVP_PKEY *key)
{
	char encoding[32] = "";
	size_t n = 0;

	return EVP_PKEY_get_utf8_string_param(
		       key, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof(encoding), &n) == 1 &&
	       strcmp(encoding, OSSL_PKEY_EC_ENCODING_EXPLICIT) == 0;
}

static bool has_exponent_f4(EVP_PKEY *key)
{
	AUTO(bn_free) BIGNUM *e = NULL;

	return EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_word(e, RSA_F4);
}

static bool is_kind(EVP_PKEY *key, size_t i)
{
	char group[64];

	if (kinds[i].group == NULL)
		return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == kinds[i].bits &&
		       has_exponent_f4(key);
	return EVP_PKEY_is_a(key, "EC") && !is_explicit_curve(key) &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, kinds[i].group) == 0;
}

enum err key_kind_of(EVP_PKEY *key, enum key_kind *out)
{
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (is_kind(key, i)) {
			*out = (enum key_kind)i;
			return OK;
		}
	return fail(ERR_REJECTED, "key-kind",
		"a %s key of %d bits: wanted RSA of 2048, 3072 or 4096 bits with exponent 65537, "
		"or "
		"a named curve P-256, P-384 or P-521",
		EVP_PKEY_get0_type_name(key) == NULL ? "unknown" : EVP_PKEY_get0_type_name(key),
		EVP_PKEY_get_bits(key));
}
