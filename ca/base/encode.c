#include "ca/base/encode.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Three bytes, of which the last 3 - `n` are not there. */
static void write_quad(const uint8_t *bytes, size_t n, uint8_t quad[static 4])
{
	uint32_t v = (uint32_t)bytes[0] << 16;

	if (n > 1)
		v |= (uint32_t)bytes[1] << 8;
	if (n > 2)
		v |= bytes[2];
	quad[0] = (uint8_t)alphabet[v >> 18];
	quad[1] = (uint8_t)alphabet[(v >> 12) & 63];
	quad[2] = (uint8_t)(n > 1 ? alphabet[(v >> 6) & 63] : '=');
	quad[3] = (uint8_t)(n > 2 ? alphabet[v & 63] : '=');
}

void base64_add(struct buf *out, struct view bytes)
{
	uint8_t *text = buf_extend(out, (bytes.n + 2) / 3 * 4);

	for (size_t i = 0; text != NULL && i < bytes.n; i += 3, text += 4)
		write_quad(bytes.p + i, bytes.n - i, text);
}

static int sextet(uint8_t c)
{
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

static enum err not_base64(const char *what)
{
	return refuse(ERR_MALFORMED, "base64", "RFC 4648 4", "not canonical base64: %s", what);
}

/* One quantum of four characters, of which the last `pad` are padding. */
static enum err read_quad(const uint8_t quad[static 4], size_t pad, struct buf *out)
{
	uint32_t v = 0;
	uint8_t bytes[3];

	for (size_t i = 0; i < 4; i++) {
		int six = i < 4 - pad ? sextet(quad[i]) : 0;

		if (six < 0)
			return not_base64("a character outside the alphabet");
		v = v << 6 | (uint32_t)six;
	}
	bytes[0] = (uint8_t)(v >> 16);
	bytes[1] = (uint8_t)(v >> 8);
	bytes[2] = (uint8_t)v;
	for (size_t i = 3 - pad; i < 3; i++)
		if (bytes[i] != 0)
			return not_base64("pad bits are not zero");
	buf_add(out, (struct view){bytes, 3 - pad});
	return OK;
}

enum err base64_read(struct view text, struct buf *out)
{
	if (text.n % 4 != 0)
		return not_base64("the length is not a multiple of four");
	for (size_t i = 0; i < text.n; i += 4) {
		const uint8_t *quad = text.p + i;
		size_t pad = 0;

		if (i + 4 == text.n && quad[3] == '=')
			pad = quad[2] == '=' ? 2 : 1;
		TRY(read_quad(quad, pad, out));
	}
	return buf_ok(out);
}

void hex_write(struct view bytes, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.n; i++) {
		text[2 * i] = digits[bytes.p[i] >> 4];
		text[2 * i + 1] = digits[bytes.p[i] & 15];
	}
	text[2 * bytes.n] = '\0';
}

void hex_add(struct buf *out, struct view bytes)
{
	uint8_t *text = buf_extend(out, 2 * bytes.n);

	/* The NUL goes where the buffer has its own. */
	if (text != NULL)
		hex_write(bytes, (char *)text);
}

static int nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err hex_read(struct view text, uint8_t *out, size_t n)
{
	if (text.n != 2 * n)
		return fail(ERR_MALFORMED, "hex", "wanted %zu hexadecimal digits, got %zu", 2 * n,
			text.n);
	for (size_t i = 0; i < n; i++) {
		int high = nibble(text.p[2 * i]), low = nibble(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return fail(
				ERR_MALFORMED, "hex", "digit pair %zu is not hexadecimal", i + 1);
		out[i] = (uint8_t)(high << 4 | low);
	}
	return OK;
}
