#include "enroll/admin/client.h"

#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/file.h"

#include <curl/curl.h>
#include <string.h>

#define PEM_MAX (1 << 16)

bool admin_option(struct admin_server *server, int id, const char *value)
{
	if (id == ADMIN_OPTION_URL)
		server->url = value;
	else if (id == ADMIN_OPTION_TOKEN_FILE)
		server->token_file = value;
	else if (id == ADMIN_OPTION_CERT)
		server->cert = value;
	else if (id == ADMIN_OPTION_KEY)
		server->key = value;
	else if (id == ADMIN_OPTION_CA)
		server->ca = value;
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

/* "https://", a name or address, and perhaps a port: the paths are ours. */
static bool is_edge(const char *url)
{
	static const char https[] = "https://";
	const char *rest = url + sizeof(https) - 1;

	return strncmp(url, https, sizeof(https) - 1) == 0 && *rest != '\0' &&
	       strspn(rest,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
		       strlen(rest);
}

/* The token of the machine's own service is never sent to another by default. */
static enum err judge_server(const struct admin_server *server)
{
	bool is_remote = is_edge(server->url);

	if (!is_remote && !is_local(server->url))
		return fail(ERR_MALFORMED, "admin-url",
			"\"%s\": wanted http://127.0.0.1:PORT, the service's admin_listen, or "
			"https://NAME:PORT, its edge for admins",
			server->url);
	if (server->cert != NULL && server->token_file != NULL)
		return fail(ERR_MALFORMED, "admin-credential",
			"--cert and --token-file: either says who you are, give one of them");
	if (server->cert != NULL && !is_remote)
		return fail(ERR_MALFORMED, "admin-credential",
			"--cert is for the edge: name it (--admin https://NAME:PORT)");
	if (server->cert == NULL && server->key != NULL)
		return fail(ERR_MALFORMED, "admin-credential", "--key without its --cert");
	if (is_remote && server->cert == NULL && server->token_file == NULL)
		return fail(ERR_MALFORMED, "admin-credential",
			"%s wants to know who you are: --cert FILE, or --token-file FILE",
			server->url);
	return OK;
}

static enum err add_token(const char *token_file, struct curl_slist **out)
{
	AUTO(buf_free) struct buf line = BUF(256);
	AUTO(key_wipe) struct secret_key token;

	TRY(file_read_key(token_file, true, token.bytes));
	buf_str(&line, "Authorization: Bearer ");
	hex_add(&line, VIEW(token.bytes));
	TRY(buf_ok(&line));
	if (!add_header(out, buf_text(&line)))
		return fail(ERR_INTERNAL, "out-of-memory", "a request to the service");
	return OK;
}

static enum err make_headers(const struct admin_server *server, struct curl_slist **out)
{
	if (!add_header(out, "Content-Type: application/json"))
		return fail(ERR_INTERNAL, "out-of-memory", "a request to the service");
	if (server->cert != NULL)
		return OK;
	return add_token(server->token_file == NULL ? ADMIN_TOKEN_FILE : server->token_file, out);
}

/* What TLS is done with; curl borrows the bytes until the request is over. */
struct tls {
	struct buf cert, key;
};

static void tls_free(struct tls *tls)
{
	buf_free(&tls->cert);
	buf_free(&tls->key);
}

static void set_blob(CURL *curl, CURLoption option, const struct buf *bytes)
{
	struct curl_blob blob = {.data = bytes->p, .len = bytes->n, .flags = CURL_BLOB_NOCOPY};

	curl_easy_setopt(curl, option, &blob);
}

static enum err set_tls(CURL *curl, const struct admin_server *server, struct tls *tls)
{
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (server->ca != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (server->cert == NULL)
		return OK;
	TRY(file_read(server->cert, &tls->cert));
	TRY(file_read_secret(server->key == NULL ? server->cert : server->key, true, &tls->key));
	set_blob(curl, CURLOPT_SSLCERT_BLOB, &tls->cert);
	set_blob(curl, CURLOPT_SSLKEY_BLOB, &tls->key);
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
		return fail(ERR_BUSY, "unreachable", "%s: %s; %s", url,
			text[0] == '\0' ? curl_easy_strerror(code) : text,
			is_edge(url) ? "is this the edge for admins, --ca its CA, and --cert one "
				       "of the admin CA?"
				     : "is endorsed running, and is this its admin_listen?");
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
	AUTO(tls_free) struct tls tls = {BUF(PEM_MAX), BUF(PEM_MAX)};
	long status = 0;

	if (curl == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a request to the service");
	TRY(judge_server(server));
	TRY(make_headers(server, &headers));
	buf_fmt(&url, "%s%s", server->url, path);
	TRY(buf_ok(&url));
	set_options(curl, server, answer);
	TRY(set_tls(curl, server, &tls));
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
