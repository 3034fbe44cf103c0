/* CRLs: the same as for the tests of enroll/trust. */
#include "tests/unit/trust/lists.c"
