/* fuzz_hostname.c - a host name; a good one is made of few characters, and every label is short. */
#include "tests/fuzz/target.h"

#include "ca/base/buf.h"
#include "ca/base/hostname.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 20);
	const char *name;

	buf_add(&bytes, (struct view){p, n});
	name = buf_text(&bytes);
	if (hostname_check(name) != OK)
		return 0;
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(name) ||
		strlen(name) > HOSTNAME_MAX || strchr(name, '.') == NULL ||
		strstr(name, "..") != NULL)
		abort();
	return 0;
}
