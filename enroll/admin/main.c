/* main.c - endorsectl: what operators and admins type. */

#include "ca/base/mem.h"
#include "enroll/admin/command.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: endorsectl COMMAND ...\n"
	"\n"
	"  attempts     watch which devices are refused, why, and what to do\n"
	"  ca init      make the CAs of a new installation\n"
	"  ca edge      make the TLS certificate of the service's edge\n"
	"  doctor       look at the service and say what would fail\n"
	"  host unbind  take a host name away from its device\n"
	"  reload       have the service take its configuration anew\n"
	"  vendors list    what the service trusts about TPMs\n"
	"  vendors show    one certificate of that\n"
	"  vendors import  trust more manufacturers\n"
	"  vendors remove  trust one no more\n"
	"  vendors export  write all of it as one bundle\n"
	"\n"
	"endorsectl COMMAND --help tells more.\n"
	"Exit status: 0 done; 1 a failure; 2 wrong usage; 5 refused by the service.\n";

static const struct {
	const char *noun, *verb; /* verb NULL: the command is one word */
	int (*run)(int argc, char **argv);
} commands[] = {
	{"attempts", NULL, command_attempts},
	{"ca", "init", command_ca_init},
	{"ca", "edge", command_ca_edge},
	{"doctor", NULL, command_doctor},
	{"host", "unbind", command_host_unbind},
	{"reload", NULL, command_reload},
	{"vendors", "export", command_vendors_export},
	{"vendors", "import", command_vendors_import},
	{"vendors", "list", command_vendors_list},
	{"vendors", "remove", command_vendors_remove},
	{"vendors", "show", command_vendors_show},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("endorsectl " ENDORSE_VERSION);
		return EXIT_DONE;
	}
	if (argc >= 2 && strcmp(argv[1], "--help") == 0)
		return command_told(usage);
	for (size_t i = 0; i < COUNT(commands); i++) {
		int words = commands[i].verb == NULL ? 1 : 2;

		if (argc > words && strcmp(argv[1], commands[i].noun) == 0 &&
			(words == 1 || strcmp(argv[2], commands[i].verb) == 0))
			return commands[i].run(argc - words, argv + words);
	}
	if (argc >= 2)
		fprintf(stderr, "endorsectl: there is no command \"%s%s%s\"\n", argv[1],
			argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	return command_misused(usage);
}
