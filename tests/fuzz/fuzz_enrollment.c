/* fuzz_enrollment.c - what a device keeps of its enrollment; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/agent/enrollment.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf text = BUF(1 << 14), again = BUF(1 << 14);
	struct enrollment enrollment;

	if (enrollment_parse((struct view){p, n}, &enrollment) != OK)
		return 0;
	/* The order of the lines may be another; what is written is always the same. */
	if (enrollment_encode(&enrollment, &text) != OK ||
		enrollment_parse(buf_view(&text), &enrollment) != OK ||
		enrollment_encode(&enrollment, &again) != OK ||
		!view_equal(buf_view(&text), buf_view(&again)))
		abort();
	return 0;
}
