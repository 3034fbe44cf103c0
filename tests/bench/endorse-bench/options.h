/* options.h - the command line of those commands that load a service. */
#pragma once

#include "tests/bench/endorse-bench/load.h"

#include <getopt.h>

struct options {
	struct load_plan plan;
	const char *fleet; /* FILE */
	const char *service; /* the name that AKs and claims are for; NULL: as the fleet or the URL says */
	const char *templates; /* "ak,tls-client" */
	const char *json; /* file to write; "-": standard output instead of the text; NULL: none */
	bool fresh_aks;
	bool help;
};

/*
 * Reads all options; the arguments behind them are none. ERR_MALFORMED "usage" with what is wrong.
 * --url --ca --connections --threads --sources --reuse --rate --herd --seconds --patience --devices --fleet
 * --service --templates --fresh-aks --json --help. Times: "10", "10s", "2m".
 */
CHECKED enum err options_read(int argc, char **argv, struct options *out);

/* Prints the figures, or writes them as JSON, as the options say; the exit code. */
int options_tell(const struct options *options, const struct figures *figures);

/* Numbers of a command line, whole or not; ERR_MALFORMED "usage". */
CHECKED enum err number_read(const char *option, const char *text, size_t max, size_t *out);
CHECKED enum err seconds_read(const char *option, const char *text, double *out);
