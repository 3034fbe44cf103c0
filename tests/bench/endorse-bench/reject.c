#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/enrolling.h"

#include <stdio.h>

static const char usage[] =
	"usage: endorse-bench reject --url URL --ca FILE --fleet FILE [OPTION...]\n"
	"\n"
	"Devices that are refused, in turn: an EK certificate that nobody signed so, a host\n"
	"name that no policy allows, a proof that does not hold. Who is refused for his fault\n"
	"was served as wanted; with --seconds they go round and round.\n"
	"\n" OPTIONS_USAGE OPTIONS_FLEET_USAGE;

static void spoil_certificate(struct soft_device *device)
{
	/* The last byte is the signature's. */
	device->ek_certificate.p[device->ek_certificate.n - 1] ^= 1;
}

static void spoil_key(struct soft_enrollment *x, struct request *request)
{
	(void)request;
	x->session.bytes[0] ^= 1;
}

static void spoil(size_t i, struct soft_device *device, struct soft_enrollment *x)
{
	switch (i % 3) {
	case 0:
		spoil_certificate(device);
		break;
	case 1:
		snprintf(device->host, sizeof(device->host), "b-%06zu.refused.invalid", i + 1);
		break;
	default:
		x->alter = spoil_key;
		break;
	}
}

/* Who does not get through for want of servers was not refused. */
static enum err refused(void *ctx, void *kept, int status, const char *code)
{
	(void)ctx;
	(void)kept;
	return status >= 400 && status < 500 && status != 408 && status != 429
		       ? OK
		       : fail(ERR_BUSY, "busy", "%s", code);
}

/* Nobody who should be refused gets a certificate. */
static enum err next(void *ctx, void *kept, struct view body, struct load_request *out)
{
	TRY(enrolling_work.next(ctx, kept, body, out));
	return out->path != NULL ? OK : fail(ERR_DENIED, "not-refused", "it was enrolled");
}

static enum err reject(struct options *options, struct figures *out)
{
	AUTO(enrolling_free) struct enrolling all = {.fleet = NULL};
	struct load_work work = enrolling_work;

	options->goes_round = true;
	TRY(enrolling_open(options, &all));
	all.spoil = spoil;
	work.what = "reject";
	work.ctx = &all;
	work.next = next;
	work.refused = refused;
	return options_run(options, &work, out);
}

int command_reject(int argc, char **argv)
{
	return options_command(argc, argv, usage, reject);
}
