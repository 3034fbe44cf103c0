/* load.c - a database as after years, for trying things by hand: bench-load CONNINFO CERTIFICATES REVOKED */
#include "tests/flow/loaded.h"
#include "tests/flow/process.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	int64_t begin = now_ms();

	if (argc != 4) {
		fputs("usage: bench-load CONNINFO CERTIFICATES REVOKED\n"
		      "For a superuser, and a database in which somebody has enrolled.\n",
			stderr);
		return 2;
	}
	loaded_fill(argv[1], strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	printf("loaded in %.1f s\n", (double)(now_ms() - begin) / 1000);
	return 0;
}
