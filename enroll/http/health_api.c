#include "enroll/http/health_api.h"

static enum err say(struct exchange *exchange, const char *text)
{
	exchange->content_type = "text/plain";
	buf_str(&exchange->answer, text);
	return buf_ok(&exchange->answer);
}

enum err handle_health(const struct service *service, struct exchange *exchange)
{
	(void)service;
	return say(exchange, "ok\n");
}

enum err handle_ready(const struct service *service, struct exchange *exchange)
{
	exchange->for_operator = true;
	TRY(service_ready(service));
	return say(exchange, "ready\n");
}
