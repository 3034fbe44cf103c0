#include "ca/base/ossl.h"
#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/relying.h"

#include <openssl/ocsp.h>

static const char usage[] =
	"usage: endorse-bench ocsp --url URL [--database CONNINFO] [OPTION...]\n"
	"\n"
	"Relying parties ask what became of certificates, by POST, each on a new connection; the\n"
	"URL is of the edge's plain front. With --seconds they go round and round.\n"
	"\n"
	"  --database CONNINFO  ask about the latest certificates in it; without it about numbers\n"
	"                       that nobody has, for which each answer is signed\n"
	"  --reuse N            so many questions on one connection\n"
	"  --devices N          so many questions\n" OPTIONS_USAGE;

OSSL_FREE(ocsp_response_free, OCSP_RESPONSE, OCSP_RESPONSE_free)

static enum err begin(void *ctx, size_t i, void *kept, struct load_request *out)
{
	const struct relying *relying = ctx;

	(void)kept;
	out->method = "POST";
	out->path = "/ocsp";
	out->type = "application/ocsp-request";
	buf_add(&out->body, buf_view(&relying->questions[i % relying->n]));
	return OK;
}

/* Whether it is signed as it should be is for the tests: here it would only cost. */
static enum err next(void *ctx, void *kept, struct view body, struct load_request *out)
{
	const uint8_t *p = body.p;
	AUTO(ocsp_response_free)
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)body.n);

	(void)ctx;
	(void)kept;
	(void)out;
	if (response == NULL || OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return fail(ERR_REJECTED, "ocsp-answer", "it is no answer of OCSP");
	return OK;
}

static enum err ask(struct options *options, struct figures *out)
{
	const struct load_work work = {.what = "ocsp", .begin = begin, .next = next};

	return relying_run(options, work, relying_ocsp, out);
}

int command_ocsp(int argc, char **argv)
{
	return options_command(argc, argv, usage, ask);
}
