#include "tests/flow/skewed.h"

#include "tests/flow/process.h"
#include "tests/flow/supervise.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

static char *clock_path(void)
{
	return text("%s/clock", supervise_dir());
}

void skewed_set(const char *ahead)
{
	AUTO(mem_free) char *path = clock_path();
	AUTO(mem_free) char *new = text("%s.new", path);

	write_file(new, 0644, view_str(ahead));
	must(rename(new, path) == 0, "%s", path);
}

static char *find_libfaketime(void)
{
	glob_t found;
	char *path;

	must(glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, NULL, &found) == 0,
		"the package libfaketime is not installed");
	path = text("%s", found.gl_pathv[0]);
	globfree(&found);
	return path;
}

static char lines[3][512];
static const char *env[6];

/* The time of day alone: what cannot be set goes on as it is. */
const char *const *skewed_env(void)
{
	AUTO(mem_free) char *library = find_libfaketime();
	AUTO(mem_free) char *clock = clock_path();
	const char *sanitizer = getenv("ASAN_OPTIONS");

	snprintf(lines[0], sizeof(lines[0]), "LD_PRELOAD=%s", library);
	snprintf(lines[1], sizeof(lines[1]), "FAKETIME_TIMESTAMP_FILE=%s", clock);
	/* In a build with sanitizers theirs is not the first library then, and need not be. */
	snprintf(lines[2], sizeof(lines[2]), "ASAN_OPTIONS=%s:verify_asan_link_order=0",
		sanitizer == NULL ? "" : sanitizer);
	env[0] = lines[0];
	env[1] = lines[1];
	env[2] = lines[2];
	env[3] = "FAKETIME_NO_CACHE=1";
	env[4] = "FAKETIME_DONT_FAKE_MONOTONIC=1";
	return env;
}
