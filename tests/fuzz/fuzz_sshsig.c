/* fuzz_sshsig.c - an armored signature of OpenSSH's; none that is not of the key is taken. */
#include "tests/fuzz/target.h"

#include "ca/sshsig.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf key = BUF(SSHSIG_MAX);
	const struct view armored = {p, n};
	struct view signer;

	if (sshsig_signer(armored, &key) != OK)
		return 0;
	/* Nobody signed this message: whatever is taken was forged. */
	signer = buf_view(&key);
	if (sshsig_verify(armored, SSHSIG_KRL, view_str("never signed"), &signer, 1) == OK)
		abort();
	return 0;
}
