#include "tests/bench/endorse-bench/command.h"

#include <stdio.h>

int bench_misused(const char *usage)
{
	fputs(usage, stderr);
	return EXIT_WRONG_USAGE;
}

int bench_misread(const char *usage)
{
	bench_failed();
	return bench_misused(usage);
}

int bench_told(const char *usage)
{
	fputs(usage, stdout);
	return EXIT_DONE;
}

int bench_failed(void)
{
	fprintf(stderr, "endorse-bench: %s (%s)\n", why()->sentence, why()->code);
	return EXIT_FAILED;
}
