/* rebind.h - what an operator changes about a device: its labels, and whose its name is. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/binding.h"

/*
 * `labels` gets all that the device has then, as JSON. ERR_MALFORMED "why-missing", "device-id"; those of
 * device_label() and service_clock().
 */
CHECKED enum err relabel(const struct service *service, const struct caller *caller,
	const struct label_request *request, struct buf *labels);

/*
 * After a board swap: the name goes on with the TPM that has this EK. ERR_MALFORMED "host-name", "ek-digest",
 * "why-missing"; those of host_rebind() and service_clock().
 */
CHECKED enum err rebind(const struct service *service, const struct caller *caller,
	const struct rebind_request *request, struct rebind_answer *out);
