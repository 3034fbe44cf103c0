#include "enroll/admin/allow_post.h"

enum err allow_post(const struct admin_server *server, const struct allow_request *request,
	struct allow_answer *out, struct problem *problem)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ALLOW_BODY), answer = BUF(LIMIT_ALLOW_BODY);

	*out = (struct allow_answer){0};
	TRY(allow_request_encode(request, &json));
	TRY(admin_post(server, "/v1/admin/ek/allow", buf_view(&json), &answer, problem));
	return allow_answer_parse(buf_view(&answer), out);
}
