/* fuzz_reload.c - what the service answers to a reload, taken or refused. */
#include "enroll/proto/admin.h"
#include "enroll/proto/problem.h"
#include "tests/fuzz/target.h"

#include <stdlib.h>

/* What is read is written and read again as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(reload_answer_free) struct reload_answer answer, again;
	AUTO(buf_free) struct buf json = BUF(1 << 22), lines = BUF(1 << 20);

	reload_answer_init(&answer);
	reload_answer_init(&again);
	if (problem_list_parse((struct view){data, size}, &lines) != OK ||
		reload_answer_parse((struct view){data, size}, &answer) != OK ||
		reload_answer_encode(&answer, &json) != OK)
		return 0;
	if (reload_answer_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
