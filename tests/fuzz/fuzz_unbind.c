/* fuzz_unbind.c - an admin's request to take a name away; what is read can be written and read
 * again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/admin.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_ADMIN_BODY);
	struct unbind_request request, again;

	if (unbind_request_parse((struct view){p, n}, &request) != OK)
		return 0;
	if (unbind_request_encode(&request, &json) != OK ||
		unbind_request_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
