/* fuzz_enrollment.c - what a device keeps of its enrollment; what is read can be written. */
#include "tests/fuzz/target.h"

#include "enroll/agent/enrollment.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf text = BUF(1 << 14);
	struct enrollment enrollment;

	if (enrollment_parse((struct view){p, n}, &enrollment) != OK)
		return 0;
	if (enrollment_encode(&enrollment, &text) != OK ||
		!view_equal(buf_view(&text), (struct view){p, n}))
		abort();
	return 0;
}
