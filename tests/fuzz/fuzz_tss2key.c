/* fuzz_tss2key.c - a key file; what is read can be written and read again. */
#include "tests/fuzz/target.h"

#include "enroll/agent/tss2key.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf public = BUF(TSS2KEY_PART_MAX), private = BUF(TSS2KEY_PART_MAX);
	AUTO(buf_free) struct buf again = BUF(TSS2KEY_PART_MAX), rest = BUF(TSS2KEY_PART_MAX);
	AUTO(buf_free) struct buf pem = BUF(2 * TSS2KEY_MAX);

	struct tss2key read = {.public = &public, .private = &private};
	struct tss2key reread = {.public = &again, .private = &rest};

	if (tss2key_parse((struct view){p, n}, &read) != OK)
		return 0;
	if (tss2key_encode(&read, &pem) != OK || tss2key_parse(buf_view(&pem), &reread) != OK ||
		!view_equal(buf_view(&public), buf_view(&again)) || read.parent != reread.parent)
		abort();
	return 0;
}
