/* fuzz_ak.c - the public area of an attestation key, with its service's tag or without any. */
#include "tests/fuzz/target.h"

#include "enroll/tpm/ak.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(ak_free) struct ak *ak = NULL;
	AUTO(ak_free) struct ak *tagged = NULL;

	if (ak_judge((struct view){p, n}, "https://endorse.example", AK_TAG_OR_NONE, &ak) != OK)
		return 0;
	if (ak_name(ak)->n < 34 || !view_equal(ak_public(ak), (struct view){p, n}))
		abort();
	if ((ak_judge((struct view){p, n}, "https://endorse.example", AK_TAGGED, &tagged) == OK) ==
		ak_is_untagged(ak))
		abort();
	return 0;
}
