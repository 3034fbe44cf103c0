/* fuzz_challenge.c - the answer to POST /v1/ticket, as the device reads it. */
#include "tests/fuzz/target.h"

#include "enroll/proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(challenge_free) struct challenge challenge;

	challenge_init(&challenge);
	if (challenge_parse((struct view){p, n}, &challenge) != OK)
		return 0;
	return 0;
}
