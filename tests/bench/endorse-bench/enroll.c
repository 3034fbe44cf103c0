#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/enrolling.h"

static const char usage[] =
	"usage: endorse-bench enroll --url URL --ca FILE --fleet FILE [OPTION...]\n"
	"\n" OPTIONS_USAGE OPTIONS_FLEET_USAGE
	"  --templates LIST   what is asked for, such as ak,tls-client (ak)\n"
	"  --fresh-aks        each with an AK that it has not enrolled before; more than\n"
	"                     there are devices then goes round them again\n";

static enum err enroll(struct options *options, struct figures *out)
{
	AUTO(enrolling_free) struct enrolling all = {.fleet = NULL};
	struct load_work work = enrolling_work;

	TRY(enrolling_open(options, &all));
	work.ctx = &all;
	return options_run(options, &work, out);
}

int command_enroll(int argc, char **argv)
{
	return options_command(argc, argv, usage, enroll);
}
