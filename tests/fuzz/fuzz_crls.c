/* fuzz_crls.c - which CRLs a service says it publishes; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/crls.h"
#include "enroll/proto/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_LIST_ANSWER);
	AUTO(crls_answer_free) struct crls_answer answer = {0}, again = {0};

	if (crls_answer_parse((struct view){p, n}, &answer) != OK)
		return 0;
	if (answer.n > CRLS_MAX || crls_answer_encode(&answer, &json) != OK ||
		crls_answer_parse(buf_view(&json), &again) != OK || again.n != answer.n)
		abort();
	return 0;
}
