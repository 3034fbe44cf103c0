#include "tests/bench/endorse-bench/command.h"

int command_plot(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return command_misused("endorse-bench: not there yet\n");
}
