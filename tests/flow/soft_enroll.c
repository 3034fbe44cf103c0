#include "tests/flow/soft_enroll.h"

#include "enroll/proto/problem.h"
#include "tests/flow/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void soft_device_make(const struct soft_plan *plan, struct maker *maker, struct soft_device *out)
{
	*out = (struct soft_device){
		.ek_certificate = BUF(LIMIT_EK_CERTIFICATE), .ek_public = BUF(LIMIT_PUBLIC)};
	must(soft_ek_make(plan->ek, plan->ek_pkey, &out->ek), "no %s EK", soft_ek_text(plan->ek));
	must(soft_ak_make(plan->ak, plan->service, plan->ak_pkey, &out->ak), "no %s AK",
		soft_ak_text(plan->ak));
	maker_certify(maker, out->ek.pkey, plan->wish, &out->ek_certificate);
	snprintf(out->host, sizeof(out->host), "%s", plan->host);
}

void soft_outcome_free(struct soft_outcome *outcome)
{
	buf_free(&outcome->certificate);
}

/* A step of ours failed: not the service's status, but what is wrong. */
static bool give_up(struct soft_outcome *out)
{
	out->status = 0;
	snprintf(out->code, sizeof(out->code), "%s", why()->code);
	snprintf(out->detail, sizeof(out->detail), "%s", why()->sentence);
	return false;
}

static void keep_problem(const struct httpc_answer *answer, struct soft_outcome *out)
{
	AUTO(mem_free) char *retry_after = httpc_header(answer, "Retry-After");
	struct problem problem = {0};

	if (retry_after != NULL)
		out->retry_after = (int)strtol(retry_after, NULL, 10);
	if (answer->body.n == 0 || problem_parse(buf_view(&answer->body), &problem) != OK)
		return;
	snprintf(out->code, sizeof(out->code), "%s", problem.code);
	snprintf(out->detail, sizeof(out->detail), "%.255s", problem.detail);
}

/* True when the answer is 200. */
static bool post(const struct httpc_peer *peer, const char *path, const struct buf *body,
	struct httpc_answer *answer, struct soft_outcome *out)
{
	httpc_post(peer, path, buf_view(body), answer);
	out->status = answer->whole ? answer->status : 0;
	if (out->status != 200)
		keep_problem(answer, out);
	return out->status == 200;
}

static bool get_ticket(struct soft_enrollment *x, const struct httpc_peer *peer,
	const char *service, struct buf *next, struct soft_outcome *out)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};

	if (soft_enrollment_begin(x, service, &body) != OK)
		return give_up(out);
	if (!post(peer, "/v1/ticket", &body, &answer, out))
		return false;
	out->has_ticket = true;
	return soft_enrollment_prove(x, buf_view(&answer.body), next) == OK || give_up(out);
}

void soft_enroll(const struct soft_device *device, const struct httpc_peer *peer,
	const char *service, struct soft_outcome *out)
{
	AUTO(soft_enrollment_free) struct soft_enrollment x;
	AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY);
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};

	*out = (struct soft_outcome){.retry_after = -1, .certificate = BUF(LIMIT_ANSWER)};
	soft_enrollment_init(&x, device);
	if (!get_ticket(&x, peer, service, &body, out) ||
		!post(peer, "/v1/enroll", &body, &answer, out))
		return;
	if (soft_enrollment_end(&x, buf_view(&answer.body)) != OK) {
		give_up(out);
		return;
	}
	buf_add(&out->certificate, x.answer->certificates[0].der);
}
