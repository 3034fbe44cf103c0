/* fuzz_linkage.c - what a host shows a relying party; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/linkage.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(linkage_free) struct linkage linkage;
	AUTO(linkage_free) struct linkage again;
	AUTO(buf_free) struct buf json = BUF(8 * LINKAGE_MAX);

	linkage_init(&again);
	if (linkage_parse((struct view){p, n}, &linkage) != OK)
		return 0;
	if (linkage_encode(&linkage, &json) != OK || linkage_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
