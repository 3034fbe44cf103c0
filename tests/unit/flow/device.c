#include "tests/unit/flow/device.h"

#include "ca/base/file.h"
#include "enroll/tpm/public.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/scratch.h"

static void add_certificate(X509 *cert, struct buf *out)
{
	buf_free(out);
	certificate_add(cert, out);
}

void device_refresh(struct device *device)
{
	add_certificate(device->world.leaf, &device->certificate);
	buf_free(&device->ak_public);
	area_add(&device->ak, &device->ak_public);
	device->claim.ek_certificate = buf_view(&device->certificate);
	device->claim.ak_public = buf_view(&device->ak_public);
}

void device_make(struct device *out)
{
	*out = (struct device){
		.certificate = BUF(1 << 16), .ak_public = BUF(2048), .sent = BUF(1 << 16)};
	world_make(&out->world);
	area_of_ak(KEY_P256, &out->ak);
	out->claim.service = SERVICE;
	out->claim.host = HOST;
	device_refresh(out);
}

void device_free(struct device *device)
{
	world_free(&device->world);
	buf_free(&device->certificate);
	buf_free(&device->ak_public);
	buf_free(&device->sent);
}

void claim_bytes(const struct device *device, struct buf *out)
{
	assert_ok(claim_encode(&device->claim, out));
}

static bool any_template(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return true;
}

static struct policy *load_policy(void)
{
	AUTO(mem_free) char *path = path_join(ENDORSE_SOURCE, "deploy/example/policy.yaml");
	AUTO(problems_free) struct problems problems;
	struct policy *policy = NULL;

	problems_init(&problems);
	assert_ok(policy_load(path, any_template, NULL, &problems, &policy));
	return policy;
}

void service_make(const struct world *world, const char *name, struct service *out)
{
	static const struct secret_key master = {{1, 2, 3}};
	struct ticket_keys *tickets = NULL;

	assert_ok(ticket_keys_make(&master, name, &tickets));
	*out = (struct service){.name = name,
		.trust = world_trust(world),
		.policy = load_policy(),
		.tickets = tickets};
}

void service_free(struct service *service)
{
	struct trust *trust = (struct trust *)(uintptr_t)service->trust;
	struct policy *policy = (struct policy *)(uintptr_t)service->policy;
	struct ticket_keys *tickets = (struct ticket_keys *)(uintptr_t)service->tickets;

	trust_free(&trust);
	policy_free(&policy);
	ticket_keys_free(&tickets);
}
