/* fuzz_manifest.c - a factory's list of EKs: each entry that is taken has a digest, a line, and a name that may be. */
#include "tests/fuzz/target.h"

#include "ca/base/hostname.h"
#include "enroll/admin/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(manifest_free) struct manifest manifest;

	manifest_init(&manifest);
	if (manifest_read((struct view){p, n}, "list.csv", &manifest) != OK)
		return 0;
	for (size_t i = 0; i < manifest.request.n; i++) {
		const struct allow_entry *entry = &manifest.request.entries[i];

		if (strlen(entry->ek_digest) != EK_DIGEST_DIGITS || manifest.line[i] < 2 ||
			(entry->host != NULL && hostname_check(entry->host) != OK))
			abort();
	}
	return 0;
}
