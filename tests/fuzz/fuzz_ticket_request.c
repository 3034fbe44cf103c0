/* fuzz_ticket_request.c - the body of POST /v1/ticket. */
#include "tests/fuzz/target.h"

#include "enroll/proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf claim = BUF(LIMIT_CLAIM);

	if (ticket_request_parse((struct view){p, n}, &claim) != OK)
		return 0;
	return 0;
}
