/* options.h - the command line of those commands that load a service. */
#pragma once

#include "tests/bench/endorse-bench/load.h"

#include <getopt.h>

#define OPTIONS_WATCH 8

struct options {
	struct load_plan plan;
	const char *fleet; /* FILE */
	const char
		*database; /* conninfo: whose certificates relying parties ask about; NULL: none */
	const char *
		service; /* the name that AKs and claims are for; NULL: as the fleet or the URL says */
	const char *templates; /* "ak,tls-client" */
	const char *json; /* file to write; "-": standard output instead of the text; NULL: none */
	size_t first; /* the fleet's device with which it begins */
	bool fresh_aks;
	const char *watch[OPTIONS_WATCH]; /* "NAME=PID,...": whose CPU time and memory is told */
	size_t watch_n;
	bool help;
	/* The command's to set: what there is may be used again and again. */
	bool goes_round;
};

/* What all of these commands say of their options. */
#define OPTIONS_USAGE                                                                              \
	"  --url URL          the service's edge\n"                                                \
	"  --ca FILE          PEM file that its certificate chains to\n"                           \
	"  --connections N    at most so many at once (64; with --herd: all)\n"                    \
	"  --rate R           open loop: one is due each 1/R seconds, ready or not\n"              \
	"  --herd TIME        each is due at a random moment within TIME\n"                        \
	"  --seconds TIME     none begins after that\n"                                            \
	"  --patience TIME    who is not served comes again for so long (0; with --herd: 10m)\n"   \
	"  --sources N        come from so many addresses, 127.0.1.1 and on\n"                     \
	"  --reuse N          so many on one connection, one after the other (1)\n"                \
	"  --threads N        of the generator (1)\n"                                              \
	"  --watch NAME=PID[,PID...]  tell CPU time and memory of these and their children;\n"     \
	"                     again for more: edge, service, postgres\n"                           \
	"  --json FILE        write the figures there too; \"-\": only them\n"

/* And those that load it with devices. */
#define OPTIONS_FLEET_USAGE                                                                        \
	"  --fleet FILE       the devices\n"                                                       \
	"  --devices N        how many enroll (all, each once)\n"                                  \
	"  --first N          begins behind the first N of the fleet (0)\n"                        \
	"  --service NAME     the service's name, when it is neither the fleet's nor the URL\n"

/* Reads all options. ERR_MALFORMED "usage" with what is wrong. Times: "10", "10s", "2m". */
CHECKED enum err options_parse(int argc, char **argv, struct options *out);

/* Is there a fleet? ERR_MALFORMED "usage". */
CHECKED enum err options_need_fleet(const struct options *options);
/*
 * What was not said: all of the `n` that there are, or for what goes round with --seconds without an
 * end; 64 connections; for a herd one for each, and patience. ERR_MALFORMED "usage" where they begin behind
 * the last, or are more than there are and do not go round.
 */
CHECKED enum err options_fit(struct options *options, size_t n);

/* load_run(), and what those who are watched spent meanwhile. */
CHECKED enum err options_run(
	const struct options *options, const struct load_work *work, struct figures *out);

/*
 * A whole command: reads its options; runs it, by a `run` that ends with options_run(); prints the figures, or writes
 * them as JSON, as the options say. Returns the exit code, EXIT_FAILED when somebody was not served.
 */
int options_command(int argc, char **argv, const char *usage,
	enum err (*run)(struct options *options, struct figures *out));

/* A number of a command line; ERR_MALFORMED "usage". */
CHECKED enum err number_read(const char *option, const char *text, size_t max, size_t *out);
