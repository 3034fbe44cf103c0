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

static enum err fetch(struct options *options, struct figures *out)
{
	const struct load_work work = {.what = "crl", .begin = begin, .next = next};

	return relying_run(options, work, relying_crl, out);
}

int command_crl(int argc, char **argv)
{
	return options_command(argc, argv, usage, fetch);
}
