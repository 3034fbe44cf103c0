/* An issuing CA: the same as for the tests of ca. */
#include "tests/unit/ca/issuer.c"
