#include "enroll/flow/rebind.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "db/labels.h"
#include "db/rebind.h"
#include "enroll/flow/act.h"
#include "enroll/flow/wish.h"

#include <stdio.h>

enum err relabel(const struct service *service, const struct caller *caller,
	const struct label_request *request, struct buf *labels)
{
	struct act act;
	uint8_t id[DEVICE_ID_SIZE];
	const uint8_t *given = NULL;

	TRY(act_make(service, caller, caller->who, request->why, &act));
	TRY(wish_bytes("device_id", request->device_id, id, sizeof(id), &given));
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
	if (hex_read(view_str(request->ek_digest), ek_digest, sizeof(ek_digest)) != OK)
		return refuse(ERR_MALFORMED, "ek-digest", "PROTOCOL admin",
			"wanted the SHA-256 of the EK's SubjectPublicKeyInfo: %d hexadecimal "
			"digits",
			2 * DIGEST_SIZE);
	TRY(host_rebind(service->db, request->host, ek_digest, &act, &rebound));
	snprintf(out->host, sizeof(out->host), "%s", request->host);
	hex_write(VIEW(rebound.device_id), out->device_id);
	out->revoked = rebound.revoked;
	return OK;
}
