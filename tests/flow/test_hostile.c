/* test_hostile.c - what must be refused is refused with its reason, leaves no row and takes no
 * name. */
#include "tests/flow/hostile.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define HOST "web-1.example.test"

static const char policy[] = "rules:\n"
			     "  - name: web\n"
			     "    hosts:\n"
			     "      - glob: \"web-*.example.test\"\n"
			     "    templates: [ak]\n"
			     "    names_per_device: 1\n"
			     "  - name: rsa-only\n"
			     "    hosts:\n"
			     "      - glob: \"rsa-*.example.test\"\n"
			     "    ek_kinds: [rsa2048]\n"
			     "    templates: [ak]\n"
			     "    names_per_device: 1\n";

static struct world world;
static struct cast cast = {.world = &world};

static int make(void **state)
{
	AUTO(mem_free) char *stranger = text("%s/stranger", supervise_dir());

	(void)state;
	world_make(&(struct world_plan){.chips = 2, .policy = policy, .pgproxy = true}, &world);
	maker_init(&cast.stranger, stranger, "Stranger");
	for (size_t i = 0; i < COUNT(cast.devices); i++) {
		device_open(&cast.devices[i], world.chips[i].tcti);
		device_certify(&cast.devices[i], KEY_P256, &world.maker, NULL);
	}
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cast.devices); i++)
		device_close(&cast.devices[i]);
	maker_free(&cast.stranger);
	world_free(&world);
	return 0;
}

/* Before each test, for the sake of those that come after one that failed. */
static int tidy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cast.devices); i++)
		device_flush(&cast.devices[i]);
	return 0;
}

static void start(struct dialogue *x, size_t who, const char *host, enum ak_shape shape)
{
	dialogue_init(x, &cast.devices[who], &world.services[0].peer, world.name, host);
	dialogue_keys(x, KEY_P256, shape);
}

static void assert_no_rows(void)
{
	static const char *const tables[] = {"device", "host", "ek", "ak", "certificate", "ticket"};

	for (size_t i = 0; i < COUNT(tables); i++)
		if (world_rows(&world, tables[i]) != 0)
			fail_msg("a row in \"%s\"", tables[i]);
}

static void assert_refused(const struct dialogue *x, int status, const char *code)
{
	if (x->last.status != status || strcmp(x->problem.code, code) != 0)
		fail_msg("wanted %d %s, got %d %s: %s", status, code, x->last.status,
			x->problem.code, x->problem.detail);
	assert_true(strlen(x->problem.detail) > 10);
	assert_true(strlen(x->problem.request_id) > 10);
}

/* All steps, with the fault at its moment; ends with the answer that the fault is to get. */
static void play(struct dialogue *x, const struct fault *fault)
{
	if (fault->moment == BEFORE_CLAIM || fault->moment == BEFORE_CLAIM_PROVEN)
		fault->make(x, &cast);
	dialogue_claim(x);
	if (fault->moment == BEFORE_TICKET)
		fault->make(x, &cast);
	if (dialogue_ticket(x) != 200 || fault->moment <= BEFORE_TICKET)
		return;
	assert_true(dialogue_activate(x));
	if (fault->moment == BEFORE_PROOF)
		fault->make(x, &cast);
	dialogue_prove(x);
	if (fault->moment == BEFORE_ENROLL)
		fault->make(x, &cast);
	dialogue_enroll(x);
}

static void is_refused(void **state)
{
	const struct fault *fault = *state;
	AUTO(dialogue_free) struct dialogue x;

	start(&x, 0, HOST, fault->shape);
	play(&x, fault);
	assert_refused(&x, fault->status, fault->code);
	assert_no_rows();
}

/* How many faults are those of a device that proved itself: answered by /v1/enroll, and not with 401. */
static long proven(const struct fault *faults)
{
	long n = 0;

	for (; faults->name != NULL; faults++)
		n += faults->moment > BEFORE_TICKET && faults->status != 401;
	return n;
}

/* Whoever proved itself leaves an audit row when it is refused, and nobody else does. */
static void only_the_proven_leave_a_trace(void **state)
{
	long n =
		proven(ak_faults) + proven(ek_faults) + proven(claim_faults) + proven(proof_faults);

	(void)state;
	assert_true(n > 0);
	assert_true(world_rows_become(&world, "audit", n));
}

static void each_byte_of_a_ticket_counts(void **state)
{
	AUTO(dialogue_free) struct dialogue x;
	AUTO(mem_free) char *words = NULL;

	(void)state;
	start(&x, 0, HOST, AK_P256);
	dialogue_claim(&x);
	assert_int_equal(dialogue_ticket(&x), 200);
	assert_true(dialogue_activate(&x));
	for (size_t i = 0; i < x.challenge.ticket.n; i++) {
		x.challenge.ticket.p[i] ^= (uint8_t)(1 << i % 8);
		dialogue_prove(&x);
		dialogue_enroll(&x);
		assert_refused(&x, 401, "ticket-invalid");
		if (words == NULL)
			words = text("%s", x.problem.detail);
		assert_string_equal(x.problem.detail, words);
		x.challenge.ticket.p[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_no_rows();
}

/* The TPM itself refuses the credential for an AK that it does not have; so there is no key to
 * prove by. */
static void an_ak_of_another_tpm_cannot_be_activated(void **state)
{
	AUTO(dialogue_free) struct dialogue x, other;

	(void)state;
	start(&x, 0, HOST, AK_P256);
	start(&other, 1, HOST, AK_P256);
	buf_free(&x.ak_public);
	buf_add(&x.ak_public, buf_view(&other.ak_public));
	dialogue_claim(&x);
	assert_int_equal(dialogue_ticket(&x), 200);
	assert_false(dialogue_activate(&x));
	memset(x.session.bytes, 0, sizeof(x.session.bytes));
	dialogue_prove(&x);
	dialogue_enroll(&x);
	assert_refused(&x, 401, "proof-invalid");
	assert_no_rows();
}

static void strangers_cannot_make_the_database_work(void **state)
{
	AUTO(dialogue_free) struct dialogue x;

	(void)state;
	start(&x, 0, HOST, AK_P256);
	dialogue_claim(&x);
	pgproxy_reset(world.pgproxy);
	for (int i = 0; i < 50; i++)
		assert_int_equal(dialogue_ticket(&x), 200);
	dialogue_prove(&x);
	for (int i = 0; i < 10000; i++) {
		dialogue_enroll(&x);
		assert_refused(&x, 401, "proof-invalid");
	}
	assert_true(pgproxy_trips_are(world.pgproxy, 0));
	assert_int_equal(pgproxy_count(world.pgproxy, 'Q'), 0);
	assert_no_rows();
}

/* The base case: after all that, the name is free and everything that the faults altered is right. */
static void and_the_name_is_still_free(void **state)
{
	AUTO(dialogue_free) struct dialogue x;

	(void)state;
	start(&x, 0, HOST, AK_P256);
	assert_int_equal(dialogue_run(&x), 200);
	assert_int_equal(world_rows(&world, "host"), 1);
	assert_int_equal(world_rows(&world, "certificate"), 1);
}

static void a_second_name_for_one_device_is_refused(void **state)
{
	AUTO(dialogue_free) struct dialogue x;

	(void)state;
	start(&x, 0, "web-2.example.test", AK_P256);
	dialogue_run(&x);
	assert_refused(&x, 409, "device-bound-to-another-host");
	assert_int_equal(world_rows(&world, "host"), 1);
}

static void a_name_of_another_device_is_refused(void **state)
{
	AUTO(dialogue_free) struct dialogue x;

	(void)state;
	start(&x, 1, HOST, AK_P256);
	dialogue_run(&x);
	assert_refused(&x, 409, "host-bound-to-another-device");
	assert_int_equal(world_rows(&world, "device"), 1);
	assert_int_equal(world_rows(&world, "ek"), 1);
}

static void a_ticket_tells_nothing_of_names(void **state)
{
	static const char *const hosts[] = {HOST, "web-2.example.test"};
	size_t sizes[2];

	(void)state;
	pgproxy_reset(world.pgproxy);
	for (size_t i = 0; i < COUNT(hosts); i++) {
		AUTO(dialogue_free) struct dialogue x;

		start(&x, 1, i == 0 ? HOST : "web-9.example.test", AK_P256);
		dialogue_claim(&x);
		assert_int_equal(dialogue_ticket(&x), 200);
		sizes[i] = x.last.body.n;
	}
	assert_int_equal(sizes[0], sizes[1]);
	assert_true(pgproxy_trips_are(world.pgproxy, 0));
}

static void a_used_ticket_repeats_and_brings_nothing_new(void **state)
{
	AUTO(dialogue_free) struct dialogue x;
	AUTO(buf_free) struct buf first = BUF(8192), sealed = BUF(LIMIT_ANSWER);

	(void)state;
	start(&x, 0, HOST, AK_P256);
	assert_int_equal(dialogue_run(&x), 200);
	buf_add(&first, x.answer->certificates[0].der);
	buf_add(&sealed, buf_view(&x.sealed));
	assert_int_equal(dialogue_enroll(&x), 200);
	assert_false(view_equal(buf_view(&sealed), buf_view(&x.sealed)));
	dialogue_open(&x);
	assert_true(view_equal(buf_view(&first), x.answer->certificates[0].der));
	buf_str(&x.request, " ");
	dialogue_prove_again(&x);
	dialogue_enroll(&x);
	assert_refused(&x, 409, "ticket-used");
	assert_int_equal(world_rows(&world, "certificate"), 2);
}

static void the_edge_secret_is_asked_for(void **state)
{
	static const char *const headers[] = {"", "X-Endorse-Edge: 00\r\n",
		("X-Endorse-Edge: 00000000000000000000000000000000"
		 "00000000000000000000000000000000\r\n")};

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		struct problem problem;

		httpc_post(
			&(struct httpc_peer){.port = world.services[0].port, .headers = headers[i]},
			"/v1/ticket", view_str("{}"), &answer);
		assert_int_equal(answer.status, 403);
		assert_int_equal(problem_parse(buf_view(&answer.body), &problem), OK);
		assert_string_equal(problem.code, "edge-secret");
	}
}

#define FAULTS_MAX 100

static size_t add_faults(struct CMUnitTest *all, size_t n, const struct fault *faults)
{
	for (; faults->name != NULL && n < FAULTS_MAX; faults++)
		all[n++] = (struct CMUnitTest){
			faults->name, is_refused, NULL, NULL, (void *)(uintptr_t)faults};
	return n;
}

static int tests(void)
{
	const struct CMUnitTest rest[] = {
		cmocka_unit_test(only_the_proven_leave_a_trace),
		cmocka_unit_test(each_byte_of_a_ticket_counts),
		cmocka_unit_test(an_ak_of_another_tpm_cannot_be_activated),
		cmocka_unit_test(strangers_cannot_make_the_database_work),
		cmocka_unit_test(and_the_name_is_still_free),
		cmocka_unit_test(a_second_name_for_one_device_is_refused),
		cmocka_unit_test(a_name_of_another_device_is_refused),
		cmocka_unit_test(a_ticket_tells_nothing_of_names),
		cmocka_unit_test(a_used_ticket_repeats_and_brings_nothing_new),
		cmocka_unit_test(the_edge_secret_is_asked_for),
	};
	struct CMUnitTest all[FAULTS_MAX + COUNT(rest)] = {0};
	size_t n = 0;

	n = add_faults(all, n, ak_faults);
	n = add_faults(all, n, ek_faults);
	n = add_faults(all, n, claim_faults);
	n = add_faults(all, n, proof_faults);
	memcpy(all + n, rest, sizeof(rest));
	n += COUNT(rest);
	for (size_t i = 0; i < n; i++)
		all[i].setup_func = tidy;
	return _cmocka_run_group_tests("hostile", all, n, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
