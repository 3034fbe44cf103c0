#include "ca/crl.h"

#include "ca/signer/parts.h"

enum err signer_crl(struct signer *signer, const uint8_t issuer[static SHA256_SIZE],
	const struct crl_content *content, struct buf *der)
{
	const struct authority *authority = signer_authority(signer, issuer);

	if (authority == NULL)
		return fail(ERR_INTERNAL, "issuer-unknown",
			"the signer has no CA of this id: is it missing in former_cas?");
	return crl_build(authority, content, der);
}

size_t signer_crl_capacity(const struct signer *signer, size_t url_n, size_t bytes)
{
	return crl_capacity(signer->authority, url_n, bytes);
}

struct view signer_root_crl(const struct signer *signer)
{
	return buf_view(&signer->root_crl);
}
