/* fuzz_sshcert.c - an OpenSSH certificate; one that its CA signed is for its key and for somebody. */
#include "tests/fuzz/target.h"

#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "ca/sshwire.h"

#include <stdlib.h>
#include <string.h>

/* The key in it, as a blob of its own. */
static void key_of(const struct ssh_certificate *certificate, struct buf *blob)
{
	size_t suffix = strlen(SSH_CERTIFICATE_SUFFIX);

	sshwire_add_string(
		blob, (struct view){certificate->key_type.p, certificate->key_type.n - suffix});
	buf_add(blob, certificate->public_key);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf blob = BUF(SSHKEY_MAX), bits = BUF(SSHKEY_MAX);
	struct ssh_certificate read;
	struct view rest, one;
	struct grant_key key;
	size_t principals = 0;

	if (ssh_certificate_parse((struct view){p, n}, &read) != OK)
		return 0;
	key_of(&read, &blob);
	if (!ssh_certificate_is_for(&read, buf_view(&blob)) ||
		sshkey_parse(buf_view(&blob), &bits, &key) != OK)
		abort();
	for (rest = read.principals; ssh_string_next(&rest, &one);)
		principals++;
	if (principals == 0 || rest.n > 0 || read.body.n + 4 + read.signature.n != n)
		abort();
	if (ssh_certificate_verify(&read) == OK && read.signature_key.n == 0)
		abort();
	return 0;
}
