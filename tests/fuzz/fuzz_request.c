/* fuzz_request.c - what a device asks for. */
#include "tests/fuzz/target.h"

#include "enroll/proto/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_REQUEST);
	AUTO(request_free) struct request request;
	AUTO(request_free) struct request again;

	request_init(&request);
	request_init(&again);
	if (request_parse((struct view){p, n}, &request) != OK)
		return 0;
	if (request_encode(&request, &json) != OK || request_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
