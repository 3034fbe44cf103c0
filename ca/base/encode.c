#include "ca/base/encode.h"

#include <string.h>

#define QUADS 64 /* of four characters and three bytes, written at once */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void quad_write(char *quad, const uint8_t bytes[static 3])
{
	const uint32_t v = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];

	quad[0] = alphabet[v >> 18];
	quad[1] = alphabet[(v >> 12) & 63];
	quad[2] = alphabet[(v >> 6) & 63];
	quad[3] = alphabet[v & 63];
}

/* The one or two bytes behind the last three. */
static size_t rest_write(char *quad, struct view rest)
{
	uint8_t bytes[3] = {0};

	if (rest.n == 0)
		return 0;
	memcpy(bytes, rest.p, rest.n);
	quad_write(quad, bytes);
	quad[3] = '=';
	if (rest.n == 1)
		quad[2] = '=';
	return 4;
}

void base64_add(struct buf *out, struct view bytes)
{
	char text[4 * QUADS];
	size_t n = 0, i;

	for (i = 0; bytes.n - i >= 3; i += 3) {
		quad_write(text + n, bytes.p + i);
		n += 4;
		if (n == sizeof(text)) {
			buf_add(out, (struct view){(const uint8_t *)text, n});
			n = 0;
		}
	}
	n += rest_write(text + n, (struct view){bytes.p + i, bytes.n - i});
	if (n > 0)
		buf_add(out, (struct view){(const uint8_t *)text, n});
	secret_wipe(text, sizeof(text));
}

/* What each character of the alphabet stands for; -1: it is none. */
static const int8_t sextets[128] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, 62, -1, -1, -1, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1,
	-1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, -1, -1, -1, -1, -1, -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
	39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1};

static int sextet(uint8_t c)
{
	return c < sizeof(sextets) ? sextets[c] : -1;
}

static enum err not_base64(const char *what)
{
	return refuse(ERR_MALFORMED, "base64", "RFC 4648 4", "not canonical base64: %s", what);
}

/* Four characters of the alphabet as 24 bits; -1 when one is none. */
static int32_t quad_read(const uint8_t quad[static 4])
{
	const int a = sextet(quad[0]), b = sextet(quad[1]), c = sextet(quad[2]),
		  d = sextet(quad[3]);

	return (a | b | c | d) < 0 ? -1 : a << 18 | b << 12 | c << 6 | d;
}

static void bytes_write(int32_t bits, uint8_t bytes[static 3])
{
	bytes[0] = (uint8_t)(bits >> 16);
	bytes[1] = (uint8_t)(bits >> 8);
	bytes[2] = (uint8_t)bits;
}

/* All but what ends with padding. */
static enum err read_quads(struct view text, struct buf *out)
{
	uint8_t bytes[3 * QUADS];
	int32_t bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i += 4) {
		if ((bits = quad_read(text.p + i)) < 0)
			break;
		bytes_write(bits, bytes + n);
		n += 3;
		if (n == sizeof(bytes)) {
			buf_add(out, (struct view){bytes, n});
			n = 0;
		}
	}
	if (n > 0)
		buf_add(out, (struct view){bytes, n});
	secret_wipe(bytes, sizeof(bytes));
	return bits < 0 ? not_base64("a character outside the alphabet") : OK;
}

/* The last four characters, of which one or two are padding. */
static enum err read_padded(const uint8_t padded[static 4], struct buf *out)
{
	const size_t pad = padded[2] == '=' ? 2 : 1;
	const uint8_t quad[4] = {padded[0], padded[1], pad > 1 ? 'A' : padded[2], 'A'};
	const int32_t bits = quad_read(quad);
	uint8_t bytes[3];

	if (bits < 0)
		return not_base64("a character outside the alphabet");
	bytes_write(bits, bytes);
	if (bytes[2] != 0 || (pad > 1 && bytes[1] != 0))
		return not_base64("pad bits are not zero");
	buf_add(out, (struct view){bytes, 3 - pad});
	return OK;
}

enum err base64_read(struct view text, struct buf *out)
{
	const bool is_padded = text.n >= 4 && text.p[text.n - 1] == '=';

	if (text.n % 4 != 0)
		return not_base64("the length is not a multiple of four");
	if (is_padded)
		text.n -= 4;
	TRY(read_quads(text, out));
	if (is_padded)
		TRY(read_padded(text.p + text.n, out));
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
