#include "enroll/agent/fetch.h"

#include "ca/base/cert.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <string.h>

#define CERTIFICATE_MAX (16 * 1024)
#define CONNECT_MS 10000L
#define WHOLE_MS 20000L

static void curl_free_easy(CURL **curl)
{
	curl_easy_cleanup(*curl);
	*curl = NULL;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *into)
{
	struct buf *body = into;

	buf_add(body, (struct view){(const uint8_t *)bytes, size * n});
	return body->failed ? 0 : size * n;
}

static CURLcode set_verification(CURL *curl, void *ssl_ctx, void *anchors)
{
	(void)curl;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, anchors_verify_tls, anchors);
	return CURLE_OK;
}

static bool set_transport(CURL *c, const char *url, struct buf *body, char *error)
{
	return curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, WHOLE_MS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "endorse/" ENDORSE_VERSION) == CURLE_OK;
}

static bool set_tls(CURL *c, struct anchors *anchors)
{
	return curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, set_verification) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, anchors) == CURLE_OK;
}

static enum err perform(CURL *curl, const char *url, const struct buf *body, const char *error)
{
	CURLcode code = curl_easy_perform(curl);
	long status = 0;

	if (body->failed)
		return fail(ERR_REJECTED, "skae-location",
			"%s: what is there is longer than a certificate", url);
	if (code != CURLE_OK)
		return fail(ERR_BUSY, "location-away", "%s: %s", url,
			error[0] != '\0' ? error : curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 500)
		return fail(ERR_BUSY, "location-away", "%s: HTTP %ld", url, status);
	if (status != 200)
		return fail(ERR_REJECTED, "skae-location", "%s: HTTP %ld: no certificate is there",
			url, status);
	return OK;
}

enum err fetch_certificate(const char *url, struct anchors *anchors, X509 **out)
{
	AUTO(buf_free) struct buf body = BUF(CERTIFICATE_MAX);
	AUTO(curl_free_easy) CURL *curl = NULL;
	char error[CURL_ERROR_SIZE] = "";

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return fail(ERR_REJECTED, "skae-location",
			"\"%s\" is no http or https URL, and nothing else is fetched", url);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (curl = curl_easy_init()) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "fetch_certificate");
	if (!set_transport(curl, url, &body, error) || !set_tls(curl, anchors))
		return fail(
			ERR_INTERNAL, "curl", "this libcurl lacks an option that endorse needs");
	TRY(perform(curl, url, &body, error));
	if ((*out = cert_from_der(buf_view(&body))) == NULL)
		return fail(ERR_REJECTED, "skae-location",
			"%s: what is there is no certificate in DER", url);
	return OK;
}
