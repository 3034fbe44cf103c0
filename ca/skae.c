#include "ca/skae.h"

enum err skae_add(X509 *cert, const struct grant_evidence *evidence)
{
	(void)cert;
	(void)evidence;
	return fail(ERR_INTERNAL, "crypto", "not built yet");
}
