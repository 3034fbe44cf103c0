/* Public areas and scratch directories: the same as for the tests of enroll/tpm. */
#include "tests/unit/tpm/area.c"
#include "tests/unit/tpm/scratch.c"
