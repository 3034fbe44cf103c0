#include "tests/flow/agent.h"
#include "ca/base/file.h"
#include "tests/flow/cluster.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS 64

void run_ahead(struct output *output, const char *ahead, const char *const *argv)
{
	/* The sanitizer minds what faketime preloads; the TPM's time-outs keep the real clock. */
	const char *env[] = {"ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0",
		"FAKETIME_DONT_FAKE_MONOTONIC=1", NULL};
	const char *all[ARGUMENTS] = {"faketime", "-f", ahead};
	size_t n = 3;

	while (*argv != NULL && n < COUNT(all) - 1)
		all[n++] = *argv++;
	must(*argv == NULL, "too many arguments");
	process_run(&(struct program){.argv = ahead == NULL ? all + 3 : all,
			    .env = ahead == NULL ? NULL : env},
		output);
}

void agent_run(struct output *output, const char *ahead, const char *const *words)
{
	AUTO(mem_free) char *program = text("%s/endorse", ENDORSE_BIN_DIR);
	const char *argv[ARGUMENTS] = {program};
	size_t n = 1;

	while (*words != NULL && n < COUNT(argv) - 1)
		argv[n++] = *words++;
	run_ahead(output, ahead, argv);
}

void world_age(const struct world *world)
{
	free(sql_text(world->conninfo,
		"UPDATE certificate SET not_before = not_before - interval '200 days' "
		"RETURNING 1"));
}

void assert_code(const struct output *output, int code)
{
	if (output->code != code)
		fail_msg("%d, wanted %d:\n%s%s", output->code, code, buf_text(&output->out),
			buf_text(&output->err));
}

void assert_tells(const struct buf *said, const char *words)
{
	if (strstr(buf_text(said), words) == NULL)
		fail_msg("no \"%s\" in:\n%s", words, buf_text(said));
}

char *content(const char *path)
{
	struct buf bytes = BUF(65536);

	return file_read(path, &bytes) == OK ? buf_take(&bytes) : strdup("");
}
