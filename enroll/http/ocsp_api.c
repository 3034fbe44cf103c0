#include "enroll/http/ocsp_api.h"

#include "ca/base/encode.h"
#include "ca/base/log.h"
#include "enroll/flow/ocsp.h"
#include "enroll/http/response.h"

#include <string.h>

/* RFC 5019 6.2, but Expires says what max-age says, so that old caches are no slower than others. */
static void add_headers(struct exchange *exchange, const struct ocsp_reply *reply)
{
	int64_t now = exchange->caller.now, left = reply->next_update - now;
	char modified[HTTP_DATE_SIZE], expires[HTTP_DATE_SIZE];

	if (left <= 0)
		return;
	exchange->max_age = left < NEWS_WITHIN ? (unsigned)left : NEWS_WITHIN;
	http_date(reply->this_update, modified);
	http_date(now + exchange->max_age, expires);
	buf_fmt(&exchange->headers, "ETag: \"%s\"\r\nLast-Modified: %s\r\nExpires: %s\r\n",
		reply->etag, modified, expires);
}

static enum err answer(
	const struct service *service, struct exchange *exchange, struct view request, bool is_get)
{
	AUTO(ocsp_reply_free) struct ocsp_reply reply = {.this_update = 0};
	enum err err = ocsp_answer(service, request, &exchange->caller, &reply);

	exchange->content_type = "application/ocsp-response";
	/* That the database is away is in the log already, and strangers' mistakes are not for it. */
	if (err == ERR_INTERNAL)
		LOG(ERR, "ocsp.failed", "reason", why()->code, "why", why()->sentence, "request",
			exchange->caller.request_id);
	if (err != OK)
		return ocsp_refused(err, &exchange->answer);
	if (is_get && reply.is_for_all)
		add_headers(exchange, &reply);
	buf_add(&exchange->answer, buf_view(&reply.der));
	return buf_ok(&exchange->answer);
}

enum err handle_ocsp_post(const struct service *service, struct exchange *exchange)
{
	return answer(service, exchange, exchange->body, false);
}

/* The base64 may have slashes in it; that clients write them as %2F is undone before we see it. */
enum err handle_ocsp_get(const struct service *service, struct exchange *exchange)
{
	AUTO(buf_free) struct buf request = BUF(LIMIT_OCSP_BODY);
	const char *text = exchange->path + strlen(OCSP_PATH "/");

	/* What is no base64 is no request either. */
	if (base64_read(view_str(text), &request) != OK)
		buf_free(&request);
	return answer(service, exchange, buf_view(&request), true);
}
