/* fuzz_hex.c - hexadecimal digits. */
#include "tests/fuzz/target.h"

#include "ca/base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t bytes[32];

	if (hex_read((struct view){p, n}, bytes, sizeof(bytes)) != OK)
		return 0;
	return 0;
}
