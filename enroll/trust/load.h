/* load.h - the directories of a trust source, read into a set. */
#pragma once

#include "enroll/trust/set.h"

/* Reads one source; errors as of trust_load(). */
CHECKED enum err trust_load_source(
	struct trust *trust, const struct trust_source *source, const struct trust_teller *teller);

/*
 * May this certificate have the role? A root is a CA's (X509_check_ca() says 1: basic constraints,
 * and a key usage that lets it sign, if there is one); an intermediate is a CA's, or signs CRLs.
 * ERR_INTERNAL "trust-role" when not.
 */
CHECKED enum err trust_takes(enum trust_role role, X509 *cert);
