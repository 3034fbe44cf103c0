/* endpointlog.h - the log of a host's endpoints: which TLS keys it measured, and which it took back
 * (PROTOCOL.md, "The log of endpoints"). */
#pragma once

#include "enroll/tpm/quote.h"

enum endpoint_act { ENDPOINT_MEASURED, ENDPOINT_INVALID };
struct endpoint_event {
	enum endpoint_act act;
	uint8_t spki_sha256[32]; /* endpoint_key_sha256() */
};
#define ENDPOINT_EVENTS 4096
#define ENDPOINT_LOG_MAX (ENDPOINT_EVENTS * 80) /* bytes of its text */

/*
 * A PCR from here on is reset by more than a reboot: 16 and 23 by whoever asks, 17 to 22 by a
 * dynamic launch.
 */
#define ENDPOINT_PCRS 16
/*
 * The firmware extends 0 to 7, boot loaders and kernels 8, 9, 11, 12 and 14, IMA 10, systemd 15. 13 is for
 * systemd's system extensions on the boot partition, which few machines have.
 */
#define ENDPOINT_PCR 13

struct endpoint_log {
	unsigned pcr; /* below ENDPOINT_PCRS */
	struct endpoint_event *event;
	size_t n;
};
void endpoint_log_free(struct endpoint_log *log); /* for AUTO; accepts zeroes */

/*
 * The text form, and back: canonical, one line an event. `out` is overwritten; zeroes after a
 * failure. ERR_MALFORMED "endpoint-log".
 */
CHECKED enum err endpoint_log_parse(struct view text, struct endpoint_log *out);
CHECKED enum err endpoint_log_encode(const struct endpoint_log *log, struct buf *text);

/* Appends an event. ERR_REJECTED "endpoint-log-full" beyond ENDPOINT_EVENTS. */
CHECKED enum err endpoint_log_add(struct endpoint_log *log, const struct endpoint_event *event);

/*
 * SHA-256 over the DER SubjectPublicKeyInfo, as `openssl pkey -pubin -outform DER` writes it; any
 * kind of key.
 */
CHECKED enum err endpoint_key_sha256(EVP_PKEY *key, uint8_t out[static 32]);

/* What an event extends the PCR with. */
CHECKED enum err endpoint_event_digest(const struct endpoint_event *event, uint8_t out[static 32]);

/*
 * The value of its PCR after the first `n` events, from zeroes: what TPM2_PCR_Read says of a PCR
 * that nobody else extended.
 */
CHECKED enum err endpoint_log_value(
	const struct endpoint_log *log, size_t n, uint8_t out[static 32]);

/* Adds its PCR, replayed whole, to `values`. Errors of pcr_add(). */
CHECKED enum err endpoint_log_replay(const struct endpoint_log *log, struct pcr_values *values);

/*
 * Was this endpoint measured, and never taken back? Taken back is for good: a key that came into
 * other hands does not become good by being measured again. ERR_REJECTED "endpoint-not-measured",
 * "endpoint-invalid".
 */
CHECKED enum err endpoint_log_judge(
	const struct endpoint_log *log, const uint8_t spki_sha256[static 32]);
