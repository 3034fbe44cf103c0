#include "enroll/flow/rebind.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "db/labels.h"
#include "db/rebind.h"
#include "enroll/flow/act.h"
#include "enroll/flow/ids.h"

#include <stdio.h>

enum err relabel(const struct service *service, const struct caller *caller,
	const struct label_request *request, struct buf *labels)
{
	struct act act;
	uint8_t id[DEVICE_ID_SIZE];

	TRY(act_make(service, caller, caller->who, request->why, &act));
	TRY(device_id_read(request->device_id, id));
	return device_label(
		service->db, id, buf_text(&request->set), buf_text(&request->remove), &act, labels);
}

enum err rebind(const struct service *service, const struct caller *caller,
	const struct rebind_request *request, struct rebind_answer *out)
{
	struct act act;
	struct rebound rebound;
	uint8_t ek_digest[DIGEST_SIZE];

	TRY(act_make(service, caller, caller->who, request->why, &act));
	TRY(hostname_check(request->host));
	TRY(ek_digest_read(request->ek_digest, ek_digest));
	TRY(host_rebind(service->db, request->host, ek_digest, &act, &rebound));
	snprintf(out->host, sizeof(out->host), "%s", request->host);
	hex_write(VIEW(rebound.device_id), out->device_id);
	out->revoked = rebound.revoked;
	return OK;
}
