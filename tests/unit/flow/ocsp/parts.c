/* The same as for the tests of ca. */
#include "tests/unit/ca/asker.c"
#include "tests/unit/ca/issuer.c"
#include "tests/unit/tpm/scratch.c"
