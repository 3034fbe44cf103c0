/* fuzz_endpointlog.c - the log of a host's endpoints; each has one text, and can be replayed. */
#include "tests/fuzz/target.h"

#include "enroll/tpm/endpointlog.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(endpoint_log_free) struct endpoint_log log;
	AUTO(buf_free) struct buf text = BUF(ENDPOINT_LOG_MAX);
	struct pcr_values values = {0};

	if (endpoint_log_parse((struct view){p, n}, &log) != OK)
		return 0;
	if (endpoint_log_encode(&log, &text) != OK ||
		!view_equal(buf_view(&text), (struct view){p, n}) ||
		endpoint_log_replay(&log, &values) != OK)
		abort();
	return 0;
}
