/* fuzz_tss2key.c - a key file; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/agent/tss2key.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf public = BUF(TSS2KEY_PART_MAX), private = BUF(TSS2KEY_PART_MAX);
	AUTO(buf_free) struct buf again = BUF(TSS2KEY_PART_MAX), rest = BUF(TSS2KEY_PART_MAX);
	AUTO(buf_free) struct buf pem = BUF(2 * TSS2KEY_MAX);

	if (tss2key_parse((struct view){p, n}, &public, &private) != OK)
		return 0;
	if (tss2key_encode(buf_view(&public), buf_view(&private), &pem) != OK ||
		tss2key_parse(buf_view(&pem), &again, &rest) != OK ||
		!view_equal(buf_view(&public), buf_view(&again)))
		abort();
	return 0;
}
