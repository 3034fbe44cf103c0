/* fuzz_krl.c - a KRL of a service's; what is read says no more than it has room for. */
#include "tests/fuzz/target.h"

#include "ca/krl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct view bytes = {p, n};
	struct krl read;

	if (krl_parse(bytes, &read) != OK)
		return 0;
	if (!krl_begins(bytes) || read.at < 0 || read.key_ids > n / 5 || read.keys > n / 4)
		abort();
	return 0;
}
