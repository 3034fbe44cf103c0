#include "ca/sshwire.h"

void sshwire_add_u32(struct buf *out, uint32_t value)
{
	const uint8_t be[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value};

	buf_add(out, VIEW(be));
}

void sshwire_add_string(struct buf *out, struct view bytes)
{
	if (bytes.n > UINT32_MAX) {
		out->failed = true;
		return;
	}
	sshwire_add_u32(out, (uint32_t)bytes.n);
	buf_add(out, bytes);
}

void sshwire_add_mpint(struct buf *out, struct view number)
{
	while (number.n > 0 && number.p[0] == 0) {
		number.p++;
		number.n--;
	}
	if (number.n == 0 || number.p[0] < 0x80) {
		sshwire_add_string(out, number);
		return;
	}
	sshwire_add_u32(out, (uint32_t)number.n + 1);
	buf_u8(out, 0);
	buf_add(out, number);
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | p[i];
	return value;
}

static bool take(struct view *rest, size_t n, struct view *out)
{
	if (rest->n < n)
		return false;
	*out = (struct view){rest->p, n};
	/* An empty view may have no bytes to point at. */
	if (n > 0)
		*rest = (struct view){rest->p + n, rest->n - n};
	return true;
}

bool sshwire_u32(struct view *rest, uint32_t *out)
{
	struct view bytes;

	if (!take(rest, 4, &bytes))
		return false;
	*out = (uint32_t)big_endian(bytes.p, bytes.n);
	return true;
}

bool sshwire_u64(struct view *rest, uint64_t *out)
{
	struct view bytes;

	if (!take(rest, 8, &bytes))
		return false;
	*out = big_endian(bytes.p, bytes.n);
	return true;
}

bool sshwire_string(struct view *rest, struct view *out)
{
	struct view at = *rest;
	uint32_t n;

	if (!sshwire_u32(&at, &n) || !take(&at, n, out))
		return false;
	*rest = at;
	return true;
}

bool sshwire_mpint(struct view *rest, struct view *out)
{
	struct view at = *rest, number;

	if (!sshwire_string(&at, &number) || number.n == 0 || number.p[0] >= 0x80)
		return false;
	if (number.p[0] == 0 && (number.n == 1 || number.p[1] < 0x80))
		return false;
	*out = number;
	*rest = at;
	return true;
}
