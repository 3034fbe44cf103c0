#include "enroll/admin/command.h"

#include <stdio.h>

int command_told(const char *usage)
{
	fputs(usage, stdout);
	return EXIT_DONE;
}

int command_misused(const char *usage)
{
	fputs(usage, stderr);
	return EXIT_WRONG_USAGE;
}

int command_refused(const struct problem *problem)
{
	fprintf(stderr, "endorsectl: refused: %s (%s; request %s)\n", problem->detail,
		problem->code, problem->request_id);
	return EXIT_REFUSED;
}

int command_failed(void)
{
	fprintf(stderr, "endorsectl: %s (%s)\n", why()->sentence, why()->code);
	return EXIT_FAILED;
}
