/* test_reload_load.c - two hundred reloads while devices enroll without a pause. */
#include "ca/base/file.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RELOADS 200
#define DEVICES 4

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = DEVICES}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

struct enrolling {
	size_t chip;
	unsigned enrolled, refused;
	char code[64]; /* of the last refusal */
};

static atomic_bool is_over;

/* The same device and AK again and again: judged anew each time, and given what it has. */
static void *enroll_on(void *arg)
{
	struct enrolling *mine = arg;
	AUTO(mem_free) char *host = text("web-%zu.example.test", mine->chip);
	AUTO(visit_end) struct visit visit;

	visit_begin(&visit, &world, mine->chip, 0, host, KEY_P384);
	while (!atomic_load(&is_over)) {
		if (dialogue_run(&visit.dialogue) == 200) {
			mine->enrolled++;
			continue;
		}
		mine->refused++;
		snprintf(mine->code, sizeof(mine->code), "%s", visit.dialogue.problem.code);
	}
	return NULL;
}

/* The same rules each time, and another version of them. */
static void reload_once(unsigned i)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);
	AUTO(mem_free)
	char *policy = text("# %u\nrules:\n  - name: any\n    hosts: [{glob: \"*.example.test\"}]\n"
			    "    templates: [ak]\n",
		i);

	/* At one stroke: a reload by signal may be reading. */
	assert_int_equal(file_replace(path, 0644, view_str(policy)), OK);
	httpc_post(&world.services[0].admin, "/v1/admin/reload", view_str(""), &answer);
	if (answer.status != 200)
		fail_msg("%u: %d %s", i, answer.status, buf_text(&answer.body));
	if (i % 10 == 0)
		kill(world.services[0].pid, SIGHUP);
}

static void no_request_is_refused_for_a_reload(void **state)
{
	struct enrolling all[DEVICES];
	pthread_t threads[DEVICES];
	AUTO(mem_free) char *log = NULL;

	(void)state;
	for (size_t i = 0; i < DEVICES; i++) {
		all[i] = (struct enrolling){.chip = i};
		assert_int_equal(pthread_create(&threads[i], NULL, enroll_on, &all[i]), 0);
	}
	for (unsigned i = 0; i < RELOADS; i++)
		reload_once(i);
	atomic_store(&is_over, true);
	for (size_t i = 0; i < DEVICES; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < DEVICES; i++) {
		if (all[i].refused > 0)
			fail_msg("chip %zu: %u refused, the last for %s", i, all[i].refused,
				all[i].code);
		assert_true(all[i].enrolled > 0);
	}
	assert_true(world_rows(&world, "ticket") > RELOADS / 10);
	log = world_log(&world, 0);
	assert_non_null(strstr(log, " rules=moved "));
	assert_null(strstr(log, ">reload.refused"));
}

static void sighups_in_a_row_are_reloads_and_nothing_worse(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(kill(world.services[0].pid, SIGHUP), 0);
	httpc_get(&world.services[0].peer, "/readyz", &answer);
	assert_int_equal(answer.status, 200);
	assert_true(process_is_alive(world.services[0].pid));
}

static void endorsectl_tells_by_its_exit_code_what_came_of_it(void **state)
{
	AUTO(output_free) struct output done, wrong_token, away, misused, help;
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(mem_free) char *nobody = text("http://127.0.0.1:%d", free_port());
	AUTO(mem_free) char *token = text("%s/admin.token", world.dir);
	AUTO(mem_free) char *other = text("%s/edge.secret", world.dir);

	(void)state;
	world_run(
		&world, &done, "endorsectl", "reload", "--admin", url, "--token-file", token, NULL);
	assert_int_equal(done.code, 0);
	world_run(&world, &wrong_token, "endorsectl", "reload", "--admin", url, "--token-file",
		other, NULL);
	assert_int_equal(wrong_token.code, 5);
	assert_non_null(strstr(buf_text(&wrong_token.err), "token-unknown"));
	world_run(&world, &away, "endorsectl", "reload", "--admin", nobody, "--token-file", token,
		NULL);
	assert_int_equal(away.code, 1);
	world_run(&world, &misused, "endorsectl", "reload", "now", NULL);
	assert_int_equal(misused.code, 2);
	world_run(&world, &help, "endorsectl", "reload", "--help", NULL);
	assert_int_equal(help.code, 0);
	assert_non_null(strstr(buf_text(&help.out), "usage: endorsectl reload"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(no_request_is_refused_for_a_reload),
		cmocka_unit_test(endorsectl_tells_by_its_exit_code_what_came_of_it),
		cmocka_unit_test(sighups_in_a_row_are_reloads_and_nothing_worse),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
