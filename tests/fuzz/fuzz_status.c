/* fuzz_status.c - one server in a few numbers; what is read can be written and read again, and is the same. */
#include "tests/fuzz/target.h"

#include "enroll/proto/attempts.h"
#include "enroll/proto/status.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER), twice = BUF(LIMIT_ADMIN_ANSWER);
	static struct status_answer answer, again;

	if (status_answer_parse((struct view){p, n}, &answer) != OK)
		return 0;
	if (answer.expiries_n > STATUS_EXPIRIES || status_answer_encode(&answer, &json) != OK ||
		status_answer_parse(buf_view(&json), &again) != OK ||
		status_answer_encode(&again, &twice) != OK ||
		!view_equal(buf_view(&json), buf_view(&twice)))
		abort();
	return 0;
}
