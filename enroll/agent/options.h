/* options.h - the command line of a subcommand. */
#pragma once

#include "ca/base/err.h"

#include <getopt.h>
#include <stdbool.h>

#define TIMEOUT_DEFAULT 120 /* seconds */

/* Takes one option of the table into `out`; `value` is NULL for one without. */
typedef enum err option_taker(int id, const char *value, void *out);

/*
 * Hands each option to `take`; "help", which a table has as 'h', is told in `*help`, and then nothing
 * but the options themselves was looked at. ERR_MALFORMED "usage" for an option that is none, or
 * an argument behind the options; and the errors of `take`. argv[0] is the subcommand's name.
 */
CHECKED enum err options_read(int argc, char **argv, const struct option *table, option_taker *take,
	void *out, bool *help);

/* What --timeout says: 0 to 86400 seconds. ERR_MALFORMED "usage". */
CHECKED enum err option_timeout(const char *text, unsigned *out);
