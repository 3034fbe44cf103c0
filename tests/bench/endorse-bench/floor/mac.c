#include "tests/bench/endorse-bench/floor/mac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

enum err mac_make(struct mac *out)
{
	static const uint8_t key[32];
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end()};

	out->algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (out->algorithm == NULL || (out->ctx = EVP_MAC_CTX_new(out->algorithm)) == NULL ||
		EVP_MAC_init(out->ctx, key, sizeof(key), params) != 1)
		return part_openssl("EVP_MAC_init");
	return OK;
}

void mac_free(struct mac *mac)
{
	EVP_MAC_CTX_free(mac->ctx);
	EVP_MAC_free(mac->algorithm);
	*mac = (struct mac){NULL, NULL};
}

bool mac_of(struct mac *mac, const uint8_t key[static 32], const struct view *pieces, size_t n,
	uint8_t out[static 32])
{
	size_t size;

	if (EVP_MAC_init(mac->ctx, key, 32, NULL) != 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (pieces[i].n > 0 && EVP_MAC_update(mac->ctx, pieces[i].p, pieces[i].n) != 1)
			return false;
	return EVP_MAC_final(mac->ctx, out, &size, 32) == 1;
}

bool mac_hkdf(struct mac *mac, const uint8_t secret[static 32], const uint8_t salt[static 32],
	struct view info, uint8_t out[static 32])
{
	static const uint8_t one[1] = {1};
	uint8_t extracted[32];

	return mac_of(mac, salt, &(struct view){secret, 32}, 1, extracted) &&
	       mac_of(mac, extracted, (const struct view[]){info, VIEW(one)}, 2, out);
}
