/* fuzz_sshkey.c - a public key of OpenSSH's; what is read is written as it was, and OpenSSL takes it. */
#include "tests/fuzz/target.h"

#include "ca/base/ossl.h"
#include "ca/sshkey.h"

#include <stdlib.h>

static void must_be(bool is_so)
{
	if (!is_so)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf bits = BUF(SSHKEY_MAX), again = BUF(SSHKEY_MAX);
	AUTO(buf_free) struct buf text = BUF(2 * SSHKEY_MAX), blob = BUF(SSHKEY_MAX);
	AUTO(pkey_free) EVP_PKEY *public = NULL;
	const struct view bytes = {p, n};
	struct grant_key key;

	/* Lines and blobs share no first byte, so one corpus serves both. */
	if (sshkey_line(bytes, &blob) == OK)
		must_be(sshkey_parse(buf_view(&blob), &bits, &key) == OK);
	buf_free(&bits);
	if (sshkey_parse(bytes, &bits, &key) != OK)
		return 0;
	must_be(sshkey_blob(&key, &again) == OK && view_equal(bytes, buf_view(&again)));
	must_be(sshkey_public(bytes, &public) == OK);
	buf_free(&again);
	must_be(sshkey_blob_of(public, &again) == OK && view_equal(bytes, buf_view(&again)));
	must_be(sshkey_text(bytes, &text) == OK);
	buf_free(&blob);
	must_be(sshkey_line(buf_view(&text), &blob) == OK && view_equal(bytes, buf_view(&blob)));
	return 0;
}
