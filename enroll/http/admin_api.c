#include "enroll/http/admin_api.h"

#include "enroll/flow/attempts.h"
#include "enroll/flow/doctor.h"
#include "enroll/flow/unbind.h"
#include "enroll/proto/admin.h"
#include "enroll/proto/doctor.h"

#include <stdio.h>
#include <stdlib.h>

enum { AFTER, BEFORE, LIMIT, SINCE, REASON, HOST };

const struct query_key attempts_query[] = {
	[AFTER] = {"after", 19},
	[BEFORE] = {"before", 19},
	[LIMIT] = {"limit", 4},
	[SINCE] = {"since", 12},
	[REASON] = {"reason", LIMIT_REASON},
	[HOST] = {"host", LIMIT_HOST},
	{0},
};

static void answer_free(struct attempts_answer **answer)
{
	if (*answer != NULL)
		attempts_answer_free(*answer);
	free(*answer);
	*answer = NULL;
}

enum err handle_attempts(const struct service *service, struct exchange *exchange)
{
	const char *const *sent = exchange->query.value;
	const struct attempts_wish wish = {
		sent[AFTER], sent[BEFORE], sent[LIMIT], sent[SINCE], sent[REASON], sent[HOST]};
	AUTO(answer_free) struct attempts_answer *answer = calloc(1, sizeof(*answer));

	if (answer == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "handle_attempts");
	TRY(attempts_read(service, &wish, answer));
	return attempts_answer_encode(answer, &exchange->answer);
}

const struct query_key strangers_query[] = {{"after", 19}, {0}};

enum err handle_strangers(const struct service *service, struct exchange *exchange)
{
	AUTO(strangers_answer_free) struct strangers_answer answer = {0};

	TRY(attempts_strangers(service, exchange->query.value[0], &answer));
	return strangers_answer_encode(&answer, &exchange->answer);
}

enum err handle_doctor(const struct service *service, struct exchange *exchange)
{
	AUTO(mem_free) struct doctor_answer *answer = calloc(1, sizeof(*answer));

	if (answer == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "handle_doctor");
	snprintf(answer->service, sizeof(answer->service), "%s", service->name);
	doctor_examine(service, true, exchange->caller.now, &answer->findings);
	return doctor_answer_encode(answer, &exchange->answer);
}

enum err handle_unbind(const struct service *service, struct exchange *exchange)
{
	struct unbind_request request;
	struct unbind_answer answer;

	TRY(unbind_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.host, sizeof(exchange->outcome.host), "%s", request.host);
	TRY(unbind(service, &exchange->caller, exchange->caller.who, request.host, request.why,
		answer.device_id));
	snprintf(answer.host, sizeof(answer.host), "%s", request.host);
	snprintf(exchange->outcome.device_id, sizeof(exchange->outcome.device_id), "%s",
		answer.device_id);
	exchange->outcome.what = "unbound";
	return unbind_answer_encode(&answer, &exchange->answer);
}

enum err handle_reload(const struct service *service, struct exchange *exchange)
{
	AUTO(reload_answer_free) struct reload_answer answer;
	enum err err;

	reload_answer_init(&answer);
	err = service->reloader->run(service->reloader->ctx, exchange->caller.request_id, &answer);
	if (err != OK) {
		buf_add(&exchange->problems, buf_view(&answer.problems));
		return err;
	}
	return reload_answer_encode(&answer, &exchange->answer);
}
