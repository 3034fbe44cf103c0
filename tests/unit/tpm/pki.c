/* Certificates: the same as for the tests of enroll/trust. */
#include "tests/unit/trust/pki.c"
