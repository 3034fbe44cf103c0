/* fuzz_json_usual.c - what the fast reader of JSON takes, jansson takes too, and for the same. */
#include "tests/fuzz/target.h"

#include "enroll/proto/json.h"
#include "enroll/proto/json_usual.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(json_free) json_t *fast = NULL;
	AUTO(json_free) json_t *whole = NULL;

	/* json_read() asks it only what is nested less deep than this can be. */
	if (n > 1000 || (fast = json_usual_read((struct view){p, n})) == NULL)
		return 0;
	whole = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES, NULL);
	if (whole == NULL || json_equal(fast, whole) != 1)
		abort();
	return 0;
}
