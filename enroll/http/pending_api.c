#include "enroll/http/pending_api.h"

#include "enroll/flow/decide.h"

#include <stdio.h>
#include <stdlib.h>

const struct query_key pending_query[] = {{"state", 16}, {0}};
const struct query_key pending_show_query[] = {{"id", LIMIT_ATTEMPT_ID}, {0}};

enum err handle_pending(const struct service *service, struct exchange *exchange)
{
	AUTO(waiting_list_free) struct waiting_list list = {0};

	TRY(decide_list(service, exchange->query.value[0], &list));
	return waiting_list_encode(&list, &exchange->answer);
}

static void waiting_drop(struct waiting **waiting)
{
	if (*waiting != NULL)
		waiting_free(*waiting);
	free(*waiting);
	*waiting = NULL;
}

enum err handle_pending_show(const struct service *service, struct exchange *exchange)
{
	AUTO(waiting_drop) struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "handle_pending_show");
	waiting_init(waiting);
	TRY(decide_show(service, exchange->query.value[0], waiting));
	return waiting_encode(waiting, &exchange->answer);
}

static enum err handle_decision(
	const struct service *service, struct exchange *exchange, enum waiting_state state)
{
	struct decide_request request;

	TRY(decide_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.attempt, sizeof(exchange->outcome.attempt), "%s", request.id);
	TRY(decide(service, &exchange->caller, exchange->caller.who, &request, state));
	exchange->outcome.what = waiting_state_words[state];
	return decide_answer_encode(request.id, state, &exchange->answer);
}

enum err handle_pending_accept(const struct service *service, struct exchange *exchange)
{
	return handle_decision(service, exchange, WAITING_ACCEPTED);
}

enum err handle_pending_reject(const struct service *service, struct exchange *exchange)
{
	return handle_decision(service, exchange, WAITING_REJECTED);
}

enum err handle_pending_trust_ca(const struct service *service, struct exchange *exchange)
{
	struct trust_ca_request request;
	struct trust_ca_answer answer;

	TRY(trust_ca_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.attempt, sizeof(exchange->outcome.attempt), "%s", request.id);
	TRY(decide_trust_ca(service, &exchange->caller, exchange->caller.who, &request, &answer));
	exchange->outcome.what = "trusted";
	return trust_ca_answer_encode(&answer, &exchange->answer);
}
