#include "enroll/http/revocation_api.h"

#include "enroll/flow/revocation.h"

#include <stdio.h>
#include <stdlib.h>

static enum err handle(const struct service *service, struct exchange *exchange,
	revocation_act *act, const char *what)
{
	AUTO(revocation_answer_free) struct revocation_answer answer = {.state = ""};
	struct revocation_request request = {.id = ""};

	TRY(revocation_request_parse(exchange->body, &request));
	snprintf(exchange->outcome.host, sizeof(exchange->outcome.host), "%s", request.host);
	TRY(act(service, &exchange->caller, &request, &answer));
	snprintf(exchange->outcome.device_id, sizeof(exchange->outcome.device_id), "%s",
		answer.device_id);
	exchange->outcome.what = what;
	return revocation_answer_encode(&answer, &exchange->answer);
}

enum err handle_device_revoke(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, revoke_device, "device-revoked");
}

enum err handle_device_hold(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, hold_device, "device-held");
}

enum err handle_device_unhold(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, unhold_device, "device-released");
}

enum err handle_device_reinstate(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, reinstate_device, "device-reinstated");
}

enum err handle_certificate_revoke(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, revoke_certificate, "certificate-revoked");
}

enum err handle_certificate_hold(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, hold_certificate, "certificate-held");
}

enum err handle_certificate_unhold(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, unhold_certificate, "certificate-released");
}

enum err handle_host_revoke(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, revoke_host, "host-revoked");
}

enum err handle_host_retire(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, retire_host, "host-retired");
}

enum err handle_host_reinstate(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, reinstate_host, "host-reinstated");
}

enum err handle_ca_revoke(const struct service *service, struct exchange *exchange)
{
	return handle(service, exchange, revoke_ca, "ca-revoked");
}

enum { DEVICE, HOST, SERIAL };

const struct query_key revocation_query[] = {
	[DEVICE] = {"device", LIMIT_DEVICE_ID},
	[HOST] = {"host", LIMIT_HOST},
	[SERIAL] = {"serial", LIMIT_SERIAL},
	{0},
};

static void copy(char *to, size_t room, const char *value)
{
	snprintf(to, room, "%s", value == NULL ? "" : value);
}

enum err handle_revocation(const struct service *service, struct exchange *exchange)
{
	AUTO(mem_free) struct revocation_status *status = calloc(1, sizeof(*status));
	const char *const *sent = exchange->query.value;
	struct revocation_request of = {.id = ""};

	if (status == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "handle_revocation");
	copy(of.id, sizeof(of.id), sent[DEVICE]);
	copy(of.host, sizeof(of.host), sent[HOST]);
	copy(of.serial, sizeof(of.serial), sent[SERIAL]);
	TRY(revocation_look(service, &exchange->caller, &of, status));
	return revocation_status_encode(status, &exchange->answer);
}
