#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/floor.h"

#include <getopt.h>
#include <stdlib.h>

static const char usage[] =
	"usage: endorse-bench floor [--database CONNINFO] [--edge-certificate FILE] [--rounds N]\n"
	"                           [--without-database] [--with-bare-database] [--json]\n"
	"\n"
	"  --database CONNINFO      PostgreSQL on this machine, as a superuser: a database of the "
	"floor's own\n"
	"                           is made there, and dropped; default: a private cluster\n"
	"  --edge-certificate FILE  certificate, issuer and key of the TLS edge, PEM; default: "
	"made, P-256\n"
	"  --rounds N               each part so often, in turns (21)\n"
	"  --without-database       leave PostgreSQL's part out\n"
	"  --with-bare-database     PostgreSQL's part once more, in tables that have keys and "
	"nothing else\n"
	"  --json                   one JSON object instead of the table\n";

struct options {
	struct floor_plan plan;
	unsigned long rounds;
	bool json, help;
};

static bool read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"database", required_argument, NULL, 'd'},
		{"edge-certificate", required_argument, NULL, 'e'},
		{"rounds", required_argument, NULL, 'r'},
		{"without-database", no_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'},
		{"with-bare-database", no_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	char *end = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 'd':
			options->plan.database = optarg;
			break;
		case 'e':
			options->plan.edge_certificate = optarg;
			break;
		case 'r':
			options->rounds = strtoul(optarg, &end, 10);
			if (*end != '\0')
				return false;
			break;
		case 'w':
			options->plan.without_database = true;
			break;
		case 'b':
			options->plan.with_bare_database = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			options->help = true;
			break;
		default:
			return false;
		}
	return optind == argc && options->rounds >= 1 && options->rounds <= 1000;
}

static enum err tell(const struct options *options, const struct floor_figures *figures)
{
	struct json json = {.text = BUF(8192)};
	enum err err;

	if (!options->json) {
		floor_print(figures, stdout);
		return OK;
	}
	floor_json(figures, NULL, &json);
	err = buf_ok(&json.text);
	if (err == OK)
		puts(buf_text(&json.text));
	buf_free(&json.text);
	return err;
}

static enum err measure(const struct options *options)
{
	AUTO(floor_close) struct floor *floor = NULL;
	struct floor_figures figures;

	TRY(floor_open(&options->plan, &floor));
	for (unsigned long i = 0; i < options->rounds; i++)
		TRY(floor_round(floor));
	floor_figures(floor, &figures);
	return tell(options, &figures);
}

int command_floor(int argc, char **argv)
{
	struct options options = {.rounds = 21};

	if (!read_options(argc, argv, &options))
		return bench_misused(usage);
	if (options.help)
		return bench_told(usage);
	return measure(&options) == OK ? EXIT_DONE : bench_failed();
}
