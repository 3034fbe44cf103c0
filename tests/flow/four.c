#include "tests/flow/four.h"

#include "ca/base/ossl.h"
#include "ca/sshkey.h"
#include "tests/flow/process.h"

#include <string.h>

#define MUST_OK(call) must((call) == OK, "%s: %s", why()->code, why()->sentence)

const char four_policy[] =
	"rules:\n"
	"  - name: web\n"
	"    hosts:\n"
	"      - glob: \"web-*.example.test\"\n"
	"    templates: [ak, platform-property, tls-server, tls-client, ssh-host]\n"
	"    names_per_device: 1\n";

void four_device_make(struct world *world, const char *host, struct four_device *out)
{
	const struct soft_plan plan = {
		.ek = SOFT_L2, .ak = SOFT_P256, .service = world->name, .host = host};
	AUTO(pkey_free) EVP_PKEY *ssh = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	TPMT_PUBLIC area;

	soft_device_make(&plan, &world->maker, &out->device);
	soft_tls_area(false, &area);
	must(soft_key_make(&area, NULL, &out->tls), "no key for TLS");
	out->ssh = BUF(SSHKEY_MAX);
	MUST_OK(sshkey_blob_of(ssh, &out->ssh));
}

void four_device_free(struct four_device *device)
{
	soft_device_free(&device->device);
	soft_key_free(&device->tls);
	buf_free(&device->ssh);
}

void four_init(struct four *four, struct world *world, struct four_device *device)
{
	*four = (struct four){.device = device,
		.peer = &world->services[0].peer,
		.wants = {{.template = "ak"}, {.template = "platform-property"},
			{.template = "tls-server", .certified = &device->tls},
			{.template = "ssh-host", .ssh = buf_view(&device->ssh)}},
		.body = BUF(LIMIT_ENROLL_BODY)};
	soft_enrollment_init(&four->x, &device->device);
	four->x.wants = four->wants;
	four->x.wants_n = 4;
}

void four_free(struct four *four)
{
	soft_enrollment_free(&four->x);
	buf_free(&four->body);
	httpc_answer_free(&four->last);
}

static int post(
	struct four *four, const struct httpc_peer *peer, const char *path, const struct buf *body)
{
	httpc_answer_free(&four->last);
	httpc_post(peer, path, buf_view(body), &four->last);
	four->problem = (struct problem){0};
	if (four->last.status != 200 && four->last.body.n > 0)
		MUST_OK(problem_parse(buf_view(&four->last.body), &four->problem));
	return four->last.status;
}

bool four_prove(struct four *four, const char *service)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);

	MUST_OK(soft_enrollment_begin(&four->x, service, &body));
	if (post(four, four->peer, "/v1/ticket", &body) != 200)
		return false;
	MUST_OK(soft_enrollment_prove(&four->x, buf_view(&four->last.body), &four->body));
	return true;
}

int four_enroll(struct four *four, const struct httpc_peer *peer)
{
	if (post(four, peer, "/v1/enroll", &four->body) != 200)
		return four->last.status;
	answer_free(&four->x.answer);
	MUST_OK(soft_enrollment_end(&four->x, buf_view(&four->last.body)));
	return 200;
}

int four_run(struct four *four, const char *service)
{
	return four_prove(four, service) ? four_enroll(four, four->peer) : four->last.status;
}
