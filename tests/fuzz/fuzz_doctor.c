/* fuzz_doctor.c - what a service says of itself; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/doctor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct doctor_answer answer, again; /* 80 KiB each */
	AUTO(buf_free) struct buf json = BUF(1 << 20);

	if (doctor_answer_parse((struct view){p, n}, &answer) != OK)
		return 0;
	if (doctor_answer_encode(&answer, &json) != OK ||
		doctor_answer_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
