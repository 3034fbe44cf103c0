/* fuzz_ek_public.c - the public area that a device sends beside its EK certificate. */
#include "tests/fuzz/target.h"

#include "ca/base/ossl.h"
#include "enroll/tpm/ekpublic.h"
#include "enroll/tpm/tss.h"

#include <stdlib.h>

/* As if the certificate were for the very key that is sent: only the rest of the area decides. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf rebuilt = BUF(EK_PUBLIC_MAX);
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	const struct ek_template *tmpl;
	const struct view sent = {p, n};
	enum key_kind kind;
	TPMT_PUBLIC area;

	if (public_read(sent, &area) != OK || public_pkey(&area, &key, &kind) != OK ||
		ek_public_match(sent, key, &tmpl) != OK)
		return 0;
	if (tmpl->kind != kind || ek_public_build(tmpl, key, &rebuilt) != OK ||
		!view_equal(sent, buf_view(&rebuilt)))
		abort();
	return 0;
}
