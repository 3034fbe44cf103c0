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

static void add_le32(uint8_t *at, size_t more)
{
	size_t sum = more;

	for (int i = 0; i < 4; i++) {
		sum += at[i];
		at[i] = (uint8_t)sum;
		sum >>= 8;
	}
}

void cabinet_hide(const char *path, const char *other)
{
	AUTO(buf_free) struct buf bytes = BUF(1 << 20);
	size_t before;

	must(file_read(path, &bytes) == OK, "%s", why()->sentence);
	before = bytes.n;
	must(file_read(other, &bytes) == OK, "%s", why()->sentence);
	while ((bytes.n - before) % 8 != 0)
		buf_u8(&bytes, 0);
	/* [MS-CAB] has 20 reserved bytes at 40 of the header: where the signature is, and its length. */
	add_le32(bytes.p + 48, bytes.n - before);
	write_file(path, 0644, buf_view(&bytes));
}
