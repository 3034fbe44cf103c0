#include "tests/flow/cabinet.h"

#include "ca/base/file.h"
#include "tests/flow/process.h"

#include <string.h>

void cabinet_make(const char *dir, const char *cab)
{
	MUST_RUN("sh", "-c",
		"cd \"$1\" && find . -type f -printf '%P\\0' | sort -z | xargs -0 gcab -c \"$2\"",
		"sh", dir, cab);
}

void cabinet_sign(const struct notary *signer, const char *from, const char *to)
{
	AUTO(mem_free) char *certificate = text("%s.signer.pem", to);
	AUTO(mem_free) char *key = text("%s.signer.key", to);

	notary_write(signer, certificate, key);
	MUST_RUN("osslsigncode", "sign", "-certs", certificate, "-key", key, "-in", from, "-out",
		to);
}

void cabinet_patch(const char *path, const char *what, const char *with, size_t n)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 20);
	uint8_t *at;

	must(file_read(path, &bytes) == OK, "%s", why()->sentence);
	at = memmem(bytes.p, bytes.n, what, n);
	must(at != NULL, "%s: nothing to patch", path);
	memcpy(at, with, n);
	write_file(path, 0644, buf_view(&bytes));
}
