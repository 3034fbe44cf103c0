/* test_binding.c - one name, one device: who comes first, who comes again, who comes too late. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RACERS 100

static const char policy[] = "rules:\n"
			     "  - name: raced\n"
			     "    hosts: [{exact: raced.example.test}]\n"
			     "    templates: [ak]\n"
			     "  - name: aliases\n"
			     "    hosts: [{suffix: alias.example.test}]\n"
			     "    templates: [ak]\n"
			     "    names_per_device: 2\n"
			     "  - name: only-rsa\n"
			     "    hosts: [{exact: rsa.example.test}]\n"
			     "    ek_kinds: [rsa2048]\n"
			     "    templates: [ak]\n"
			     "  - name: only-manufacturers\n"
			     "    hosts: [{exact: genuine.example.test}]\n"
			     "    trust: [manufacturer]\n"
			     "    templates: [ak]\n"
			     "  - name: others\n"
			     "    hosts: [{glob: \"*.example.test\"}]\n"
			     "    templates: [ak]\n";

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = RACERS, .services = 2, .policy = policy}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* The whole way; the last status. `code`, of 64 bytes, gets the reason of a refusal. */
static int comes(size_t chip, const char *host, enum key_kind kind, char *code)
{
	AUTO(visit_end) struct visit visit;
	int status;

	visit_begin(&visit, &world, chip, 0, host, kind);
	status = dialogue_run(&visit.dialogue);
	snprintf(code, 64, "%s", visit.dialogue.problem.code);
	return status;
}

static void assert_comes(size_t chip, const char *host, enum key_kind kind)
{
	char code[64];
	int status = comes(chip, host, kind, code);

	if (status != 200)
		fail_msg("%s: %d %s", host, status, code);
}

static void assert_refused_for(
	size_t chip, const char *host, enum key_kind kind, int wanted, const char *wanted_code)
{
	char code[64];
	int status = comes(chip, host, kind, code);

	if (status != wanted || strcmp(code, wanted_code) != 0)
		fail_msg("%s: wanted %d %s, got %d %s", host, wanted, wanted_code, status, code);
}

static pthread_barrier_t start;
static int statuses[RACERS];
static char codes[RACERS][64];

/* Everything up to the proof beforehand; then all at once. */
static void *race(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	AUTO(visit_end) struct visit visit;

	visit_begin(&visit, &world, i, i % 2, "raced.example.test", KEY_P384);
	dialogue_claim(&visit.dialogue);
	if (dialogue_ticket(&visit.dialogue) == 200 && dialogue_activate(&visit.dialogue))
		dialogue_prove(&visit.dialogue);
	pthread_barrier_wait(&start);
	statuses[i] = dialogue_enroll(&visit.dialogue);
	snprintf(codes[i], sizeof(codes[i]), "%s", visit.dialogue.problem.code);
	return NULL;
}

static void of_a_hundred_tpms_racing_for_one_name_over_two_servers_exactly_one_wins(void **state)
{
	pthread_t threads[RACERS];
	size_t won = 0, lost = 0;

	(void)state;
	pthread_barrier_init(&start, NULL, RACERS);
	for (size_t i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, (void *)(uintptr_t)i), 0);
	for (size_t i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < RACERS; i++) {
		won += statuses[i] == 200;
		lost += statuses[i] == 409 && strcmp(codes[i], "host-bound-to-another-device") == 0;
		if (statuses[i] != 200 && statuses[i] != 409)
			print_message("racer %zu: %d %s\n", i, statuses[i], codes[i]);
	}
	assert_int_equal(won, 1);
	assert_int_equal(lost, RACERS - 1);
	assert_int_equal(world_rows(&world, "host"), 1);
	assert_int_equal(world_rows(&world, "device"), 1);
	assert_int_equal(world_rows(&world, "certificate"), 1);
}

static void what_a_proven_device_was_refused_is_an_audit_row_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM audit WHERE event = 'enroll.refused' AND "
				 "code = 'host-bound-to-another-device'"),
		RACERS - 1);
	assert_int_equal(world_rows(&world, "ek"), 1);
}

static void the_same_device_and_name_may_come_again_with_a_new_ak(void **state)
{
	(void)state;
	assert_comes(0, "one.example.test", KEY_RSA_2048);
	assert_comes(0, "one.example.test", KEY_RSA_2048);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM ak JOIN host USING (device_id) WHERE "
				 "host.name = 'one.example.test' AND state = 'live'"),
		2);
}

static void only_the_newest_four_aks_of_a_device_are_live(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_comes(0, "one.example.test", KEY_RSA_2048);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM ak JOIN host USING (device_id) WHERE "
				 "host.name = 'one.example.test' AND state = 'live'"),
		4);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM ak JOIN host USING (device_id) WHERE "
				 "host.name = 'one.example.test' AND state = 'superseded'"),
		2);
}

static void a_second_name_for_a_device_is_refused_and_stays_free(void **state)
{
	(void)state;
	assert_refused_for(
		0, "two.example.test", KEY_RSA_2048, 409, "device-bound-to-another-host");
	assert_comes(1, "two.example.test", KEY_RSA_2048);
}

static void the_refusal_of_a_bound_name_does_not_tell_the_other_device(void **state)
{
	AUTO(mem_free) char *owner = NULL;
	AUTO(visit_end) struct visit visit;

	(void)state;
	owner = sql_text(world.conninfo, "SELECT replace(device_id::text, '-', '') FROM host WHERE "
					 "name = 'one.example.test'");
	visit_begin(&visit, &world, 2, 0, "one.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 409);
	assert_null(strstr(buf_text(&visit.dialogue.last.body), owner));
	assert_non_null(strstr(visit.dialogue.problem.detail, "another EK"));
	assert_non_null(
		strstr(visit.dialogue.problem.detail, "endorsectl host unbind one.example.test"));
}

static void policy_may_allow_aliases_up_to_a_number(void **state)
{
	(void)state;
	assert_comes(3, "a.alias.example.test", KEY_RSA_2048);
	assert_comes(3, "b.alias.example.test", KEY_RSA_2048);
	assert_refused_for(
		3, "c.alias.example.test", KEY_RSA_2048, 409, "device-bound-to-another-host");
}

static void a_rule_may_name_the_kinds_of_ek_it_takes(void **state)
{
	(void)state;
	assert_refused_for(4, "rsa.example.test", KEY_P384, 403, "ek-kind-not-allowed");
	assert_comes(4, "rsa.example.test", KEY_RSA_2048);
}

static void a_rule_may_name_the_trust_classes_it_takes(void **state)
{
	(void)state;
	assert_refused_for(5, "genuine.example.test", KEY_RSA_2048, 403, "trust-not-allowed");
}

/* The AK moves to the other EK's dialogue; what it was enrolled under stays. */
static void an_ak_that_comes_under_a_second_ek_of_its_tpm_makes_both_one_device(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 6, 0, "six.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	dialogue_other_ek(&visit.dialogue, KEY_P384);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM ek JOIN host USING (device_id) WHERE "
				 "host.name = 'six.example.test'"),
		2);
}

static void an_ak_of_one_device_is_refused_where_its_second_ek_is_known_as_another(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	assert_comes(7, "seven.example.test", KEY_P384);
	visit_begin(&visit, &world, 7, 0, "seventh.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	dialogue_other_ek(&visit.dialogue, KEY_P384);
	assert_int_equal(dialogue_run(&visit.dialogue), 409);
	assert_string_equal(visit.dialogue.problem.code, "ak-of-another-device");
}

static void the_same_name_from_a_second_ek_with_a_new_ak_is_another_device(void **state)
{
	(void)state;
	assert_comes(8, "eight.example.test", KEY_RSA_2048);
	assert_refused_for(8, "eight.example.test", KEY_P384, 409, "host-bound-to-another-device");
}

static void unbind(struct output *output, const char *host, const char *why_text)
{
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(mem_free) char *token = text("%s/admin.token", world.dir);

	world_run(&world, output, "endorsectl", "host", "unbind", host, "--why", why_text,
		"--admin", url, "--token-file", token, NULL);
}

static void an_unbound_name_goes_to_the_next_device_and_the_audit_says_why(void **state)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *detail = NULL;

	(void)state;
	unbind(&output, "two.example.test", "mainboard replaced");
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
	assert_comes(9, "two.example.test", KEY_RSA_2048);
	detail = sql_text(world.conninfo,
		"SELECT concat(who, ': ', detail) FROM audit WHERE host = 'two.example.test' AND "
		"event LIKE '%%unb%%'");
	assert_string_equal(detail, "admin-token: mainboard replaced");
}

static void a_name_nobody_has_cannot_be_unbound(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	unbind(&output, "nobody.example.test", "by mistake");
	assert_int_equal(output.code, 5);
	assert_non_null(strstr(buf_text(&output.err), "host-unknown"));
}

static void an_unbinding_without_a_reason_is_refused(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	unbind(&output, "one.example.test", " \t\n.");
	assert_int_equal(output.code, 5);
	assert_non_null(strstr(buf_text(&output.err), "why-missing"));
}

static void what_was_issued_before_an_unbinding_is_not_returned_after_it(void **state)
{
	AUTO(visit_end) struct visit visit;
	AUTO(output_free) struct output output;

	(void)state;
	visit_begin(&visit, &world, 10, 0, "ten.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	unbind(&output, "ten.example.test", "test");
	assert_int_equal(output.code, 0);
	/* The very same request again: its ticket has been used, and its answer was taken back. */
	assert_int_equal(dialogue_enroll(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "certificate-revoked");
	/* Anew, it is issued anew. */
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_int_equal(
		sql_number(world.conninfo,
			"SELECT count(*) FROM certificate WHERE host = 'ten.example.test'"),
		2);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(
			of_a_hundred_tpms_racing_for_one_name_over_two_servers_exactly_one_wins),
		cmocka_unit_test(what_a_proven_device_was_refused_is_an_audit_row_and_nothing_else),
		cmocka_unit_test(the_same_device_and_name_may_come_again_with_a_new_ak),
		cmocka_unit_test(only_the_newest_four_aks_of_a_device_are_live),
		cmocka_unit_test(a_second_name_for_a_device_is_refused_and_stays_free),
		cmocka_unit_test(the_refusal_of_a_bound_name_does_not_tell_the_other_device),
		cmocka_unit_test(policy_may_allow_aliases_up_to_a_number),
		cmocka_unit_test(a_rule_may_name_the_kinds_of_ek_it_takes),
		cmocka_unit_test(a_rule_may_name_the_trust_classes_it_takes),
		cmocka_unit_test(
			an_ak_that_comes_under_a_second_ek_of_its_tpm_makes_both_one_device),
		cmocka_unit_test(
			an_ak_of_one_device_is_refused_where_its_second_ek_is_known_as_another),
		cmocka_unit_test(the_same_name_from_a_second_ek_with_a_new_ak_is_another_device),
		cmocka_unit_test(an_unbound_name_goes_to_the_next_device_and_the_audit_says_why),
		cmocka_unit_test(a_name_nobody_has_cannot_be_unbound),
		cmocka_unit_test(an_unbinding_without_a_reason_is_refused),
		cmocka_unit_test(what_was_issued_before_an_unbinding_is_not_returned_after_it),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
