#include "enroll/admin/command.h"

#include <stdio.h>
#include <string.h>

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

int command_lacks_why(void)
{
	fputs("endorsectl: --why is missing: the audit keeps it beside the act, such as a ticket's "
	      "number\n",
		stderr);
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
	fprintf(stderr, "endorsectl: %s (%s)%s\n", why()->sentence, why()->code,
		strcmp(why()->code, "service-failed") == 0 ? "; endorsectl doctor tells why" : "");
	return EXIT_FAILED;
}

int command_ended(enum err err, const struct problem *problem)
{
	if (err == ERR_DENIED)
		return command_refused(problem);
	return err == OK ? EXIT_DONE : command_failed();
}
