#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/fleetmaker.h"
#include "tests/bench/endorse-bench/options.h"

#include "ca/base/hostname.h"

#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: endorse-bench fleet --devices N --out FILE --roots DIR [--mix MIX] [--domain "
	"NAME]\n"
	"                           [--service URL] [--threads N]\n"
	"\n"
	"  --devices N    how many\n"
	"  --out FILE     where they are kept, 2 KiB each\n"
	"  --roots DIR    DIR/roots and DIR/intermediates get the certificates of who made their "
	"TPMs\n"
	"  --mix MIX      what their EKs are, in proportion (rsa:70,p256:25,p384:5)\n"
	"  --domain NAME  their hosts are b-000001.NAME and so on (example.test)\n"
	"  --service URL  the service's name, where it is always the same\n"
	"  --threads N    that make them (2)\n"
	"\n"
	"The keys protect nothing: trust these roots on instances for measuring only.\n";

static const struct option table[] = {
	{"devices", required_argument, NULL, 'd'},
	{"domain", required_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{"mix", required_argument, NULL, 'm'},
	{"out", required_argument, NULL, 'o'},
	{"roots", required_argument, NULL, 'r'},
	{"service", required_argument, NULL, 's'},
	{"threads", required_argument, NULL, 't'},
	{NULL, 0, NULL, 0},
};

static enum err bad_mix(const char *text)
{
	return fail(ERR_MALFORMED, "usage", "--mix %s: wanted such as rsa:70,p256:25,p384:5", text);
}

/* One "kind:share" at `*text`, which is moved behind it. */
static enum err take_share(const char **text, unsigned mix[static FLEET_KINDS])
{
	for (size_t i = 0; i < FLEET_KINDS; i++) {
		const size_t n = strlen(fleet_kinds[i]);
		char *end;
		unsigned long share;

		if (strncmp(*text, fleet_kinds[i], n) != 0 || (*text)[n] != ':')
			continue;
		share = strtoul(*text + n + 1, &end, 10);
		if (end == *text + n + 1 || share > 1000 || (*end != ',' && *end != '\0'))
			break;
		mix[i] = (unsigned)share;
		*text = *end == ',' ? end + 1 : end;
		return OK;
	}
	return bad_mix(*text);
}

static enum err mix_read(const char *text, unsigned mix[static FLEET_KINDS])
{
	const char *rest = text;
	unsigned sum = 0;

	memset(mix, 0, FLEET_KINDS * sizeof(*mix));
	while (*rest != '\0')
		TRY(take_share(&rest, mix));
	for (size_t i = 0; i < FLEET_KINDS; i++)
		sum += mix[i];
	return sum > 0 ? OK : bad_mix(text);
}

static enum err take(int id, const char *value, struct fleet_plan *plan)
{
	switch (id) {
	case 'd':
		return number_read("devices", value, 100 * 1000 * 1000, &plan->devices);
	case 't':
		return number_read("threads", value, 64, &plan->threads);
	case 'm':
		return mix_read(value, plan->mix);
	case 'o':
		plan->path = value;
		return OK;
	case 'r':
		plan->roots = value;
		return OK;
	case 's':
		plan->service = value;
		return strlen(value) < FLEET_NAME_SIZE
			       ? OK
			       : fail(ERR_MALFORMED, "usage", "--service: too long");
	case 'n':
		plan->domain = value;
		TRY(hostname_check(value));
		return strlen(value) < FLEET_DOMAIN_SIZE
			       ? OK
			       : fail(ERR_MALFORMED, "usage", "--domain: too long");
	default:
		return fail(ERR_MALFORMED, "usage", "no such option, or it lacks its value");
	}
}

int command_fleet(int argc, char **argv)
{
	struct fleet_plan plan = {.mix = {70, 25, 5}, .domain = "example.test", .threads = 2};
	int id;

	optind = 1;
	while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (id == 'h')
			return bench_told(usage);
		if (take(id, optarg, &plan) != OK)
			return bench_misread(usage);
	}
	if (optind < argc || plan.devices == 0 || plan.path == NULL || plan.roots == NULL)
		return bench_misused(usage);
	return fleet_make(&plan) == OK ? EXIT_DONE : bench_failed();
}
