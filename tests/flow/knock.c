#include "tests/flow/knock.h"

#include "tests/flow/supervise.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "enroll/tpm/public.h"
#include "tests/flow/cluster.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void knock_init(struct knock *knock, struct world *world, const struct soft_device *device)
{
	*knock = (struct knock){
		.world = world, .peer = &world->services[0].peer, .body = BUF(LIMIT_ENROLL_BODY)};
	soft_enrollment_init(&knock->x, device);
}

void knock_free(struct knock *knock)
{
	soft_enrollment_free(&knock->x);
	buf_free(&knock->body);
}

static void post(
	struct knock *knock, const char *path, const struct buf *body, struct httpc_answer *answer)
{
	AUTO(mem_free) char *retry_after = NULL;

	httpc_post(knock->peer, path, buf_view(body), answer);
	knock->status = answer->whole ? answer->status : 0;
	knock->problem = (struct problem){0};
	retry_after = httpc_header(answer, "Retry-After");
	knock->retry_after = retry_after == NULL ? -1 : (int)strtol(retry_after, NULL, 10);
	if (knock->status != 200 && answer->body.n > 0)
		must(problem_parse(buf_view(&answer->body), &knock->problem) == OK, "%s",
			why()->sentence);
}

int knock_ticket(struct knock *knock)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);
	struct soft_enrollment x;

	soft_enrollment_init(&x, knock->x.device);
	x.template = knock->x.template;
	x.is_check = knock->x.is_check;
	soft_enrollment_free(&knock->x);
	knock->x = x;
	buf_free(&knock->body);
	must(soft_enrollment_begin(&knock->x, knock->world->name, &body) == OK, "%s",
		why()->sentence);
	post(knock, "/v1/ticket", &body, &answer);
	if (knock->status == 200)
		must(soft_enrollment_prove(&knock->x, buf_view(&answer.body), &knock->body) == OK,
			"%s", why()->sentence);
	return knock->status;
}

int knock_enroll(struct knock *knock)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};

	post(knock, "/v1/enroll", &knock->body, &answer);
	answer_free(&knock->x.answer);
	if (knock->status == 200)
		must(soft_enrollment_end(&knock->x, buf_view(&answer.body)) == OK, "%s",
			why()->sentence);
	return knock->status;
}

int knock_at(struct knock *knock)
{
	return knock_ticket(knock) == 200 ? knock_enroll(knock) : knock->status;
}

void assert_answer(const struct knock *knock, int status, const char *code)
{
	if (knock->status != status || strcmp(knock->problem.code, code) != 0)
		fail_msg("wanted %d %s, got %d %s: %s", status, code, knock->status,
			knock->problem.code, knock->problem.detail);
}

void assert_knock(
	struct world *world, const struct soft_device *device, int status, const char *code)
{
	AUTO(knock_free) struct knock knock;

	knock_init(&knock, world, device);
	knock_at(&knock);
	assert_answer(&knock, status, code);
}

void stranger_make(struct world *world, const struct stranger_plan *plan, struct soft_device *out)
{
	soft_device_make(&(struct soft_plan){.ek = plan->ek,
				 .ak = SOFT_P256,
				 .service = world->name,
				 .host = plan->host == NULL ? "" : plan->host,
				 .wish = plan->wish},
		plan->maker, out);
	if (!plan->without_certificate)
		return;
	buf_free(&out->ek_certificate);
	must(soft_key_public(&out->ek, &out->ek_public), "no public area");
}

void stranger_of(
	struct world *world, struct maker *maker, const char *host, struct soft_device *out)
{
	stranger_make(
		world, &(struct stranger_plan){.maker = maker, .host = host, .ek = SOFT_L2}, out);
}

void strangers_begin(const char *policy, struct world *world, struct maker *nobody)
{
	AUTO(mem_free) char *dir = text("%s/nobody", supervise_dir());

	world_make(&(struct world_plan){.policy = policy}, world);
	maker_init(nobody, dir, "Nobody");
}

void strangers_end(struct world *world, struct maker *nobody)
{
	maker_free(nobody);
	world_free(world);
}

void ek_digest_of(const struct soft_device *device, uint8_t out[static DIGEST_SIZE])
{
	must(spki_sha256(device->ek.pkey, out) == OK, "%s", why()->sentence);
}

void assert_nothing_bound(struct world *world)
{
	static const char *const tables[] = {"device", "host", "ek", "ak", "certificate", "ticket"};

	for (size_t i = 0; i < COUNT(tables); i++)
		if (world_rows(world, tables[i]) != 0)
			fail_msg("a row in \"%s\"", tables[i]);
}

void world_forget(struct world *world)
{
	free(sql_text(world->conninfo,
		"TRUNCATE device, device_label, host, ek, ak, certificate, ticket, pending, "
		"pending_ticket, ek_allowed"));
}

void knock_decide(struct world *world, const char *attempt, enum pending_state state)
{
	AUTO(db_close) struct db *db = NULL;
	uint8_t id[ATTEMPT_ID_SIZE];
	const struct act act = {
		"admin-token", "127.0.0.1", "its serial number is ours", "r", clock_now()};

	must(hex_read(view_str(attempt), id, sizeof(id)) == OK, "\"%s\" is no attempt", attempt);
	must(db_open(world->conninfo, 1, 5000, &db) == OK, "%s", why()->sentence);
	must(pending_decide(db, id, state, &act) == OK, "%s", why()->sentence);
}
