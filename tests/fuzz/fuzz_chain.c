/* fuzz_chain.c - an intermediate that a device sends beside a good EK certificate. */
#include "tests/fuzz/target.h"

#include "ca/base/file.h"
#include "enroll/tpm/identity.h"

#include <stdlib.h>

static void pass_over(void *ctx, const char *path, const char *reason)
{
	(void)ctx;
	(void)path;
	(void)reason;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char roots[] = ENDORSE_SOURCE_DIR "/tests/fuzz/roots";
	static const struct trust_source source = {.name = "fuzz",
		.class = TRUST_OPERATOR_IMPORT,
		.roots = roots,
		.intermediates = NULL};
	static struct buf leaf = BUF(8192);
	static struct trust *trust;
	AUTO(identity_free) struct identity *identity = NULL;
	const struct view chain[] = {{p, n}};
	struct ek_evidence evidence = {.chain = chain, .chain_n = 1};

	if (trust == NULL &&
		(trust_load(&source, 1, pass_over, NULL, &trust) != OK ||
			file_read(ENDORSE_SOURCE_DIR "/tests/fuzz/corpus/ek_certificate/p256",
				&leaf) != OK))
		abort();
	evidence.certificate = buf_view(&leaf);
	if (identity_judge(&(struct identity_rules){.trust = trust, .now = 1800000000}, &evidence,
		    &identity) != OK)
		return 0;
	return 0;
}
