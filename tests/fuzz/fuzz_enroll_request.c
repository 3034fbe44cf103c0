/* fuzz_enroll_request.c - the body of POST /v1/enroll. */
#include "tests/fuzz/target.h"

#include "enroll/proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(enroll_request_free) struct enroll_request request;

	enroll_request_init(&request);
	if (enroll_request_parse((struct view){p, n}, &request) != OK)
		return 0;
	return 0;
}
