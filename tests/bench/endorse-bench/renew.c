#include "enroll/proto/renewal.h"
#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/enrolling.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: endorse-bench renew --url URL --ca FILE --fleet FILE [OPTION...]\n"
	"\n"
	"Devices that \"enroll\" enrolled, each with the AK that it enrolled last, for one \"ak\"\n"
	"certificate; with --seconds they go round and round.\n"
	"\n" OPTIONS_USAGE OPTIONS_FLEET_USAGE;

struct renewing {
	struct fleet *fleet;
	size_t *devices; /* that enrolled */
	size_t n;
};

/* One device's renewal, between its requests. */
struct renewal {
	struct soft_device device;
	struct renewal_ticket_answer ticket;
	bool has_ticket;
};

static enum err begin(void *ctx, size_t i, void *kept, struct load_request *out)
{
	const struct renewing *all = ctx;
	struct renewal *one = kept;
	const size_t device = all->devices[i % all->n];
	uint32_t ak;

	if (!fleet_has_enrolled(all->fleet, device, &ak))
		return fail(ERR_INTERNAL, "fleet-file", "device %zu has not enrolled", device);
	renewal_ticket_answer_init(&one->ticket);
	TRY(fleet_device(all->fleet, device, ak, &one->device));
	TRY(fleet_device_sign(all->fleet, device, ak, &one->device));
	out->method = "POST";
	out->path = "/v1/renew/ticket";
	out->type = "application/json";
	return renew_ticket_request_encode(VIEW_2B(&one->device.ak.name, name), &out->body);
}

static enum err sign(
	const struct renewing *all, const struct renewal *one, struct renew_request *whole)
{
	uint8_t message[RENEWAL_MESSAGE_SIZE];
	TPMT_SIGNATURE signature;

	TRY(renewal_message(fleet_service(all->fleet), buf_view(&one->ticket.ticket),
		buf_view(&whole->request), message));
	if (soft_hash_sign(&one->device.ak, VIEW(message), &signature) &&
		soft_signature_bytes(&signature, &whole->signature))
		return OK;
	return fail(ERR_INTERNAL, "soft-ak", "the AK does not sign");
}

static enum err ask(const struct renewal *one, struct buf *out)
{
	AUTO(request_free) struct request request;

	request_init(&request);
	request.keys_n = 1;
	snprintf(request.keys[0].template, sizeof(request.keys[0].template), "ak");
	snprintf(request.host, sizeof(request.host), "%s", one->device.host);
	return request_encode(&request, out);
}

static enum err prove(struct renewing *all, struct renewal *one, struct buf *body)
{
	AUTO(renew_request_free) struct renew_request whole;

	renew_request_init(&whole);
	buf_add(&whole.ticket, buf_view(&one->ticket.ticket));
	TRY(ask(one, &whole.request));
	TRY(sign(all, one, &whole));
	if (!soft_key_public(&one->device.ak, &whole.ak_public))
		return fail(ERR_INTERNAL, "soft-ak", "no public area");
	return renew_request_encode(&whole, body);
}

static enum err take(struct view body)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);
	AUTO(answer_free) struct answer *answer = NULL;

	TRY(renew_answer_parse(body, &json));
	return answer_parse(buf_view(&json), &answer);
}

static enum err next(void *ctx, void *kept, struct view body, struct load_request *out)
{
	struct renewal *one = kept;

	if (one->has_ticket)
		return take(body);
	TRY(renewal_ticket_answer_parse(body, &one->ticket));
	one->has_ticket = true;
	out->path = "/v1/renew";
	return prove(ctx, one, &out->body);
}

static void end(void *ctx, void *kept, bool good)
{
	struct renewal *one = kept;

	(void)ctx;
	(void)good;
	renewal_ticket_answer_free(&one->ticket);
	soft_device_free(&one->device);
}

static enum err find_devices(struct renewing *all, size_t first)
{
	const size_t devices = fleet_devices(all->fleet);
	uint32_t ak;

	all->devices = calloc(devices, sizeof(*all->devices));
	if (all->devices == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu devices", devices);
	for (size_t i = first; i < devices; i++)
		if (fleet_has_enrolled(all->fleet, i, &ak))
			all->devices[all->n++] = i;
	if (all->n > 0)
		return OK;
	return fail(ERR_NOT_FOUND, "bench-renew",
		"no device of this fleet has enrolled: \"endorse-bench enroll\" comes first");
}

static void renewing_free(struct renewing *all)
{
	fleet_free(&all->fleet);
	free(all->devices);
}

static enum err renew(struct options *options, struct figures *out)
{
	AUTO(renewing_free) struct renewing all = {.fleet = NULL};
	const struct load_work work = {.what = "renew",
		.ctx = &all,
		.keeps = sizeof(struct renewal),
		.begin = begin,
		.next = next,
		.begins_anew = ticket_is_over,
		.end = end};

	options->goes_round = true;
	TRY(options_need_fleet(options));
	TRY(fleet_open(options->fleet, options->service, options->plan.url, &all.fleet));
	TRY(find_devices(&all, options->first));
	options->first = 0;
	TRY(options_fit(options, all.n));
	return options_run(options, &work, out);
}

int command_renew(int argc, char **argv)
{
	return options_command(argc, argv, usage, renew);
}
