/* fuzz_strangers.c - what a service says of those it turned away; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/strangers.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(4 * 1024 * 1024);
	AUTO(strangers_answer_free) struct strangers_answer answer = {0}, again = {0};

	if (strangers_answer_parse((struct view){p, n}, &answer) != OK)
		return 0;
	if (strangers_answer_encode(&answer, &json) != OK ||
		strangers_answer_parse(buf_view(&json), &again) != OK || again.n != answer.n)
		abort();
	return 0;
}
