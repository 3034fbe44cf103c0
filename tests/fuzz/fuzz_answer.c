/* fuzz_answer.c - what a device gets under the seal. */
#include "tests/fuzz/target.h"

#include "enroll/proto/answer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(answer_free) struct answer *answer = NULL;
	AUTO(answer_free) struct answer *again = NULL;
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_ANSWER);

	if (answer_parse((struct view){p, n}, &answer) != OK)
		return 0;
	if (answer_encode(answer, &json) != OK || answer_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
