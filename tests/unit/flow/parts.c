/* Keys, public areas and certificates: the same as for the tests of enroll/tpm. */
#include "tests/unit/tpm/area.c"
#include "tests/unit/tpm/scratch.c"
#include "tests/unit/tpm/weak.c"
#include "tests/unit/tpm/witness.c"
#include "tests/unit/trust/pki.c"
