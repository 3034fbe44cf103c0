#include "tests/bench/endorse-bench/watched.h"

#include <string.h>

/* The generator's is told by the engine, without what it does before and after. */
static enum err check_name(const char *spec)
{
	const size_t n = strcspn(spec, "=");

	for (size_t i = 0; i < FIGURES_OF; i++)
		if (i != OF_GENERATOR && strlen(figures_of_names[i]) == n &&
			strncmp(figures_of_names[i], spec, n) == 0)
			return OK;
	return fail(ERR_MALFORMED, "usage",
		"--watch %.64s: wanted edge=PID, service=PID or postgres=PID", spec);
}

enum err watched_begin(const char *const *specs, size_t n, struct watched *out)
{
	*out = (struct watched){.usage = NULL};
	TRY(usage_make(&out->usage));
	for (size_t i = 0; i < n; i++) {
		TRY(check_name(specs[i]));
		TRY(usage_watch(out->usage, specs[i]));
	}
	return usage_take(out->usage, &out->before);
}

enum err watched_end(struct watched *watched, struct figures *out)
{
	struct usage_taken after, since;

	TRY(usage_take(watched->usage, &after));
	usage_since(&watched->before, &after, &since);
	for (size_t i = 0; i < FIGURES_OF; i++) {
		const struct usage_figures *group = usage_named(&since, figures_of_names[i]);

		if (group == NULL)
			continue;
		out->cpu_us[i] = (double)group->cpu_ns / 1e3;
		/* Each of PostgreSQL's processes has all of its shared memory, which would count for each. */
		out->rss_kib[i] = group->processes > 1 && group->pss_kib > 0 ? group->pss_kib
									     : group->rss_kib;
		out->peak_kib[i] = group->peak_kib;
	}
	return OK;
}

void watched_free(struct watched *watched)
{
	usage_free(&watched->usage);
}
