#include "enroll/http/allow_api.h"

#include "enroll/flow/allowlist.h"

enum { AFTER, LIMIT, HOST, SERIAL };

const struct query_key allowed_query[] = {
	[AFTER] = {"after", EK_DIGEST_DIGITS},
	[LIMIT] = {"limit", 4},
	[HOST] = {"host", LIMIT_HOST},
	[SERIAL] = {"serial", LIMIT_SERIAL},
	{0},
};

enum err handle_allowed(const struct service *service, struct exchange *exchange)
{
	const char *const *sent = exchange->query.value;
	const struct allowlist_wish wish = {sent[AFTER], sent[LIMIT], sent[HOST], sent[SERIAL]};
	AUTO(allow_list_free) struct allow_list list = {0};

	TRY(allowlist_read(service, &wish, &list));
	return allow_list_encode(&list, &exchange->answer);
}

enum err handle_allow(const struct service *service, struct exchange *exchange)
{
	AUTO(allow_request_free) struct allow_request request = {0};
	AUTO(allow_answer_free) struct allow_answer answer = {0};

	TRY(allow_request_parse(exchange->body, &request));
	TRY(allowlist_add(service, &exchange->caller, exchange->caller.who, &request, &answer));
	exchange->outcome.what = answer.changed ? "added" : "unchanged";
	return allow_answer_encode(&answer, &exchange->answer);
}

enum err handle_disallow(const struct service *service, struct exchange *exchange)
{
	struct disallow_request request;

	TRY(disallow_request_parse(exchange->body, &request));
	TRY(allowlist_remove(service, &exchange->caller, exchange->caller.who, &request));
	exchange->outcome.what = "removed";
	return disallow_answer_encode(request.ek_digest, &exchange->answer);
}
