#include "enroll/admin/client.h"

#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"

#include <curl/curl.h>
#include <string.h>

bool admin_option(struct admin_server *server, int id, const char *value)
{
	if (id == ADMIN_OPTION_URL)
		server->url = value;
	else if (id == ADMIN_OPTION_TOKEN_FILE)
		server->token_file = value;
	else
		return false;
	return true;
}

static size_t take(char *bytes, size_t size, size_t n, void *answer)
{
	buf_add(answer, (struct view){(const uint8_t *)bytes, size * n});
	return ((struct buf *)answer)->failed ? 0 : size * n;
}

static void easy_free(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void headers_free(struct curl_slist **headers)
{
	curl_slist_free_all(*headers);
}

static bool add_header(struct curl_slist **headers, const char *header)
{
	struct curl_slist *longer = curl_slist_append(*headers, header);

	if (longer != NULL)
		*headers = longer;
	return longer != NULL;
}

/* The token goes over the wire as it is, so it stays on this machine. */
static bool is_local(const char *url)
{
	static const char local[] = "http://127.0.0.1:";

	return strncmp(url, local, sizeof(local) - 1) == 0 &&
	       strspn(url + sizeof(local) - 1, "0123456789") == strlen(url + sizeof(local) - 1);
}

static enum err make_headers(const char *token_file, struct curl_slist **out)
{
	AUTO(buf_free) struct buf line = BUF(256);
	AUTO(key_wipe) struct secret_key token;

	TRY(file_read_key(token_file, true, token.bytes));
	buf_str(&line, "Authorization: Bearer ");
	hex_add(&line, VIEW(token.bytes));
	TRY(buf_ok(&line));
	if (!add_header(out, "Content-Type: application/json") || !add_header(out, buf_text(&line)))
		return fail(ERR_INTERNAL, "out-of-memory", "a request to the service");
	return OK;
}

static enum err perform(CURL *curl, const char *url, long *status)
{
	char text[CURL_ERROR_SIZE] = "";
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
	code = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return fail(ERR_BUSY, "unreachable",
			"%s: %s; is endorsed running, and is this its admin_listen?", url,
			text[0] == '\0' ? curl_easy_strerror(code) : text);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return OK;
}

/* A long wait can be cut short, by somebody who sits in front of it. */
static int may_go_on(void *server, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct admin_server *asked = server;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return asked->stop != NULL && *asked->stop != 0;
}

static void set_options(CURL *curl, const struct admin_server *server, struct buf *answer)
{
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, server);
}

/* `json` NULL: GET. */
static enum err ask(const struct admin_server *server, const char *path, const struct view *json,
	struct buf *answer, struct problem *problem)
{
	AUTO(easy_free) CURL *curl = curl_easy_init();
	AUTO(headers_free) struct curl_slist *headers = NULL;
	AUTO(buf_free) struct buf url = BUF(4096);
	long status = 0;

	if (curl == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a request to the service");
	if (!is_local(server->url))
		return fail(ERR_MALFORMED, "admin-url",
			"\"%s\": wanted http://127.0.0.1:PORT, the service's admin_listen",
			server->url);
	TRY(make_headers(server->token_file, &headers));
	buf_fmt(&url, "%s%s", server->url, path);
	TRY(buf_ok(&url));
	set_options(curl, server, answer);
	curl_easy_setopt(curl, CURLOPT_URL, buf_text(&url));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (json != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)json->p);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)json->n);
	}
	TRY(perform(curl, server->url, &status));
	if (status == 200)
		return OK;
	if (problem_parse(buf_view(answer), problem) != OK)
		return fail(ERR_BUSY, "unreachable", "%s: answered %ld, and not as Endorse does",
			server->url, status);
	if (status >= 500)
		return fail(ERR_BUSY, "service-failed", "%s: %s (request %s)", server->url,
			problem->detail, problem->request_id);
	return fail(ERR_DENIED, "refused", "%s", problem->detail);
}

enum err admin_post(const struct admin_server *server, const char *path, struct view json,
	struct buf *answer, struct problem *problem)
{
	return ask(server, path, &json, answer, problem);
}

enum err admin_get(const struct admin_server *server, const char *path, struct buf *answer,
	struct problem *problem)
{
	return ask(server, path, NULL, answer, problem);
}
