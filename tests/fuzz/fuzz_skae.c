/* fuzz_skae.c - the value of an SKAE extension. */
#include "tests/fuzz/target.h"

#include "ca/skae.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(skae_free) struct skae skae;
	AUTO(skae_free) struct skae same;
	AUTO(buf_free) struct buf der = BUF(2 * SKAE_MAX);
	struct grant_evidence said = {.ak_location = skae.ak_location};

	skae_init(&skae);
	skae_init(&same);
	if (skae_parse((struct view){p, n}, &skae) != OK)
		return 0;
	said.public = buf_view(&skae.public);
	said.attest = buf_view(&skae.attest);
	said.signature = buf_view(&skae.signature);
	if (skae_encode(&said, &der) != OK || skae_parse(buf_view(&der), &same) != OK ||
		strcmp(skae.ak_location, same.ak_location) != 0 ||
		!view_equal(said.public, buf_view(&same.public)))
		abort();
	return 0;
}
