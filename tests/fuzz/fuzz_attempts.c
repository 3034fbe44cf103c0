/* fuzz_attempts.c - what a service says of refusals; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/attempts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER);
	AUTO(attempts_answer_free) struct attempts_answer answer = {0}, again = {0};

	if (attempts_answer_parse((struct view){p, n}, &answer) != OK)
		return 0;
	if (attempts_answer_encode(&answer, &json) != OK ||
		attempts_answer_parse(buf_view(&json), &again) != OK || again.n != answer.n)
		abort();
	return 0;
}
