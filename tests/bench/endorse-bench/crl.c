#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/relying.h"

static const char usage[] =
	"usage: endorse-bench crl --url URL [--database CONNINFO] [OPTION...]\n"
	"\n"
	"Relying parties fetch CRLs, each on a new connection; the URL is of the edge's plain\n"
	"front. With --seconds they go round and round.\n"
	"\n"
	"  --database CONNINFO  fetch all CRLs in it, in turn; without it the CA's first one\n"
	"  --reuse N            so many on one connection\n"
	"  --devices N          so many in all\n" OPTIONS_USAGE;

static enum err begin(void *ctx, size_t i, void *kept, struct load_request *out)
{
	const struct relying *relying = ctx;

	(void)kept;
	out->method = "GET";
	out->path = buf_text(&relying->questions[i % relying->n]);
	return OK;
}

/* A SEQUENCE; reading all of a large one would be most of what is measured. */
static enum err next(void *ctx, void *kept, struct view body, struct load_request *out)
{
	(void)ctx;
	(void)kept;
	(void)out;
	return body.n > 2 && body.p[0] == 0x30 ? OK
					       : fail(ERR_REJECTED, "crl-answer", "it is no CRL");
}

static enum err fetch(struct options *options, struct relying *relying, struct figures *figures)
{
	const struct load_work work = {.what = "crl", .ctx = relying, .begin = begin, .next = next};

	options->goes_round = true;
	TRY(relying_crl(options, relying));
	options->first = 0;
	TRY(options_fit(options, relying->n));
	return options_run(options, &work, figures);
}

int command_crl(int argc, char **argv)
{
	static struct figures figures;
	AUTO(relying_free) struct relying *relying = NULL;
	struct options options;

	if (options_parse(argc, argv, &options) != OK)
		return bench_misread(usage);
	if (options.help)
		return bench_told(usage);
	if (relying_make(&relying) != OK || fetch(&options, relying, &figures) != OK)
		return bench_failed();
	return options_tell(&options, &figures);
}
