#include "enroll/http/request.h"

#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "enroll/proto/attempts.h"

#include <civetweb.h>
#include <string.h>

/* civetweb drops the headers beyond so many: a request that has all of them may have had more. */
#define HEADERS_MAX MG_MAX_HEADERS
#define DRAIN_MAX (256 * 1024)

static const char edge_headers[] = "x-endorse-"; /* how the names begin that only an edge may set */

static const char *first_header(const struct mg_request_info *info, const char *name)
{
	for (int i = 0; i < info->num_headers; i++)
		if (strcasecmp(info->http_headers[i].name, name) == 0)
			return info->http_headers[i].value;
	return NULL;
}

#define ID_SIZE 16
#define IDS 32

/* Many at once: each draw takes OpenSSL's locks, and asks the kernel who we are. */
static enum err draw_id(uint8_t id[static ID_SIZE])
{
	static _Thread_local uint8_t drawn[IDS * ID_SIZE];
	static _Thread_local size_t left;

	if (left == 0) {
		TRY(random_bytes(drawn, sizeof(drawn)));
		left = sizeof(drawn);
	}
	left -= ID_SIZE;
	memcpy(id, drawn + left, ID_SIZE);
	return OK;
}

void exchange_init(struct exchange *exchange, struct mg_connection *connection,
	char request_id[static REQUEST_ID_SIZE])
{
	const struct mg_request_info *info = mg_get_request_info(connection);
	uint8_t id[ID_SIZE];

	/* Without random bytes nothing else will work either; the id is only for finding log lines. */
	if (draw_id(id) != OK)
		memset(id, 0, sizeof(id));
	hex_write(VIEW(id), request_id);
	*exchange = (struct exchange){
		.method = info->request_method,
		/* Decoded, and not cleaned of dots and slashes; the edge has matched the spelling. */
		.path = info->request_uri == NULL ? "" : info->request_uri,
		.caller = {request_id, info->remote_addr, clock_now(), NULL},
		.outcome = {.what = ""},
		.content_type = "application/json",
		.answer = BUF(LIMIT_ADMIN_ANSWER),
		.problems = BUF(1 << 20),
		.headers = BUF(1024),
	};
}

void exchange_free(struct exchange *exchange)
{
	buf_free(&exchange->answer);
	buf_free(&exchange->problems);
	buf_free(&exchange->headers);
}

static bool is_singular(const char *name)
{
	return strcasecmp(name, "content-length") == 0 || strcasecmp(name, "host") == 0 ||
	       strcasecmp(name, "authorization") == 0;
}

static enum err judge_twins(const struct mg_request_info *info)
{
	for (int i = 0; i < info->num_headers; i++)
		for (int k = 0; k < i; k++) {
			const char *name = info->http_headers[i].name;

			if (strcasecmp(name, info->http_headers[k].name) != 0)
				continue;
			if (strncasecmp(name, edge_headers, strlen(edge_headers)) == 0)
				return refuse(ERR_MALFORMED, "edge-header-twice", "PROTOCOL edge",
					"a header that only the edge may set is there twice");
			if (is_singular(name))
				return refuse(ERR_MALFORMED, "http-headers", "RFC 9110 5.3",
					"the header %.32s is there twice", name);
		}
	return OK;
}

enum err request_judge(struct mg_connection *connection)
{
	const struct mg_request_info *info = mg_get_request_info(connection);

	if (info->num_headers >= HEADERS_MAX)
		return refuse(ERR_MALFORMED, "http-headers", "PROTOCOL limits",
			"more than %d headers", HEADERS_MAX - 1);
	TRY(judge_twins(info));
	if (first_header(info, "transfer-encoding") != NULL)
		return refuse(ERR_NO_LENGTH, "length-required", "RFC 9110 15.5.12",
			"send the body with a Content-Length, not chunked");
	return OK;
}

enum err request_query(
	struct mg_connection *connection, const struct query_key *keys, struct query *out)
{
	const char *text = mg_get_request_info(connection)->query_string;

	if (keys != NULL)
		return query_read(text, keys, out);
	if (text != NULL)
		return refuse(ERR_NOT_FOUND, "route-unknown", "PROTOCOL routes",
			"this path takes no query");
	return OK;
}

const char *request_header(struct mg_connection *connection, const char *name)
{
	return first_header(mg_get_request_info(connection), name);
}

bool request_is_edges(struct mg_connection *connection)
{
	const struct mg_request_info *info = mg_get_request_info(connection);

	for (int i = 0; i < info->num_headers; i++)
		if (strncasecmp(info->http_headers[i].name, edge_headers, strlen(edge_headers)) ==
			0)
			return true;
	return false;
}

/* What is left of a refused body, so that closing does not reset the connection under the answer. */
static void pass_over(struct mg_connection *connection)
{
	char block[4096];
	size_t passed = 0;
	int n;

	while (passed < DRAIN_MAX && (n = mg_read(connection, block, sizeof(block))) > 0)
		passed += (size_t)n;
}

static enum err too_large(struct mg_connection *connection, size_t limit)
{
	pass_over(connection);
	return refuse(ERR_TOO_LARGE, "body-too-large", "PROTOCOL limits",
		"this route takes at most %zu bytes", limit);
}

static enum err read_body(
	struct mg_connection *connection, size_t length, size_t limit, struct buf *body)
{
	uint8_t block[8192];

	while (body->n < length) {
		size_t want = length - body->n;
		int n = mg_read(connection, block, want < sizeof(block) ? want : sizeof(block));

		if (n <= 0)
			return refuse(ERR_MALFORMED, "body-short", "RFC 9110 8.6",
				"the body ended after %zu of %zu bytes", body->n, length);
		buf_add(body, (struct view){block, (size_t)n});
		if (body->n > limit)
			return too_large(connection, limit);
	}
	return buf_ok(body);
}

enum err request_body(struct mg_connection *connection, size_t limit, struct buf *body)
{
	const struct mg_request_info *info = mg_get_request_info(connection);

	if (info->content_length < 0 && limit > 0)
		return refuse(ERR_NO_LENGTH, "length-required", "RFC 9110 15.5.12",
			"send the body with a Content-Length");
	if (info->content_length <= 0)
		return OK;
	if ((unsigned long long)info->content_length > limit)
		return too_large(connection, limit);
	return read_body(connection, (size_t)info->content_length, limit, body);
}
