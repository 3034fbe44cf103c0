/* fuzz_renew_request.c - the body of POST /v1/renew, and the request in it. */
#include "tests/fuzz/target.h"

#include "enroll/proto/message.h"
#include "enroll/proto/renewal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(renew_request_free) struct renew_request whole;
	AUTO(request_free) struct request request;

	renew_request_init(&whole);
	request_init(&request);
	if (renew_request_parse((struct view){p, n}, &whole) != OK ||
		renewal_request_parse(buf_view(&whole.request), &request) != OK)
		return 0;
	if (request.keys_n == 0 || request.keys_n > LIMIT_KEYS || request.is_check ||
		request.host[0] == '\0')
		abort();
	return 0;
}
