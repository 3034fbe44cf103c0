/* fuzz_base64.c - whatever base64 is read is what writing it gives. */
#include "tests/fuzz/target.h"

#include "ca/base/encode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 20);
	AUTO(buf_free) struct buf text = BUF(1 << 20);

	if (base64_read((struct view){p, n}, &bytes) != OK)
		return 0;
	base64_add(&text, buf_view(&bytes));
	if (!view_equal(buf_view(&text), (struct view){p, n}))
		abort();
	return 0;
}
