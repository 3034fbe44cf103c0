/* fuzz_ocsp.c - what is asked of the OCSP responder. */
#include "tests/fuzz/target.h"

#include "ca/ocsp_request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct ocsp_request request;

	if (ocsp_request_parse((struct view){p, n}, &request) != OK)
		return 0;
	if (request.n == 0 || request.n > OCSP_IDS_MAX || request.nonce_n > OCSP_NONCE_MAX)
		abort();
	/* Each CertID is repeated as it was sent. */
	for (size_t i = 0; i < request.n; i++)
		if (request.ids[i].serial_n == 0 || request.ids[i].serial_n > OCSP_SERIAL_MAX ||
			memmem(p, n, request.ids[i].der, request.ids[i].der_n) == NULL)
			abort();
	return 0;
}
