#include "tests/flow/soft_renew.h"

#include "enroll/proto/problem.h"
#include "tests/flow/knock.h"
#include "tests/flow/process.h"
#include "tests/softtpm/attest.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

void soft_renewal_init(
	struct soft_renewal *x, const struct soft_device *device, const char *service)
{
	*x = (struct soft_renewal){
		.device = device,
		.ak = &device->ak,
		.service = service,
		.ticket = BUF(LIMIT_TICKET),
		.request = BUF(LIMIT_REQUEST),
		.signature = BUF(LIMIT_SIGNATURE),
		.body = BUF(LIMIT_ENROLL_BODY),
	};
	request_init(&x->wish);
	x->wish.keys_n = 1;
	snprintf(x->wish.keys[0].template, sizeof(x->wish.keys[0].template), "ak");
	snprintf(x->wish.host, sizeof(x->wish.host), "%s", device->host);
}

void soft_renewal_free(struct soft_renewal *x)
{
	request_free(&x->wish);
	buf_free(&x->ticket);
	buf_free(&x->request);
	buf_free(&x->signature);
	buf_free(&x->body);
	answer_free(&x->answer);
}

/* True when the answer is 200. */
static bool post(struct soft_renewal *x, const struct httpc_peer *peer, const char *path,
	const struct buf *body, struct httpc_answer *answer)
{
	struct problem problem = {0};

	httpc_post(peer, path, buf_view(body), answer);
	x->status = answer->whole ? answer->status : 0;
	x->code[0] = x->detail[0] = '\0';
	if (x->status == 200)
		return true;
	if (answer->body.n > 0 && problem_parse(buf_view(&answer->body), &problem) == OK) {
		snprintf(x->code, sizeof(x->code), "%s", problem.code);
		snprintf(x->detail, sizeof(x->detail), "%s", problem.detail);
	}
	return false;
}

int soft_renewal_ticket(struct soft_renewal *x, const struct httpc_peer *peer)
{
	AUTO(renewal_ticket_answer_free) struct renewal_ticket_answer ticket;
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);

	renewal_ticket_answer_init(&ticket);
	must(renew_ticket_request_encode(VIEW_2B(&x->ak->name, name), &body) == OK, "%s",
		why()->sentence);
	if (!post(x, peer, "/v1/renew/ticket", &body, &answer))
		return x->status;
	must(renewal_ticket_answer_parse(buf_view(&answer.body), &ticket) == OK, "%s",
		why()->sentence);
	buf_free(&x->ticket);
	buf_add(&x->ticket, buf_view(&ticket.ticket));
	return x->status;
}

void soft_renewal_ask(struct soft_renewal *x)
{
	buf_free(&x->request);
	must(request_encode(&x->wish, &x->request) == OK, "%s", why()->sentence);
}

void soft_renewal_sign(struct soft_renewal *x)
{
	uint8_t message[RENEWAL_MESSAGE_SIZE];
	TPMT_SIGNATURE signature;

	buf_free(&x->signature);
	must(renewal_message(x->service, buf_view(&x->ticket), buf_view(&x->request), message) ==
				OK &&
			soft_hash_sign(x->ak, VIEW(message), &signature) &&
			soft_signature_bytes(&signature, &x->signature),
		"the AK does not sign");
}

static void make_body(struct soft_renewal *x)
{
	AUTO(renew_request_free) struct renew_request whole;

	renew_request_init(&whole);
	buf_add(&whole.ticket, buf_view(&x->ticket));
	buf_add(&whole.request, buf_view(&x->request));
	buf_add(&whole.signature, buf_view(&x->signature));
	must(soft_key_public(x->ak, &whole.ak_public), "no public area");
	buf_free(&x->body);
	must(renew_request_encode(&whole, &x->body) == OK, "%s", why()->sentence);
}

int soft_renewal_send(struct soft_renewal *x, const struct httpc_peer *peer)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);

	make_body(x);
	answer_free(&x->answer);
	if (!post(x, peer, "/v1/renew", &x->body, &answer))
		return x->status;
	must(renew_answer_parse(buf_view(&answer.body), &json) == OK &&
			answer_parse(buf_view(&json), &x->answer) == OK,
		"%s", why()->sentence);
	return x->status;
}

int soft_renew(struct soft_renewal *x, const struct httpc_peer *peer)
{
	if (soft_renewal_ticket(x, peer) != 200)
		return x->status;
	soft_renewal_ask(x);
	soft_renewal_sign(x);
	return soft_renewal_send(x, peer);
}

void assert_renewal(const struct soft_renewal *x, int status, const char *code)
{
	if (x->status != status || strcmp(x->code, code) != 0)
		fail_msg("%d %s, wanted %d %s: %s", x->status, x->code, status, code, x->detail);
}

void soft_device_enrolled(struct world *world, const char *host, struct soft_device *out)
{
	AUTO(soft_outcome_free) struct soft_outcome outcome;

	stranger_of(world, &world->maker, host, out);
	soft_enroll(out, &world->services[0].peer, world->name, &outcome);
	must(outcome.status == 200, "%s: %s %s", host, outcome.code, outcome.detail);
}
