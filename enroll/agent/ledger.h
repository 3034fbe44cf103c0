/* ledger.h - the log of this machine's endpoints on disk, held against the PCR that it is about. */
#pragma once

#include "enroll/agent/pcr.h"
#include "enroll/tpm/endpointlog.h"

#define LEDGER_NAME "endpoints.log" /* in the state directory */

struct ledger; /* only ledger_open() makes one: its log is what the PCR went through */

/*
 * Opens the log at `path` for one user at a time (the file `path`.lock), then the TPM, which a raw
 * device too lends to one at a time, and compares the log with the PCR. An event is written to
 * `path`.ahead before the PCR is extended, and the log is replaced after it: a machine that stops
 * in between goes on here with what is missing. A log of an earlier boot (the PCR is zero) is over:
 * a new one begins with what it marked invalid. `pcr` is the PCR wanted, or NULL for that of the
 * log, which for a new one is ENDPOINT_PCR. `*out` is the caller's, for ledger_close().
 * ERR_CONFLICT "log-busy" when others keep the lock for ten seconds; ERR_CONFLICT "log-unfit" when
 * the PCR went through something else than the log says, or the log is of another PCR;
 * ERR_MALFORMED "endpoint-log"; ERR_INTERNAL "tpm", "tpm-auth", "file-read", "file-write".
 */
CHECKED enum err ledger_open(const struct tpm_access *access, const char *path, const unsigned *pcr,
	struct ledger **out);
void ledger_close(struct ledger **ledger);

/* The connection, for other commands meanwhile; the ledger's. */
struct tpm *ledger_tpm(struct ledger *ledger);

/* What there is; the events of an earlier boot that will go into the new log are among it. */
const struct endpoint_log *ledger_log(const struct ledger *ledger);
/* Its first events are those of the PCR: so many. Fewer than all only in a log that begins anew. */
size_t ledger_extended(const struct ledger *ledger);
/* There was a log, of an earlier boot. */
bool ledger_begins_anew(const struct ledger *ledger);

/*
 * Extends the PCR, and appends to the log; NULL: only what comes from an earlier boot. ERR_CONFLICT
 * "log-unfit" when somebody else extended the PCR meanwhile; ERR_REJECTED "endpoint-log-full".
 */
CHECKED enum err ledger_append(struct ledger *ledger, const struct endpoint_event *event);

/*
 * Where the log is: `log`, or when that is NULL LEDGER_NAME in the state directory. `*out` is the
 * caller's, for free(). ERR_INTERNAL "out-of-memory".
 */
CHECKED enum err ledger_path(const char *log, const char *state_dir, char **out);

/* Reads the number of a PCR that can have a log; ERR_MALFORMED "usage" otherwise. */
CHECKED enum err ledger_pcr_read(const char *text, unsigned *out);

/* How a log stands to a PCR. */
enum ledger_fit {
	LEDGER_FITS, /* each event is in it */
	LEDGER_UNFINISHED, /* the first `*done` are, one at least */
	LEDGER_OVER, /* none is: the PCR is as after a reboot */
	LEDGER_UNFIT, /* something else is */
};
CHECKED enum err ledger_compare(const struct endpoint_log *log, const uint8_t pcr[static 32],
	enum ledger_fit *out, size_t *done);
