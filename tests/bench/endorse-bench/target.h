/* target.h - whom the clients of one thread talk to: the address, and the certificate that they know it by. */
#pragma once

#include "ca/base/err.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct target {
	bool is_tls;
	char host[256]; /* as in the URL, without brackets */
	char authority[272]; /* for the Host header */
	struct sockaddr_storage address;
	socklen_t address_n;
	SSL_CTX *tls; /* TLS 1.3, no session is kept: each client comes for the first time */
	uint8_t judged[32]; /* SHA-256 of the server's certificate that was verified last */
	bool has_judged;
};

/*
 * `ca` is a PEM file of roots; NULL with http. ERR_MALFORMED "bench-url"; ERR_INTERNAL "bench-ca", "bench-connect".
 * `out` must stay where it is, and is for target_free().
 *
 * The server's certificate is verified with its chain and host name as a client does, but only once
 * for each that is seen: a thousand devices in one process would verify the same one a thousand
 * times, at 0.2 ms that are no part of what is measured.
 */
CHECKED enum err target_make(const char *url, const char *ca, struct target *out);
void target_free(struct target *target);
