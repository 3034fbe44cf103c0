#include "tests/unit/flow/device.h"

#include "ca/base/file.h"
#include "enroll/tpm/public.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static struct policy *load_policy(const char *path)
{
	AUTO(problems_free) struct problems problems;
	struct policy *policy = NULL;

	problems_init(&problems);
	assert_ok(policy_load(path, any_template, NULL, &problems, &policy));
	return policy;
}

void believer_policy(struct believer *believer, const char *text)
{
	AUTO(fd_close) int fd = memfd_create("policy", MFD_CLOEXEC);
	char path[64];

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	policy_free(&believer->policy);
	believer->policy = load_policy(path);
	believer->service.policy = believer->policy;
}

void believer_make(const struct world *world, const char *name, struct believer *out)
{
	static const struct secret_key master = {{1, 2, 3}};
	AUTO(mem_free) char *path = path_join(ENDORSE_SOURCE_DIR, "deploy/example/policy.yaml");

	*out = (struct believer){.trust = world_trust(world), .policy = load_policy(path)};
	assert_ok(ticket_keys_make(&master, name, &out->tickets));
	out->service = (struct service){
		.name = name, .trust = out->trust, .policy = out->policy, .tickets = out->tickets};
}

void believer_free(struct believer *believer)
{
	trust_free(&believer->trust);
	policy_free(&believer->policy);
	ticket_keys_free(&believer->tickets);
}
