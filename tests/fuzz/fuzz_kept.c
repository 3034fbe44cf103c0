/* fuzz_kept.c - which certificates a device keeps; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/agent/kept.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf text = BUF(KEPT_MAX);
	struct view read = {p, n};
	struct wanted wanted;

	if (kept_parse(read, &wanted) != OK)
		return 0;
	/* "tpm" alone is read as well, and written in full. */
	if (kept_encode(&wanted, &text) != OK || kept_parse(buf_view(&text), &wanted) != OK)
		abort();
	for (size_t i = 0; i < wanted.n; i++)
		if (!want_is_name(wanted.items[i].template))
			abort();
	return 0;
}
