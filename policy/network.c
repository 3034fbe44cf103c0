#include "policy/network.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MAPPED 96 /* bits of ::ffff:0:0/96 */
#define SITE 64 /* bits of an IPv6 address that somebody is given; the rest are his to choose */

/* `*is_v4`: the text is one of IPv4, whose bits count from behind the mapped prefix. */
static bool read_address(const char *text, uint8_t out[static 16], bool *is_v4)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(out, mapped, sizeof(mapped));
	*is_v4 = inet_pton(AF_INET, text, out + sizeof(mapped)) == 1;
	return *is_v4 || inet_pton(AF_INET6, text, out) == 1;
}

/* Digits only, none in front for nothing. */
static bool read_bits(const char *text, unsigned max, unsigned *out)
{
	size_t n = strlen(text);

	if (n == 0 || n > 3 || strspn(text, "0123456789") != n || (n > 1 && text[0] == '0'))
		return false;
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out = *out * 10 + (unsigned)(text[i] - '0');
	return *out <= max;
}

static bool bit(const uint8_t *address, unsigned i)
{
	return address[i / 8] >> (7 - i % 8) & 1;
}

const char *network_read(const char *text, struct network *out)
{
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	char address[INET6_ADDRSTRLEN] = "";
	unsigned max;
	bool is_v4;

	if (n >= sizeof(address))
		return "no address is so long";
	snprintf(address, sizeof(address), "%.*s", (int)n, text);
	if (!read_address(address, out->address, &is_v4))
		return "not an IPv4 or IPv6 address, or a range such as 192.0.2.0/24";
	max = is_v4 ? 32 : 128;
	out->bits = max;
	if (slash != NULL && !read_bits(slash + 1, max, &out->bits))
		return is_v4 ? "behind the / of an IPv4 range is a number from 0 to 32"
			     : "behind the / of an IPv6 range is a number from 0 to 128";
	out->bits += is_v4 ? MAPPED : 0;
	for (unsigned i = out->bits; i < 128; i++)
		if (bit(out->address, i))
			return "a range has no bits set behind its prefix: write its first address";
	return NULL;
}

void network_source(const char *address, char out[static INET6_ADDRSTRLEN])
{
	struct network mapped = {.bits = MAPPED};
	uint8_t bytes[16];
	bool is_v4;

	snprintf(out, INET6_ADDRSTRLEN, "?");
	if (!read_address(address, bytes, &is_v4))
		return;
	memset(mapped.address + 10, 0xff, 2);
	if (network_has(&mapped, address)) {
		inet_ntop(AF_INET, bytes + MAPPED / 8, out, INET6_ADDRSTRLEN);
		return;
	}
	memset(bytes + SITE / 8, 0, sizeof(bytes) - SITE / 8);
	inet_ntop(AF_INET6, bytes, out, INET6_ADDRSTRLEN);
}

bool network_has(const struct network *network, const char *address)
{
	uint8_t bytes[16];
	bool is_v4;

	if (!read_address(address, bytes, &is_v4))
		return false;
	for (unsigned i = 0; i < network->bits; i++)
		if (bit(bytes, i) != bit(network->address, i))
			return false;
	return true;
}
