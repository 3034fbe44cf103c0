#include "tests/flow/checkup.h"

#include "tests/flow/agent.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS 40

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ak]\n";

void checkup_make(struct checkup *checkup)
{
	struct world *world = &checkup->world;
	struct device device;

	world_make(
		&(struct world_plan){
			.chips = CHECKUP_CHIPS, .services = 1, .edge = true, .policy = policy},
		world);
	checkup->state = text("%s/state", world->dir);
	device_open(&device, world->chips[WELL].tcti);
	device_certify(&device, KEY_P256, &world->maker, NULL);
	device_close(&device);
}

void checkup_free(struct checkup *checkup)
{
	free(checkup->state);
	world_free(&checkup->world);
}

void checkup_run(struct checkup *checkup, const struct run *run, struct output *output)
{
	AUTO(mem_free) char *endorse = text("%s/endorse", ENDORSE_BIN_DIR);
	const char *tcti = run->tcti != NULL ? run->tcti : checkup->world.chips[run->chip].tcti;
	const char *fixed[] = {endorse, "doctor", "--server",
		run->server != NULL ? run->server : checkup->world.name, "--ca",
		run->ca != NULL ? run->ca : checkup->world.roots, "--tcti", tcti, "--state",
		checkup->state, "--host", run->host != NULL ? run->host : CHECKUP_HOST};
	const char *argv[ARGUMENTS];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(fixed); i++)
		argv[n++] = fixed[i];
	for (size_t i = 0; i < COUNT(run->more) && run->more[i] != NULL; i++)
		argv[n++] = run->more[i];
	argv[n] = NULL;
	run_ahead(output, run->time, argv);
}

void assert_says(const struct output *output, const char *start, const char *words)
{
	if (!has_line(output, start, words))
		fail_msg("no \"%s... %s\" in:\n%s%s", start, words, buf_text(&output->out),
			buf_text(&output->err));
}

void assert_wrong(
	struct checkup *checkup, const struct run *run, const char *start, const char *words)
{
	AUTO(output_free) struct output output;

	checkup_run(checkup, run, &output);
	assert_says(&output, start, words);
	assert_int_equal(output.code, 1);
	if (lines_of(&output, "FAIL") != 1)
		fail_msg("more is wrong:\n%s", buf_text(&output.out));
}

void certify_ill(struct checkup *checkup, struct maker *maker, const struct ek_wish *wish)
{
	struct device device;

	device_open(&device, checkup->world.chips[ILL].tcti);
	device_certify(&device, KEY_P256, maker, wish);
	device_close(&device);
}
