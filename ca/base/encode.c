#include "ca/base/encode.h"

#include <string.h>

#define QUADS 64 /* of four characters and three bytes, written at once */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t quad_write(char *quad, struct view bytes)
{
	uint32_t v = (uint32_t)bytes.p[0] << 16;

	if (bytes.n > 1)
		v |= (uint32_t)bytes.p[1] << 8;
	if (bytes.n > 2)
		v |= bytes.p[2];
	quad[0] = alphabet[v >> 18];
	quad[1] = alphabet[(v >> 12) & 63];
	quad[2] = (char)(bytes.n > 1 ? alphabet[(v >> 6) & 63] : '=');
	quad[3] = (char)(bytes.n > 2 ? alphabet[v & 63] : '=');
	return 4;
}

void base64_add(struct buf *out, struct view bytes)
{
	char text[4 * QUADS];
	size_t n = 0;

	for (size_t i = 0; i < bytes.n; i += 3) {
		n += quad_write(text + n, (struct view){bytes.p + i, bytes.n - i});
		if (n == sizeof(text) || i + 3 >= bytes.n) {
			buf_add(out, (struct view){(const uint8_t *)text, n});
			n = 0;
		}
	}
	secret_wipe(text, sizeof(text));
}

/* What each character of the alphabet stands for; -1: it is none. */
static const int8_t sextets[128] = {
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	62,
	-1,
	-1,
	-1,
	63,
	52,
	53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	0,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	26,
	27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	-1,
	-1,
	-1,
	-1,
	-1,
};

static int sextet(uint8_t c)
{
	return c < sizeof(sextets) ? sextets[c] : -1;
}

static enum err not_base64(const char *what)
{
	return refuse(ERR_MALFORMED, "base64", "RFC 4648 4", "not canonical base64: %s", what);
}

/* One quantum of four characters, of which the last `pad` are padding. */
static enum err read_quad(const uint8_t quad[static 4], size_t pad, uint8_t bytes[static 3])
{
	const int a = sextet(quad[0]), b = sextet(quad[1]), c = pad > 1 ? 0 : sextet(quad[2]),
		  d = pad > 0 ? 0 : sextet(quad[3]);
	uint32_t v;

	if ((a | b | c | d) < 0)
		return not_base64("a character outside the alphabet");
	v = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
	bytes[0] = (uint8_t)(v >> 16);
	bytes[1] = (uint8_t)(v >> 8);
	bytes[2] = (uint8_t)v;
	if ((pad > 0 && bytes[2] != 0) || (pad > 1 && bytes[1] != 0))
		return not_base64("pad bits are not zero");
	return OK;
}

enum err base64_read(struct view text, struct buf *out)
{
	uint8_t bytes[3 * QUADS];
	size_t n = 0;

	if (text.n % 4 != 0)
		return not_base64("the length is not a multiple of four");
	for (size_t i = 0; i < text.n; i += 4) {
		const uint8_t *quad = text.p + i;
		size_t pad = 0;

		if (i + 4 == text.n && quad[3] == '=')
			pad = quad[2] == '=' ? 2 : 1;
		TRY(read_quad(quad, pad, bytes + n));
		n += 3 - pad;
		if (n == sizeof(bytes) || i + 4 == text.n) {
			buf_add(out, (struct view){bytes, n});
			n = 0;
		}
	}
	secret_wipe(bytes, sizeof(bytes));
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
	char pair[3];

	for (size_t i = 0; i < bytes.n; i++) {
		hex_write((struct view){bytes.p + i, 1}, pair);
		buf_str(out, pair);
	}
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
