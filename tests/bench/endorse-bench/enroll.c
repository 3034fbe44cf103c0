#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/fleetfile.h"
#include "tests/bench/endorse-bench/options.h"
#include "tests/bench/endorse-bench/wanted.h"

#include <string.h>

static const char usage[] =
	"usage: endorse-bench enroll --url URL --ca FILE --fleet FILE [OPTION...]\n"
	"\n" OPTIONS_USAGE
	"  --templates LIST   what is asked for, such as ak,tls-client (ak)\n"
	"  --fresh-aks        each with an AK that it has not enrolled before; more than\n"
	"                     there are devices then goes round them again\n";

struct enrolling {
	struct fleet *fleet;
	size_t first; /* device */
	bool fresh_aks;
	struct wanted wanted;
};

/* One device's enrollment, between its requests. */
struct enrollment {
	struct soft_device device;
	struct soft_enrollment x;
	struct wants wants;
	size_t i;
	uint32_t ak;
};

static enum err ticket(struct enrolling *all, struct enrollment *one, struct load_request *out)
{
	TRY(fleet_device(all->fleet, one->i, one->ak, &one->device));
	soft_enrollment_init(&one->x, &one->device);
	if (wanted_needs_keys(&all->wanted)) {
		TRY(fleet_device_sign(all->fleet, one->i, one->ak, &one->device));
		TRY(wants_make(&all->wanted, &one->wants));
		one->x.wants = one->wants.list;
		one->x.wants_n = one->wants.n;
	}
	out->method = "POST";
	out->path = "/v1/ticket";
	out->type = "application/json";
	return soft_enrollment_begin(&one->x, fleet_service(all->fleet), &out->body);
}

static enum err begin(void *ctx, size_t i, void *kept, struct load_request *out)
{
	struct enrolling *all = ctx;
	struct enrollment *one = kept;

	one->i = (all->first + i) % fleet_devices(all->fleet);
	one->ak = all->fresh_aks ? fleet_fresh_ak(all->fleet, one->i) : 0;
	return ticket(all, one, out);
}

static enum err next(void *ctx, void *kept, struct view body, struct load_request *out)
{
	struct enrolling *all = ctx;
	struct enrollment *one = kept;

	/* The first answer is the challenge, the second the certificates. */
	if (one->x.request.n == 0) {
		out->path = "/v1/enroll";
		return soft_enrollment_prove(&one->x, body, &out->body);
	}
	TRY(soft_enrollment_end(&one->x, body));
	fleet_enrolled(all->fleet, one->i, one->ak);
	return OK;
}

static void end(void *ctx, void *kept, bool good)
{
	struct enrollment *one = kept;

	(void)ctx;
	(void)good;
	soft_enrollment_free(&one->x);
	wants_free(&one->wants);
	soft_device_free(&one->device);
}

static enum err open_fleet(struct options *options, struct enrolling *all)
{
	const char *service = options->service != NULL ? options->service : options->plan.url;

	TRY(options_need_fleet(options));
	TRY(wanted_read(options->templates, &all->wanted));
	TRY(fleet_open(options->fleet, service, &all->fleet));
	all->first = options->first;
	all->fresh_aks = options->fresh_aks;
	return options_fit(options, fleet_devices(all->fleet));
}

static enum err enroll(struct options *options, struct enrolling *all, struct figures *figures)
{
	const struct load_work work = {.what = "enroll",
		.ctx = all,
		.keeps = sizeof(struct enrollment),
		.begin = begin,
		.next = next,
		.end = end};

	TRY(open_fleet(options, all));
	return options_run(options, &work, figures);
}

int command_enroll(int argc, char **argv)
{
	static struct figures figures;
	struct options options;
	struct enrolling all = {.fleet = NULL};
	enum err err;

	if (options_read(argc, argv, &options) != OK) {
		command_failed();
		return command_misused(usage);
	}
	if (options.help)
		return command_told(usage);
	err = enroll(&options, &all, &figures);
	fleet_free(&all.fleet);
	return err == OK ? options_tell(&options, &figures) : command_failed();
}
