/* endpointlog.h - the log of a host's endpoints: which TLS keys it measured, and which it took back. */
#pragma once

#include "enroll/tpm/quote.h"

enum endpoint_act { ENDPOINT_MEASURED, ENDPOINT_INVALID };
struct endpoint_event {
	enum endpoint_act act;
	uint8_t spki_sha256[32]; /* of the endpoint's SubjectPublicKeyInfo */
};
#define ENDPOINT_EVENTS 4096

struct endpoint_log {
	unsigned pcr; /* one that nothing but a reboot resets: 0 to 15 */
	struct endpoint_event *event;
	size_t n;
};
void endpoint_log_free(struct endpoint_log *log); /* for AUTO */

/* The text form, and back: canonical, one line an event. ERR_MALFORMED "endpoint-log". */
CHECKED enum err endpoint_log_parse(struct view text, struct endpoint_log *out);
CHECKED enum err endpoint_log_encode(const struct endpoint_log *log, struct buf *text);

/* What an event extends the PCR with. */
CHECKED enum err endpoint_event_digest(const struct endpoint_event *event, uint8_t out[static 32]);

/* Adds its PCR, replayed from zeroes, to `values`. */
CHECKED enum err endpoint_log_replay(const struct endpoint_log *log, struct pcr_values *values);

/* Was this endpoint measured, and not taken back afterwards? ERR_REJECTED "endpoint-not-measured", "endpoint-invalid". */
CHECKED enum err endpoint_log_judge(
	const struct endpoint_log *log, const uint8_t spki_sha256[static 32]);
