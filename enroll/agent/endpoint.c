#include "enroll/agent/endpoint.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_MS 10000L
#define KEY_MAX (64 * 1024)
#define ADDRESS_MAX 300

enum err endpoint_read_key(const char *path, EVP_PKEY **out)
{
	AUTO(buf_free) struct buf pem = BUF(KEY_MAX);
	AUTO(bio_free) BIO *bio = NULL;

	TRY(file_read(path, &pem));
	bio = BIO_new_mem_buf(buf_text(&pem), (int)pem.n);
	*out = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	ERR_clear_error();
	if (*out == NULL)
		return fail(ERR_INTERNAL, "pem-file",
			"%s: no public key in PEM (openssl pkey -pubout makes one of a private "
			"key)",
			path);
	return OK;
}

/* The colon before the port; NULL when there is none, or what follows is no port. */
static const char *port_of(const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t digits = colon == NULL ? 0 : strspn(colon + 1, "0123456789");

	if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' || colon == address)
		return NULL;
	return colon;
}

bool endpoint_host(const char *address, char *host, size_t room)
{
	const char *end = port_of(address);
	size_t n = end == NULL ? 0 : (size_t)(end - address);

	if (n > 1 && address[0] == '[' && end[-1] == ']') {
		address++;
		n -= 2;
	} else if (end != NULL && memchr(address, ':', n) != NULL) {
		return false;
	}
	if (n == 0 || n >= room)
		return false;
	memcpy(host, address, n);
	host[n] = '\0';
	return true;
}

/* Whoever shows whatever certificate is talked to: link_judge() says what it is worth. */
static int take_certificate(X509_STORE_CTX *ctx, void *of)
{
	X509 **taken = of, *shown = X509_STORE_CTX_get0_cert(ctx);

	if (*taken == NULL && shown != NULL && X509_up_ref(shown) == 1)
		*taken = shown;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return *taken != NULL;
}

static CURLcode set_taking(CURL *curl, void *ssl_ctx, void *taken)
{
	(void)curl;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, take_certificate, taken);
	return CURLE_OK;
}

static void curl_free_easy(CURL **curl)
{
	curl_easy_cleanup(*curl);
	*curl = NULL;
}

static void slist_free(struct curl_slist **list)
{
	curl_slist_free_all(*list);
	*list = NULL;
}

/* The URL has the name, for SNI; the connection goes to the address. */
static bool set_target(
	CURL *c, const char *address, const char *name, struct curl_slist **connect_to)
{
	char url[ADDRESS_MAX], to[2 * ADDRESS_MAX];

	snprintf(url, sizeof(url), "https://%s:443/", name);
	snprintf(to, sizeof(to), "::%s", address);
	*connect_to = curl_slist_append(NULL, to);
	return *connect_to != NULL && curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECT_TO, *connect_to) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, CONNECT_MS) == CURLE_OK;
}

static bool set_tls(CURL *c, X509 **taken, char *error)
{
	return curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       /* Names are compared by link_judge(), which also says which differ. */
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, set_taking) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, taken) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error) == CURLE_OK;
}

enum err endpoint_connect(const char *address, const char *name, X509 **out)
{
	AUTO(slist_free) struct curl_slist *connect_to = NULL;
	AUTO(curl_free_easy) CURL *curl = NULL;
	AUTO(x509_free) X509 *taken = NULL;
	char error[CURL_ERROR_SIZE] = "", host[ADDRESS_MAX];
	CURLcode code;

	if (!endpoint_host(address, host, sizeof(host)))
		return fail(ERR_MALFORMED, "usage", "\"%s\" is not HOST:PORT", address);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (curl = curl_easy_init()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "endpoint_connect");
	if (!set_target(curl, address, name, &connect_to) || !set_tls(curl, &taken, error))
		return fail(
			ERR_INTERNAL, "curl", "this libcurl lacks an option that endorse needs");
	code = curl_easy_perform(curl);
	if (code != CURLE_OK || taken == NULL)
		return fail(ERR_BUSY, "endpoint-away", "no TLS with %s: %s", address,
			error[0] != '\0' ? error : curl_easy_strerror(code));
	*out = MOVE(taken);
	return OK;
}
