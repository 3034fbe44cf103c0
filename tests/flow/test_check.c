/* test_check.c - a device asks what would become of it: judged in full, and nothing comes of it. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ZEROS "00000000000000000000000000000000"

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 2, .services = 1}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static void begin(struct visit *visit, size_t chip, const char *host)
{
	visit_begin(visit, &world, chip, 0, host, KEY_P384);
	visit->dialogue.is_check = true;
}

static void assert_rows(long rows)
{
	static const char *const tables[] = {"device", "host", "ek", "ak", "certificate", "ticket"};

	for (size_t i = 0; i < COUNT(tables); i++)
		if (world_rows(&world, tables[i]) != rows)
			fail_msg("%ld rows in \"%s\"", world_rows(&world, tables[i]), tables[i]);
}

static void assert_answer(const struct dialogue *x, int status, const char *code)
{
	if (x->last.status != status || strcmp(x->problem.code, code) != 0)
		fail_msg("wanted %d %s, got %d %s: %s", status, code, x->last.status,
			x->problem.code, x->problem.detail);
}

static void a_check_is_answered_under_the_seal_and_leaves_no_row(void **state)
{
	AUTO(visit_end) struct visit visit;
	struct dialogue *x = &visit.dialogue;

	(void)state;
	begin(&visit, 0, "web-1.example.test");
	dialogue_run(x);
	assert_answer(x, 200, "");
	assert_string_equal("web-1.example.test", x->answer->host);
	assert_string_equal(ZEROS, x->answer->device_id);
	assert_string_equal("operator-import", x->answer->trust_class);
	assert_int_equal(0, x->answer->certificates_n);
	assert_rows(0);
	assert_int_equal(0, world_rows(&world, "audit"));
	AUTO(mem_free) char *log = world_log(&world, 0);
	assert_non_null(strstr(log, "enroll.checked host=web-1.example.test"));
}

static void the_proof_of_a_check_does_not_enroll(void **state)
{
	AUTO(visit_end) struct visit visit;
	struct dialogue *x = &visit.dialogue;

	(void)state;
	begin(&visit, 0, "web-1.example.test");
	dialogue_run(x);
	buf_free(&x->request);
	buf_str(&x->request, "{\"keys\":[{\"template\":\"ak\"}]}");
	dialogue_enroll(x);
	assert_answer(x, 401, "proof-invalid");
	assert_rows(0);
}

static void a_purpose_that_there_is_not_is_refused(void **state)
{
	AUTO(visit_end) struct visit visit;
	struct dialogue *x = &visit.dialogue;

	(void)state;
	begin(&visit, 0, "web-1.example.test");
	dialogue_run(x);
	buf_free(&x->request);
	buf_str(&x->request, "{\"keys\":[{\"template\":\"ak\"}],\"purpose\":\"look\"}");
	dialogue_prove_again(x);
	dialogue_enroll(x);
	assert_answer(x, 400, "request-purpose");
	assert_rows(0);
}

static void a_name_that_no_rule_gives_is_refused_as_it_would_be(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	begin(&visit, 0, "host.elsewhere.test");
	dialogue_run(&visit.dialogue);
	assert_answer(&visit.dialogue, 403, "name-not-allowed");
	assert_rows(0);
	/* A proven device's refusal is for the auditor, also of a check. */
	assert_true(world_rows_become(&world, "audit", 2));
}

/* From here on web-2 is bound to the first chip. */
static void the_ticket_of_a_check_still_enrolls_and_then_checks_no_more(void **state)
{
	AUTO(visit_end) struct visit visit;
	struct dialogue *x = &visit.dialogue;

	(void)state;
	begin(&visit, 0, "web-2.example.test");
	dialogue_run(x);
	assert_answer(x, 200, "");
	x->is_check = false;
	dialogue_prove(x);
	dialogue_enroll(x);
	assert_answer(x, 200, "");
	assert_rows(1);
	x->is_check = true;
	dialogue_prove(x);
	dialogue_enroll(x);
	assert_answer(x, 409, "ticket-used");
}

static void a_known_device_is_told_who_it_is(void **state)
{
	AUTO(visit_end) struct visit visit;
	AUTO(mem_free)
	char *id = sql_text(world.conninfo, "SELECT replace(device_id::text, '-', '') FROM device");

	(void)state;
	begin(&visit, 0, "web-2.example.test");
	dialogue_run(&visit.dialogue);
	assert_answer(&visit.dialogue, 200, "");
	assert_string_equal(id, visit.dialogue.answer->device_id);
	assert_rows(1);
}

static void a_name_of_another_device_is_refused_and_a_second_name_too(void **state)
{
	AUTO(visit_end) struct visit other, second;

	(void)state;
	begin(&other, 1, "web-2.example.test");
	dialogue_run(&other.dialogue);
	assert_answer(&other.dialogue, 409, "host-bound-to-another-device");
	begin(&second, 0, "web-3.example.test");
	dialogue_run(&second.dialogue);
	assert_answer(&second.dialogue, 409, "device-bound-to-another-host");
	assert_rows(1);
}

static void a_name_that_was_checked_is_free_for_others(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 1, 0, "web-1.example.test", KEY_P384);
	dialogue_run(&visit.dialogue);
	assert_answer(&visit.dialogue, 200, "");
	assert_rows(2);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_check_is_answered_under_the_seal_and_leaves_no_row),
		cmocka_unit_test(the_proof_of_a_check_does_not_enroll),
		cmocka_unit_test(a_purpose_that_there_is_not_is_refused),
		cmocka_unit_test(a_name_that_no_rule_gives_is_refused_as_it_would_be),
		cmocka_unit_test(the_ticket_of_a_check_still_enrolls_and_then_checks_no_more),
		cmocka_unit_test(a_known_device_is_told_who_it_is),
		cmocka_unit_test(a_name_of_another_device_is_refused_and_a_second_name_too),
		cmocka_unit_test(a_name_that_was_checked_is_free_for_others),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
