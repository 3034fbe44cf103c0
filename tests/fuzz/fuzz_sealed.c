/* fuzz_sealed.c - the answer to POST /v1/enroll, as the device reads it. */
#include "tests/fuzz/target.h"

#include "enroll/proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf sealed = BUF(LIMIT_ANSWER);

	if (sealed_parse((struct view){p, n}, &sealed) != OK)
		return 0;
	return 0;
}
