#include "enroll/tpm/tag.h"

#include "enroll/tpm/tss.h"

enum err service_tag(uint16_t name_alg, const char *service, uint8_t tag[static 64], size_t *n)
{
	AUTO(buf_free) struct buf text = BUF(1024);
	const EVP_MD *md = tpm_digest(name_alg);
	unsigned int size = 0;

	if (md == NULL)
		return refuse(ERR_REJECTED, "ak-name-algorithm", "PROTOCOL keys",
			"an AK's nameAlg is SHA-256, SHA-384 or SHA-512, not %04x", name_alg);
	buf_add(&text, VIEW("endorse/1 ak")); /* with its NUL */
	buf_str(&text, service);
	TRY(buf_ok(&text));
	if (EVP_Digest(text.p, text.n, tag, &size, md, NULL) != 1)
		return fail(ERR_INTERNAL, "crypto", "OpenSSL failed in a digest");
	*n = size;
	return OK;
}
