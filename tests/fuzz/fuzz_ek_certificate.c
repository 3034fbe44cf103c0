/* fuzz_ek_certificate.c - what a device sends as its EK certificate: an NV index's content, at worst. */
#include "tests/fuzz/target.h"

#include "enroll/tpm/identity.h"

#include <stdlib.h>

#define FIXTURES ENDORSE_SOURCE_DIR "/tests/fixtures/ek"

static void pass_over(void *ctx, const char *path, const char *reason)
{
	(void)ctx;
	(void)path;
	(void)reason;
}

/* What is taken lies within the bytes that came, and proves nothing where no root vouches for it. */
static void judge(const struct trust *trust, struct view content, bool takes_unproven)
{
	const struct identity_rules rules = {.trust = trust,
		.now = 1800000000,
		.takes_unproven = takes_unproven,
		.takes_expired = takes_unproven};
	AUTO(identity_free) struct identity *identity = NULL;
	bool is_proven;

	if (identity_judge(&rules, &(struct ek_evidence){.certificate = content}, &identity) != OK)
		return;
	is_proven = identity_trust(identity)->class == TRUST_OPERATOR_IMPORT;
	if (identity_certificate(identity).n == 0 || identity_certificate(identity).n > content.n ||
		is_proven != (identity_manufacturer(identity)[0] != '\0') ||
		is_proven == (identity_doubt(identity) != NULL) || (!is_proven && !takes_unproven))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct trust_source sources[] = {
		{.name = "fuzz",
			.class = TRUST_OPERATOR_IMPORT,
			.roots = ENDORSE_SOURCE_DIR "/tests/fuzz/roots",
			.intermediates = ENDORSE_SOURCE_DIR "/tests/fuzz/intermediates"},
		{.name = "quirks",
			.class = TRUST_OPERATOR_IMPORT,
			.roots = FIXTURES "/roots",
			.intermediates = FIXTURES "/intermediates",
			.crls = FIXTURES "/crls"}};
	static struct trust *trust;

	if (trust == NULL && trust_load(sources, 2, pass_over, NULL, &trust) != OK)
		abort();
	judge(trust, (struct view){p, n}, false);
	judge(trust, (struct view){p, n}, true);
	return 0;
}
