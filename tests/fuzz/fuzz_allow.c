/* fuzz_allow.c - the body of POST /v1/admin/ek/allow: what is read can be written, and is read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/allow.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(allow_request_free) struct allow_request first = {0}, second = {0};
	AUTO(buf_free) struct buf json = BUF(1 << 20);

	if (allow_request_parse((struct view){p, n}, &first) != OK)
		return 0;
	if (allow_request_encode(&first, &json) != OK ||
		allow_request_parse(buf_view(&json), &second) != OK || first.n != second.n)
		abort();
	return 0;
}
