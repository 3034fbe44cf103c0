#include "enroll/admin/command.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"
#include "ca/hierarchy_crl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define DAYS_MAX 3650

static const char usage[] =
	"usage: endorsectl ca crl --dir DIR [--revoke CERT [--reason REASON]] [--days N] --out "
	"FILE\n"
	"\n"
	"Makes the root's next CRL with the key in DIR/offline, and writes it to FILE (PEM). With\n"
	"--revoke it takes back CERT, the certificate of an issuing, edge or admin CA: who looks "
	"at the\n"
	"CRL believes nothing below it any more, and nothing takes that back. What was taken back\n"
	"before stays so; DIR/offline/root.crl keeps it. No service is asked.\n"
	"\n"
	"  --reason REASON   unspecified (the default), keyCompromise, cACompromise,\n"
	"                    affiliationChanged, superseded, cessationOfOperation or\n"
	"                    privilegeWithdrawn.\n"
	"  --days N          the next one is made by then: 1 to 3650, 180 without this. Who has\n"
	"                    an older one refuses every CA below the root.\n";

struct asked {
	const char *dir, *revoke, *path;
	enum revoked_reason reason;
	bool has_reason;
	int64_t days;
};

/* A CA that is on hold would come back by a CRL that does not list it, and this one forgets nothing. */
static bool read_reason(const char *word, struct asked *out)
{
	out->has_reason = true;
	if (revoked_reason_read(word, &out->reason) && out->reason != REVOKED_CERTIFICATE_HOLD)
		return true;
	fprintf(stderr, "endorsectl: --reason: a CA is not taken back for \"%s\"\n", word);
	return false;
}

static bool read_days(const char *word, int64_t *out)
{
	char *end;

	*out = strtol(word, &end, 10);
	if (*word >= '0' && *word <= '9' && *end == '\0' && *out >= 1 && *out <= DAYS_MAX)
		return true;
	fprintf(stderr, "endorsectl: --days: wanted 1 to %d, not \"%s\"\n", DAYS_MAX, word);
	return false;
}

static bool is_whole(const struct asked *asked)
{
	return asked->dir != NULL && asked->path != NULL &&
	       (asked->revoke != NULL || !asked->has_reason);
}

static int make(const struct asked *asked)
{
	struct hierarchy_crl made;
	char until[CLOCK_TEXT_SIZE];

	if (hierarchy_crl_make(asked->dir, asked->revoke, asked->reason, asked->days, asked->path,
		    &made) != OK)
		return command_failed();
	clock_text(made.next_update, until);
	printf("root CRL %s: number %llu, %zu taken back; make the next one before %s\n"
	       "         endorsed serves it as /ca/root.crl: root_crl of endorsed.yaml, and "
	       "reload\n",
		asked->path, (unsigned long long)made.number, made.n, until);
	return EXIT_DONE;
}

int command_ca_crl(int argc, char **argv)
{
	static const struct option options[] = {
		{"dir", required_argument, NULL, 'd'},
		{"revoke", required_argument, NULL, 'r'},
		{"reason", required_argument, NULL, 'w'},
		{"days", required_argument, NULL, 'n'},
		{"out", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct asked asked = {.days = 180};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'd':
			asked.dir = optarg;
			break;
		case 'r':
			asked.revoke = optarg;
			break;
		case 'w':
			if (!read_reason(optarg, &asked))
				return command_misused(usage);
			break;
		case 'n':
			if (!read_days(optarg, &asked.days))
				return command_misused(usage);
			break;
		case 'o':
			asked.path = optarg;
			break;
		case 'h':
			return command_told(usage);
		default:
			return command_misused(usage);
		}
	if (!is_whole(&asked) || optind != argc)
		return command_misused(usage);
	return make(&asked);
}
