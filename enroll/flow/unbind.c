#include "enroll/flow/unbind.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "db/host.h"
#include "enroll/flow/act.h"

enum err unbind(const struct service *service, const struct caller *caller, const char *who,
	const char *host, const char *reason, char device_id[static LIMIT_DEVICE_ID + 1])
{
	struct act act;
	uint8_t id[DEVICE_ID_SIZE];

	TRY(act_make(service, caller, who, reason, &act));
	TRY(hostname_check(host));
	TRY(host_unbind(service->db, host, &act, id));
	hex_write(VIEW(id), device_id);
	return OK;
}
