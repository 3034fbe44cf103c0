#include "enroll/flow/unbind.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "db/host.h"
#include "enroll/flow/because.h"

enum err unbind(const struct service *service, const struct caller *caller, const char *who,
	const char *host, const char *reason, char device_id[static LIMIT_DEVICE_ID + 1])
{
	const struct act act = {
		who, caller->client_address, reason, caller->request_id, caller->now};
	uint8_t id[DEVICE_ID_SIZE];

	TRY(service_clock(service, caller));
	TRY(hostname_check(host));
	TRY(because_check(reason));
	TRY(host_unbind(service->db, host, &act, id));
	hex_write(VIEW(id), device_id);
	return OK;
}
