/* fuzz_query.c - the query of a URL: what is read is within its limits and printable. */
#include "tests/fuzz/target.h"

#include "ca/base/mem.h"
#include "enroll/http/query.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct query_key keys[] = {{"after", 19}, {"host", 253}, {"reason", 64}, {0}};
	AUTO(mem_free) char *text = calloc(1, n + 1);
	struct query query;

	if (text == NULL)
		return 0;
	memcpy(text, p, n);
	if (query_read(text, keys, &query) != OK)
		return 0;
	for (size_t i = 0; keys[i].name != NULL; i++)
		for (size_t k = 0; query.value[i] != NULL && query.value[i][k] != '\0'; k++)
			if (k >= keys[i].max || query.value[i][k] < ' ' || query.value[i][k] > '~')
				abort();
	return 0;
}
