#include "tests/bench/endorse-bench/command.h"

int command_fleet(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return command_misused("endorse-bench: not there yet\n");
}
