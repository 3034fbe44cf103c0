#include "enroll/agent/options.h"

#include <errno.h>
#include <stdlib.h>

#define TIMEOUT_MAX 86400

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

enum err option_timeout(const char *text, unsigned *out)
{
	char *end = NULL;
	unsigned long seconds;

	errno = 0;
	seconds = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || seconds > TIMEOUT_MAX)
		return fail(ERR_MALFORMED, "usage", "--timeout: \"%s\" is not 0 to %d seconds",
			text, TIMEOUT_MAX);
	*out = (unsigned)seconds;
	return OK;
}
