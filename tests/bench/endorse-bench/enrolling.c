#include "tests/bench/endorse-bench/enrolling.h"

#include <string.h>

/* One device's enrollment, between its requests. */
struct enrollment {
	struct soft_device device;
	struct soft_enrollment x;
	struct wants wants;
	size_t i;
	uint32_t ak;
};

enum err enrolling_open(struct options *options, struct enrolling *out)
{
	const char *service = options->service;

	*out = (struct enrolling){.first = options->first, .fresh_aks = options->fresh_aks};
	TRY(options_need_fleet(options));
	TRY(wanted_read(options->templates, &out->wanted));
	TRY(fleet_open(options->fleet, service, options->plan.url, &out->fleet));
	return options_fit(options, fleet_devices(out->fleet));
}

void enrolling_free(struct enrolling *enrolling)
{
	fleet_free(&enrolling->fleet);
}

/* The AK certifies the keys that are not its own, and so needs its private half. */
static enum err make_wants(const struct enrolling *all, struct enrollment *one)
{
	TRY(fleet_device_sign(all->fleet, one->i, one->ak, &one->device));
	TRY(wants_make(&all->wanted, &one->wants));
	one->x.wants = one->wants.list;
	one->x.wants_n = one->wants.n;
	return OK;
}

static enum err begin(void *ctx, size_t i, void *kept, struct load_request *out)
{
	struct enrolling *all = ctx;
	struct enrollment *one = kept;

	one->i = (all->first + i) % fleet_devices(all->fleet);
	one->ak = all->fresh_aks ? fleet_fresh_ak(all->fleet, one->i) : 0;
	TRY(fleet_device(all->fleet, one->i, one->ak, &one->device));
	soft_enrollment_init(&one->x, &one->device);
	if (wanted_needs_keys(&all->wanted))
		TRY(make_wants(all, one));
	if (all->spoil != NULL)
		all->spoil(i, &one->device, &one->x);
	out->method = "POST";
	out->path = "/v1/ticket";
	out->type = "application/json";
	return soft_enrollment_begin(&one->x, fleet_service(all->fleet), &out->body);
}

static enum err next(void *ctx, void *kept, struct view body, struct load_request *out)
{
	struct enrolling *all = ctx;
	struct enrollment *one = kept;

	/* The first answer is the challenge, the second one the certificates. */
	if (one->x.request.n == 0) {
		out->path = "/v1/enroll";
		return soft_enrollment_prove(&one->x, body, &out->body);
	}
	TRY(soft_enrollment_end(&one->x, body));
	fleet_enrolled(all->fleet, one->i, one->ak);
	return OK;
}

/* As the agent does it: enroll/agent/attempt.c. */
bool ticket_is_over(const char *code)
{
	return strcmp(code, "ticket-expired") == 0 || strcmp(code, "ticket-invalid") == 0;
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

const struct load_work enrolling_work = {
	.what = "enroll",
	.keeps = sizeof(struct enrollment),
	.begin = begin,
	.next = next,
	.begins_anew = ticket_is_over,
	.end = end,
};
