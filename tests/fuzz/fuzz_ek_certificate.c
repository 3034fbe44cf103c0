/* fuzz_ek_certificate.c - an EK certificate and whoever may have signed it. */
#include "tests/fuzz/target.h"

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
	static const struct trust_source source = {.name = "fuzz",
		.class = TRUST_OPERATOR_IMPORT,
		.roots = ENDORSE_SOURCE_DIR "/tests/fuzz/roots",
		.intermediates = ENDORSE_SOURCE_DIR "/tests/fuzz/intermediates"};
	static struct trust *trust;
	AUTO(identity_free) struct identity *identity = NULL;
	const struct ek_evidence evidence = {.certificate = {p, n}};

	if (trust == NULL && trust_load(&source, 1, pass_over, NULL, &trust) != OK)
		abort();
	if (identity_judge(&(struct identity_rules){.trust = trust, .now = 1800000000}, &evidence,
		    &identity) == OK &&
		identity_certificate(identity).n != n)
		abort();
	return 0;
}
