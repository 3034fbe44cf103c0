#include "enroll/agent/http.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/agent/interrupt.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 10000L
#define GET_MS 30000L

struct http {
	CURL *curl;
	struct curl_slist *headers;
	struct anchors *anchors;
	char *server;
	char error[CURL_ERROR_SIZE];
};

static void url_free(CURLU **url)
{
	curl_url_cleanup(*url);
	*url = NULL;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

enum err http_server_parse(const char *text, char **out)
{
	AUTO(url_free) CURLU *url = curl_url();
	size_t n = strlen(text);

	while (n > 0 && text[n - 1] == '/')
		n--;
	if (strncmp(text, "https://", 8) != 0)
		return fail(ERR_MALFORMED, "usage",
			"--server: wanted an https:// URL, not \"%s\": the EK certificate names "
			"this "
			"TPM for ever, so it is not sent in the clear",
			text);
	if (n > HTTP_SERVER_MAX || url == NULL ||
		curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
		has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
		has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		return fail(ERR_MALFORMED, "usage",
			"--server: \"%s\" is no URL of the form https://name[:port][/path]", text);
	*out = strndup(text, n);
	return *out == NULL ? fail(ERR_INTERNAL, "out-of-memory", "--server") : OK;
}

void http_close(struct http **http)
{
	if (*http == NULL)
		return;
	curl_easy_cleanup((*http)->curl);
	curl_slist_free_all((*http)->headers);
	free((*http)->server);
	free(*http);
	*http = NULL;
}

static CURLcode set_verification(CURL *curl, void *ssl_ctx, void *anchors)
{
	(void)curl;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, anchors_verify_tls, anchors);
	return CURLE_OK;
}

static int stop_when_interrupted(
	void *unused, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	(void)unused, (void)down_all, (void)down, (void)up_all, (void)up;
	return interrupt_pending() ? 1 : 0;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *into)
{
	struct buf *body = into;

	buf_add(body, (struct view){(const uint8_t *)bytes, size * n});
	return body->failed ? 0 : size * n;
}

static bool set_transport(struct http *http, const struct http_options *options)
{
	CURL *c = http->curl;

	return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, options->proxy == NULL ? "" : options->proxy) ==
		       CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       /* Two small requests gain nothing by HTTP/2, where an early answer can get lost. */
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, http->error) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, stop_when_interrupted) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, http->headers) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "endorse/" ENDORSE_VERSION) == CURLE_OK;
}

static bool set_tls(struct http *http)
{
	CURL *c = http->curl;

	return curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
	       /* The system's CAs are not ours: only anchors_verify_tls() decides. */
	       curl_easy_setopt(c, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, set_verification) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, http->anchors) == CURLE_OK;
}

static bool add_header(struct http *http, const char *header)
{
	struct curl_slist *longer = curl_slist_append(http->headers, header);

	if (longer != NULL)
		http->headers = longer;
	return longer != NULL;
}

enum err http_open(const struct http_options *options, struct http **out)
{
	AUTO(http_close) struct http *http = calloc(1, sizeof(*http));

	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		(http->curl = curl_easy_init()) == NULL ||
		(http->server = strdup(options->server)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "http_open");
	http->anchors = options->anchors;
	if (!add_header(http, "Content-Type: application/json") ||
		!add_header(http, "Accept: application/json, application/problem+json") ||
		/* Whole bodies at once: no round trip to ask whether one may come. */
		!add_header(http, "Expect:") || !set_transport(http, options) || !set_tls(http))
		return fail(
			ERR_INTERNAL, "curl", "this libcurl lacks an option that endorse needs");
	*out = MOVE(http);
	return OK;
}

/* `json` without a pointer: GET. */
static CURLcode perform(struct http *http, const char *path, struct view json,
	const struct retry *retry, struct buf *body)
{
	CURL *c = http->curl;
	char url[2048];

	http->error[0] = '\0';
	snprintf(url, sizeof(url), "%s%s", http->server, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	if (json.p == NULL) {
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	} else {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, json.p);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.n);
	}
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)retry_left_ms(retry));
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
	return curl_easy_perform(c);
}

static bool is_away_code(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static bool is_away_status(long status)
{
	return status == 408 || status == 429 || (status >= 502 && status <= 504);
}

int64_t http_retry_after(struct http *http)
{
	struct curl_header *header = NULL;
	int64_t seconds = -1;

	if (curl_easy_header(http->curl, "Retry-After", 0, CURLH_HEADER, -1, &header) ==
			CURLHE_OK &&
		!retry_after_parse(header->value, clock_now(), &seconds))
		seconds = -1;
	return seconds;
}

static enum err transport_failed(
	struct http *http, CURLcode code, const struct buf *body, struct retry *retry)
{
	const char *words = http->error[0] != '\0' ? http->error : curl_easy_strerror(code);
	char what[512];

	TRY(interrupt_check());
	if (anchors_tls_problem(http->anchors)[0] != '\0')
		return fail(ERR_DENIED, "service-not-trusted",
			"%s is not the service it should be: %s", http->server,
			anchors_tls_problem(http->anchors));
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return fail(ERR_DENIED, "service-not-trusted",
			"%s is not the service it should be: %s", http->server, words);
	if (body->failed)
		return fail(ERR_MALFORMED, "service-answer", "%s answered with more than %zu bytes",
			http->server, body->limit);
	if (!is_away_code(code))
		return fail(ERR_MALFORMED, "service-answer", "%s: %s", http->server, words);
	snprintf(what, sizeof(what), "%s: %s", http->server, words);
	return retry_wait(retry, -1, what);
}

static bool is_problem(CURL *curl)
{
	static const char wanted[] = "application/problem+json";
	char *type = NULL;

	return curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL &&
	       strncasecmp(type, wanted, sizeof(wanted) - 1) == 0;
}

static enum err refused(
	struct http *http, long status, const struct buf *body, struct problem *problem)
{
	char detail[sizeof(problem->detail)];

	if (status / 100 == 3)
		return fail(ERR_MALFORMED, "service-answer",
			"%s answered with a redirect (HTTP %ld), which is not followed: give "
			"--server the right URL",
			http->server, status);
	if (!is_problem(http->curl) || problem_parse(buf_view(body), problem) != OK)
		return fail(ERR_MALFORMED, "service-answer",
			"%s answered with HTTP %ld and no problem+json: is it an Endorse service?",
			http->server, status);
	problem->status = (int)status;
	printable(problem->detail, detail, sizeof(detail));
	return fail(ERR_DENIED, "service-refused", "%s", detail);
}

static bool is_attempt(const char *text)
{
	return text[0] == '\0' || strspn(text, "0123456789abcdef") == 32;
}

/* Nothing else is answered with 202. A check of what was never held has no attempt to name. */
static enum err held_back(struct http *http, const struct buf *body, struct problem *problem)
{
	if (!is_problem(http->curl) || problem_parse(buf_view(body), problem) != OK ||
		strcmp(problem->code, "pending-approval") != 0 || !is_attempt(problem->attempt))
		return fail(ERR_MALFORMED, "service-answer",
			"%s answered with HTTP 202 and does not say what is pending: is it an "
			"Endorse service?",
			http->server);
	problem->status = 202;
	return fail(ERR_PENDING, "service-pending", "an admin is to decide");
}

/* Says in words what kind of away a status is, for the message between two tries. */
static enum err wait_for_service(
	struct http *http, long status, const struct buf *body, struct retry *retry)
{
	struct problem problem = {0};
	char what[512], detail[256] = "";

	/* Who is turned away for a while wants to know by which limit. */
	if (status == 429 && is_problem(http->curl) &&
		problem_parse(buf_view(body), &problem) == OK)
		printable(problem.detail, detail, sizeof(detail));
	snprintf(what, sizeof(what), "%s answered with HTTP %ld%s%s", http->server, status,
		detail[0] == '\0' ? "" : ": ", detail);
	return retry_wait(retry, http_retry_after(http), what);
}

static enum err ask(struct http *http, const char *path, struct view json, struct retry *retry,
	struct buf *answer, struct problem *problem)
{
	for (;;) {
		AUTO(buf_free) struct buf body = BUF(answer->limit);
		long status = 0;
		CURLcode code = perform(http, path, json, retry, &body);

		if (code != CURLE_OK) {
			TRY(transport_failed(http, code, &body, retry));
			continue;
		}
		curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
		if (status == 200) {
			buf_add(answer, buf_view(&body));
			return buf_ok(answer);
		}
		if (status == 202)
			return held_back(http, &body, problem);
		if (!is_away_status(status))
			return refused(http, status, &body, problem);
		TRY(wait_for_service(http, status, &body, retry));
	}
}

enum err http_post(struct http *http, const char *path, struct view json, struct retry *retry,
	struct buf *answer, struct problem *problem)
{
	return ask(http, path, json, retry, answer, problem);
}

enum err http_fetch(struct http *http, const char *path, struct retry *retry, struct buf *answer,
	struct problem *problem)
{
	return ask(http, path, (struct view){NULL, 0}, retry, answer, problem);
}

static int64_t date_of(CURL *curl)
{
	struct curl_header *header = NULL;

	if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return -1;
	return (int64_t)curl_getdate(header->value, NULL);
}

void http_get(struct http *http, const char *path, struct buf *body, struct http_visit *out)
{
	CURL *c = http->curl;
	char url[2048];
	CURLcode code;

	*out = (struct http_visit){.date = -1};
	http->error[0] = '\0';
	snprintf(url, sizeof(url), "%s%s", http->server, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, GET_MS);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
	code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
	if (code == CURLE_OK) {
		out->date = date_of(c);
		return;
	}
	out->status = 0;
	out->is_name_wrong = code == CURLE_PEER_FAILED_VERIFICATION &&
			     anchors_tls_problem(http->anchors)[0] == '\0';
	printable(http->error[0] != '\0' ? http->error : curl_easy_strerror(code), out->words,
		sizeof(out->words));
}
