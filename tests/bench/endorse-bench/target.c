#include "tests/bench/endorse-bench/target.h"

#include "ca/base/mem.h"
#include "tests/bench/endorse-bench/lean.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static int verify(X509_STORE_CTX *ctx, void *of)
{
	struct target *target = of;
	uint8_t digest[sizeof(target->judged)];

	if (X509_digest(X509_STORE_CTX_get0_cert(ctx), EVP_sha256(), digest, NULL) != 1)
		return 0;
	if (target->has_judged && memcmp(digest, target->judged, sizeof(digest)) == 0) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (X509_verify_cert(ctx) != 1)
		return 0;
	memcpy(target->judged, digest, sizeof(digest));
	target->has_judged = true;
	return 1;
}

static bool is_address(const char *host)
{
	struct in6_addr any;

	return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

static bool expect_host(SSL_CTX *tls, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls);

	return is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1
				: X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

static enum err make_tls(const char *ca, struct target *out)
{
	OSSL_LIB_CTX *lean;

	TRY(lean_libctx(&lean));
	out->tls = SSL_CTX_new_ex(lean, NULL, TLS_client_method());
	if (out->tls == NULL || SSL_CTX_set_min_proto_version(out->tls, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set1_groups_list(out->tls, "X25519:P-256") != 1 ||
		!expect_host(out->tls, out->host))
		return fail(ERR_INTERNAL, "bench-ca", "libssl does not know TLS 1.3");
	if (ca == NULL || SSL_CTX_load_verify_file(out->tls, ca) != 1)
		return fail(ERR_INTERNAL, "bench-ca",
			"%s has no certificates: --ca names a PEM file with the roots of the edge",
			ca == NULL ? "nothing" : ca);
	SSL_CTX_set_verify(out->tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(out->tls, verify, out);
	SSL_CTX_set_session_cache_mode(out->tls, SSL_SESS_CACHE_OFF);
	/* Who closes without a word in front of it is gone all the same. */
	SSL_CTX_set_options(out->tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Fewer reads, and no buffers for those who wait. */
	SSL_CTX_set_read_ahead(out->tls, 1);
	SSL_CTX_set_mode(out->tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return OK;
}

/* "https://[::1]:8443/" -> host and port */
static bool split(const char *url, struct target *out, char port[static 8])
{
	const char *p = strstr(url, "://");
	size_t n;

	if (p == NULL || (strncmp(url, "https:", 6) != 0 && strncmp(url, "http:", 5) != 0))
		return false;
	p += 3;
	out->is_tls = url[4] == 's';
	n = p[0] == '[' ? strcspn(p, "]") + (strchr(p, ']') != NULL) : strcspn(p, ":/");
	if (n == 0 || n >= sizeof(out->host))
		return false;
	snprintf(out->authority, sizeof(out->authority), "%.*s", (int)strcspn(p, "/"), p);
	if (p[0] == '[')
		snprintf(out->host, sizeof(out->host), "%.*s", (int)n - 2, p + 1);
	else
		snprintf(out->host, sizeof(out->host), "%.*s", (int)n, p);
	snprintf(port, 8, "%s", out->is_tls ? "443" : "80");
	if (p[n] == ':')
		snprintf(port, 8, "%.*s", (int)strcspn(p + n + 1, "/"), p + n + 1);
	n += strcspn(p + n, "/");
	return strcmp(p + n, "") == 0 || strcmp(p + n, "/") == 0;
}

static enum err find(struct target *out, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL, *use;
	int status = getaddrinfo(out->host, port, &hints, &found);

	if (status != 0)
		return fail(
			ERR_INTERNAL, "bench-connect", "%s: %s", out->host, gai_strerror(status));
	/* IPv4 where there is both: --sources has addresses of it, and edges of ours listen there. */
	for (use = found; use->ai_next != NULL && use->ai_family != AF_INET;)
		use = use->ai_next;
	memcpy(&out->address, use->ai_addr, use->ai_addrlen);
	out->address_n = use->ai_addrlen;
	freeaddrinfo(found);
	return OK;
}

enum err target_make(const char *url, const char *ca, struct target *out)
{
	char port[8];

	*out = (struct target){.is_tls = false};
	if (url == NULL || !split(url, out, port))
		return fail(ERR_MALFORMED, "bench-url",
			"\"%s\" is no https://HOST[:PORT]: --url says where the service is",
			url == NULL ? "" : url);
	TRY(find(out, port));
	return out->is_tls ? make_tls(ca, out) : OK;
}

void target_free(struct target *target)
{
	SSL_CTX_free(target->tls);
	*target = (struct target){.is_tls = false};
}
