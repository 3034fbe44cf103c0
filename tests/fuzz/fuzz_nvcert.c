/* fuzz_nvcert.c - what a TPM's NV index holds where its EK certificate should be. */
#include "tests/fuzz/target.h"

#include "enroll/tpm/nvcert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct view rest = {p, n}, der;

	if (nv_certificate_cut(rest, &der) == OK &&
		(der.p < p || der.n == 0 || der.p + der.n > p + n))
		abort();
	while (nv_chain_next(&rest, &der))
		if (der.p < p || der.n == 0 || der.p + der.n > p + n)
			abort();
	return 0;
}
