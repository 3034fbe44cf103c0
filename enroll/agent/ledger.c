#include "enroll/agent/ledger.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/agent/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_MS 10000
#define LOCK_STEP_MS 50

struct ledger {
	struct tpm *tpm;
	char *path, *ahead;
	int lock;
	bool begins_anew;
	bool is_ahead; /* the log is from the file written ahead */
	struct endpoint_log log;
	size_t extended;
};

void ledger_close(struct ledger **ledger)
{
	if (*ledger == NULL)
		return;
	tpm_close(&(*ledger)->tpm);
	fd_close(&(*ledger)->lock);
	endpoint_log_free(&(*ledger)->log);
	free((*ledger)->path);
	free((*ledger)->ahead);
	free(*ledger);
	*ledger = NULL;
}

struct tpm *ledger_tpm(struct ledger *ledger)
{
	return ledger->tpm;
}

const struct endpoint_log *ledger_log(const struct ledger *ledger)
{
	return &ledger->log;
}

size_t ledger_extended(const struct ledger *ledger)
{
	return ledger->extended;
}

bool ledger_begins_anew(const struct ledger *ledger)
{
	return ledger->begins_anew;
}

enum err ledger_compare(const struct endpoint_log *log, const uint8_t pcr[static 32],
	enum ledger_fit *out, size_t *done)
{
	uint8_t value[32] = {0}, digest[32];

	*out = LEDGER_UNFIT;
	*done = 0;
	for (size_t i = 0; i <= log->n; i++) {
		if (memcmp(value, pcr, sizeof(value)) == 0) {
			*done = i;
			*out = i == log->n ? LEDGER_FITS : i == 0 ? LEDGER_OVER : LEDGER_UNFINISHED;
			return OK;
		}
		if (i == log->n)
			break;
		TRY(endpoint_event_digest(&log->event[i], digest));
		TRY(pcr_extend(value, digest));
	}
	return OK;
}

enum err ledger_path(const char *log, const char *state_dir, char **out)
{
	*out = log == NULL ? path_join(state_dir, LEDGER_NAME) : strdup(log);
	return *out == NULL ? fail(ERR_INTERNAL, "out-of-memory", "a path") : OK;
}

enum err ledger_pcr_read(const char *text, unsigned *out)
{
	size_t digits = strspn(text, "0123456789");

	*out = digits == 1 || digits == 2 ? (unsigned)strtoul(text, NULL, 10) : ENDPOINT_PCRS;
	if (text[digits] != '\0' || *out >= ENDPOINT_PCRS)
		return fail(ERR_MALFORMED, "usage",
			"--pcr: wanted 0 to %d, not \"%s\": the others are reset by more than a "
			"reboot, 16 and 23 by whoever asks",
			ENDPOINT_PCRS - 1, text);
	return OK;
}

static enum err lock(struct ledger *ledger)
{
	AUTO(mem_free) char *path = NULL;
	int64_t deadline = clock_ms() + LOCK_MS;

	if (asprintf(&path, "%s.lock", ledger->path) < 0)
		return fail(ERR_INTERNAL, "out-of-memory", "ledger_open");
	ledger->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (ledger->lock < 0 && errno == ENOENT)
		return fail(ERR_INTERNAL, "file-write",
			"%s: its directory is not there; endorse enroll makes the state directory, "
			"and "
			"--log names another place",
			ledger->path);
	if (ledger->lock < 0)
		return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(errno));
	while (flock(ledger->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(errno));
		if (clock_ms() > deadline)
			return fail(ERR_CONFLICT, "log-busy",
				"%s: another endorse keeps the log; wait until it is done",
				ledger->path);
		TRY(interrupt_sleep(LOCK_STEP_MS));
	}
	return OK;
}

/* ERR_NOT_FOUND when there is no such file. */
static enum err read_log(const char *path, struct endpoint_log *out)
{
	AUTO(buf_free) struct buf text = BUF(ENDPOINT_LOG_MAX);

	TRY(file_read(path, &text));
	if (endpoint_log_parse(buf_view(&text), out) != OK)
		return fail(ERR_MALFORMED, "endpoint-log",
			"%s is no log of endpoints: %s; nothing can be quoted with it before the "
			"next reboot: move it away, and reboot",
			path, why()->sentence);
	return OK;
}

static enum err read_logs(struct ledger *ledger, bool *found)
{
	enum err err = read_log(ledger->ahead, &ledger->log);

	ledger->is_ahead = err == OK;
	if (err == ERR_NOT_FOUND)
		err = read_log(ledger->path, &ledger->log);
	*found = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The log that the PCR bears out takes its place; one written ahead is done with. */
static enum err settle(struct ledger *ledger)
{
	AUTO(buf_free) struct buf text = BUF(ENDPOINT_LOG_MAX);

	TRY(endpoint_log_encode(&ledger->log, &text));
	TRY(file_replace(ledger->path, 0644, buf_view(&text)));
	if (unlink(ledger->ahead) != 0 && errno != ENOENT)
		return fail(ERR_INTERNAL, "file-write", "%s: %s", ledger->ahead, strerror(errno));
	ledger->is_ahead = false;
	return OK;
}

static enum err unfit(const struct ledger *ledger, unsigned pcr)
{
	return fail(ERR_CONFLICT, "log-unfit",
		"PCR %u went through something else than %s says: another program extends it, or "
		"the log was altered or lost. Until the next reboot nothing can be quoted with "
		"this PCR; take one that nobody else extends (--pcr, and another --log), or "
		"reboot",
		pcr, ledger->path);
}

static enum err extend_rest(struct ledger *ledger)
{
	const struct endpoint_log *log = &ledger->log;
	uint8_t digest[32], wanted[32], value[32];

	for (; ledger->extended < log->n; ledger->extended++) {
		TRY(endpoint_event_digest(&log->event[ledger->extended], digest));
		TRY(tpm_pcr_extend(ledger->tpm, log->pcr, digest));
	}
	TRY(endpoint_log_value(log, log->n, wanted));
	TRY(tpm_pcr_read(ledger->tpm, log->pcr, value));
	if (memcmp(wanted, value, sizeof(value)) != 0)
		return unfit(ledger, log->pcr);
	return settle(ledger);
}

static bool has_event(const struct endpoint_log *log, const struct endpoint_event *event)
{
	for (size_t i = 0; i < log->n; i++)
		if (log->event[i].act == event->act &&
			memcmp(log->event[i].spki_sha256, event->spki_sha256, 32) == 0)
			return true;
	return false;
}

/* What came into other hands before the reboot is no better after it. */
static enum err begin_anew(struct ledger *ledger, unsigned pcr)
{
	AUTO(endpoint_log_free) struct endpoint_log before = ledger->log;
	static const uint8_t zeroes[32];
	uint8_t value[32];

	ledger->log = (struct endpoint_log){.pcr = pcr};
	ledger->extended = 0;
	ledger->begins_anew = before.n > 0;
	for (size_t i = 0; i < before.n; i++)
		if (before.event[i].act == ENDPOINT_INVALID &&
			!has_event(&ledger->log, &before.event[i]))
			TRY(endpoint_log_add(&ledger->log, &before.event[i]));
	/* It may be another PCR than before. */
	TRY(tpm_pcr_read(ledger->tpm, pcr, value));
	return memcmp(value, zeroes, sizeof(value)) == 0 ? OK : unfit(ledger, pcr);
}

static enum err compare(struct ledger *ledger, unsigned pcr)
{
	uint8_t value[32];
	enum ledger_fit fit;

	TRY(tpm_pcr_read(ledger->tpm, ledger->log.pcr, value));
	TRY(ledger_compare(&ledger->log, value, &fit, &ledger->extended));
	if (fit == LEDGER_OVER || (fit == LEDGER_FITS && ledger->log.n == 0))
		return begin_anew(ledger, pcr);
	if (fit == LEDGER_UNFIT || (fit == LEDGER_UNFINISHED && !ledger->is_ahead))
		return unfit(ledger, ledger->log.pcr);
	if (pcr != ledger->log.pcr)
		return fail(ERR_CONFLICT, "log-unfit",
			"%s is about PCR %u, until the next reboot: name another --log for PCR %u",
			ledger->path, ledger->log.pcr, pcr);
	return fit == LEDGER_UNFINISHED || ledger->is_ahead ? extend_rest(ledger) : OK;
}

enum err ledger_open(
	const struct tpm_access *access, const char *path, const unsigned *pcr, struct ledger **out)
{
	AUTO(ledger_close) struct ledger *ledger = calloc(1, sizeof(*ledger));
	bool found = false;

	if (ledger == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ledger_open");
	*ledger = (struct ledger){.lock = -1, .path = strdup(path)};
	if (ledger->path == NULL || asprintf(&ledger->ahead, "%s.ahead", path) < 0) {
		ledger->ahead = NULL;
		return fail(ERR_INTERNAL, "out-of-memory", "ledger_open");
	}
	TRY(lock(ledger));
	TRY(tpm_open(access, &ledger->tpm));
	TRY(read_logs(ledger, &found));
	if (!found)
		ledger->log.pcr = pcr == NULL ? ENDPOINT_PCR : *pcr;
	TRY(compare(ledger, pcr == NULL ? ledger->log.pcr : *pcr));
	*out = MOVE(ledger);
	return OK;
}

enum err ledger_append(struct ledger *ledger, const struct endpoint_event *event)
{
	AUTO(buf_free) struct buf text = BUF(ENDPOINT_LOG_MAX);

	if (event != NULL)
		TRY(endpoint_log_add(&ledger->log, event));
	TRY(endpoint_log_encode(&ledger->log, &text));
	TRY(file_replace(ledger->ahead, 0644, buf_view(&text)));
	return extend_rest(ledger);
}
