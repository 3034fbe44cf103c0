#include "enroll/http/krl_api.h"

#include "enroll/flow/published_krl.h"

static void may_be_cached(struct exchange *exchange)
{
	if (exchange->caller.who == NULL)
		exchange->max_age = NEWS_WITHIN;
}

enum err handle_krl(const struct service *service, struct exchange *exchange)
{
	TRY(published_krl(service, &exchange->answer, NULL));
	exchange->content_type = "application/octet-stream";
	may_be_cached(exchange);
	return OK;
}

enum err handle_krl_signature(const struct service *service, struct exchange *exchange)
{
	TRY(published_krl(service, NULL, &exchange->answer));
	exchange->content_type = "text/plain";
	may_be_cached(exchange);
	return OK;
}
