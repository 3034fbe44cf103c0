/* network.h - ranges of addresses, IPv4 and IPv6. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* An IPv4 range is the one of its IPv4-mapped addresses (RFC 4291 2.5.5.2): ::ffff:192.0.2.0/120. */
struct network {
	uint8_t address[16];
	unsigned bits; /* of it that count, 0 to 128 */
};

/*
 * Reads "192.0.2.0/24", "2001:db8::/32", or one address. NULL, or what is wrong with the text: also a bit that
 * is set behind those that count, which somebody has meant otherwise.
 */
const char *network_read(const char *text, struct network *out);

/* What one source of requests is, as the edge counts them too: an IPv4 address, or the /64 of an IPv6 one ("2001:db8::").
 * All that is no address is one, "?". */
void network_source(const char *address, char out[static INET6_ADDRSTRLEN]);

/* Is the address in it? One that is no address is in none. An IPv4-mapped one is the IPv4 address. */
bool network_has(const struct network *network, const char *address);
