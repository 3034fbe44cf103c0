/* fuzz_bundle.c - a file of certificates with lines before each. */
#include "tests/fuzz/target.h"

#include "enroll/trust/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(bundle_free) struct bundle *bundle = NULL;

	if (bundle_read((struct view){p, n}, "fuzz", &bundle) != OK)
		return 0;
	return 0;
}
