#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/enrolling.h"

static const char usage[] =
	"usage: endorse-bench enroll --url URL --ca FILE --fleet FILE [OPTION...]\n"
	"\n" OPTIONS_USAGE OPTIONS_FLEET_USAGE
	"  --templates LIST   what is asked for, such as ak,tls-client (ak)\n"
	"  --fresh-aks        each with an AK that it has not enrolled before; more than\n"
	"                     there are devices then goes round them again\n";

static enum err enroll(struct options *options, struct enrolling *all, struct figures *figures)
{
	struct load_work work = enrolling_work;

	TRY(enrolling_open(options, all));
	work.ctx = all;
	return options_run(options, &work, figures);
}

int command_enroll(int argc, char **argv)
{
	static struct figures figures;
	AUTO(enrolling_free) struct enrolling all = {.fleet = NULL};
	struct options options;

	if (options_parse(argc, argv, &options) != OK)
		return bench_misread(usage);
	if (options.help)
		return bench_told(usage);
	if (enroll(&options, &all, &figures) != OK)
		return bench_failed();
	return options_tell(&options, &figures);
}
