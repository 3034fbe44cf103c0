#include "tests/flow/diagnosis.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS 8

void diagnose(struct world *world, struct output *output, ...)
{
	AUTO(mem_free) char *admin = text("http://127.0.0.1:%d", world->services[0].admin_port);
	/* An own copy, for the tool takes none that is open, as one of the tests makes the service's. */
	AUTO(mem_free) char *token = text("%s/admins.token", world->dir);
	const char *more[ARGUMENTS] = {NULL};
	va_list ap;

	write_file(token, 0600, view_str(world->token));
	va_start(ap, output);
	for (size_t i = 0; i < ARGUMENTS - 1 && (more[i] = va_arg(ap, const char *)) != NULL; i++)
		;
	va_end(ap);
	world_run(world, output, "endorsectl", "doctor", "--admin", admin, "--token-file", token,
		"--config", world->services[0].config, more[0], more[1], more[2], more[3], more[4],
		more[5], more[6], NULL);
}

void finds_only(const struct output *output, const char *mark, const char *words)
{
	const char *out = buf_text(&output->out);
	AUTO(mem_free) char *begin = text("%s ", mark);

	if (lines_of(output, "FAIL ") + lines_of(output, "warn ") != 1 ||
		!has_line(output, begin, words)) {
		print_error("wanted only %s \"%s\" in:\n", mark, words);
		fail_msg("%s%s", strstr(out, "FAIL ") == NULL ? out : strstr(out, "FAIL "),
			buf_text(&output->err));
	}
	assert_int_equal(output->code, strcmp(mark, "FAIL") == 0 ? 1 : 0);
}

static bool passes_on(void *arg)
{
	const struct world *world = arg;
	AUTO(httpc_answer_free) struct httpc_answer answer;

	httpc_get(&world->front, "/healthz", &answer);
	return answer.status == 200;
}

void restart(struct world *world)
{
	world_service_stop(world, 0, SIGTERM);
	world_service_start(world, 0);
	assert_true(wait_until(passes_on, world, 10000));
}
