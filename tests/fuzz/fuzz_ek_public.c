/* fuzz_ek_public.c - the public area that a device sends beside its EK certificate. */
#include "tests/fuzz/target.h"

#include "enroll/tpm/ekpublic.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tpm_name name;

	if (ek_public_name((struct view){p, n}, &name) != OK)
		return 0;
	return 0;
}
