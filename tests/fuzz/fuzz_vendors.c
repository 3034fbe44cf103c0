/* fuzz_vendors.c - what is sent to the trust set, and what is answered about it. */
#include "tests/fuzz/target.h"

#include "enroll/proto/trustlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(import_request_free) struct import_request request = {.n = 0};
	AUTO(import_answer_free) struct import_answer answer = {.n = 0};
	AUTO(trust_list_free) struct trust_list list = {.n = 0};
	struct remove_request removal;
	const struct view json = {p, n};

	if (import_request_parse(json, &request) == OK ||
		import_answer_parse(json, &answer) == OK || trust_list_parse(json, &list) == OK ||
		remove_request_parse(json, &removal) == OK)
		return 0;
	return 0;
}
