/* allow_post.h - entries on their way to the allow-list. */
#pragma once

#include "enroll/admin/client.h"
#include "enroll/proto/allow.h"

/* Errors of admin_post() and allow_answer_parse(); `out` is for allow_answer_free() also then. */
CHECKED enum err allow_post(const struct admin_server *server, const struct allow_request *request,
	struct allow_answer *out, struct problem *problem);
