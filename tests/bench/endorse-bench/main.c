/* main.c - endorse-bench: a fleet of software TPMs that loads a service, and what that costs. */
#include "tests/bench/endorse-bench/command.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: endorse-bench COMMAND ...\n"
	"\n"
	"  crl     fetch CRLs\n"
	"  enroll  have devices enroll, as fast as can be, at a rate, or all at once\n"
	"  fleet   make devices, once, into a file\n"
	"  floor   measure what an enrollment costs at least on this machine\n"
	"  ocsp    ask what became of certificates\n"
	"  plot    draw what was measured\n"
	"  reject  have devices ask that are refused\n"
	"  renew   have devices that enrolled renew\n"
	"\n"
	"endorse-bench COMMAND --help tells more.\n"
	"Exit status: 0 done; 1 a failure; 2 wrong usage.\n";

static const struct {
	const char *word;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"crl", command_crl},
	{"enroll", command_enroll},
	{"fleet", command_fleet},
	{"floor", command_floor},
	{"ocsp", command_ocsp},
	{"plot", command_plot},
	{"reject", command_reject},
	{"renew", command_renew},
};

int main(int argc, char **argv)
{
	if (argc < 2)
		return bench_misused(usage);
	if (strcmp(argv[1], "--help") == 0)
		return bench_told(usage);
	if (strcmp(argv[1], "--version") == 0) {
		puts("endorse-bench " ENDORSE_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(argv[1], commands[i].word) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "endorse-bench: what is \"%.32s\"?\n", argv[1]);
	return bench_misused(usage);
}
