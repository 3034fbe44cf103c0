#include "enroll/agent/options.h"

enum err options_read(int argc, char **argv, const struct option *table, option_taker *take,
	void *out, bool *help)
{
	int id;

	optind = 1;
	while ((id = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		/* getopt_long() has said what is wrong. */
		if (id == '?')
			return fail(ERR_MALFORMED, "usage", "see endorse %s --help", argv[0]);
		if (id == 'h')
			*help = true;
		else
			TRY(take(id, optarg, out));
	}
	if (!*help && optind < argc)
		return fail(
			ERR_MALFORMED, "usage", "\"%s\" is one argument too many", argv[optind]);
	return OK;
}
