/* fuzz_claim.c - what a device says of itself; whatever is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/claim.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(claim_free) struct claim *claim = NULL;
	AUTO(claim_free) struct claim *again = NULL;
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_TICKET_BODY);

	if (claim_parse((struct view){p, n}, &claim) != OK)
		return 0;
	if (claim_encode(claim, &json) != OK || claim_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
