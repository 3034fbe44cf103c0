#include "tests/bench/endorse-bench/command.h"

#include <stdio.h>

int command_misused(const char *usage)
{
	fputs(usage, stderr);
	return EXIT_WRONG_USAGE;
}

int command_misread(const char *usage)
{
	command_failed();
	return command_misused(usage);
}

int command_told(const char *usage)
{
	fputs(usage, stdout);
	return EXIT_DONE;
}

int command_failed(void)
{
	fprintf(stderr, "endorse-bench: %s (%s)\n", why()->sentence, why()->code);
	return EXIT_FAILED;
}
