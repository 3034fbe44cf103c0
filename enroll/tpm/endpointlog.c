#include "enroll/tpm/endpointlog.h"

#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"

#include <stdlib.h>
#include <string.h>

#define TITLE "endorse-endpoint-log 1 sha256 "

static const char *const words[] = {
	[ENDPOINT_MEASURED] = "measured ", [ENDPOINT_INVALID] = "invalid "};

/*
 * What is extended is neither the digest alone nor another program's: a label, with its NUL, is in
 * front of it.
 */
static const char measured_label[] = "endorse/1 endpoint measured";
static const char invalid_label[] = "endorse/1 endpoint invalid";

void endpoint_log_free(struct endpoint_log *log)
{
	free(log->event);
	*log = (struct endpoint_log){0};
}

static enum err malformed(size_t line, const char *what)
{
	return fail(ERR_MALFORMED, "endpoint-log", "line %zu: %s", line, what);
}

enum err endpoint_log_add(struct endpoint_log *log, const struct endpoint_event *event)
{
	struct endpoint_event *longer;

	if (log->n == ENDPOINT_EVENTS)
		return fail(ERR_REJECTED, "endpoint-log-full",
			"the log has %d events, as many as it may; it begins anew with a reboot",
			ENDPOINT_EVENTS);
	longer = realloc(log->event, (log->n + 1) * sizeof(*longer));
	if (longer == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "an endpoint log");
	log->event = longer;
	log->event[log->n++] = *event;
	return OK;
}

/* Takes the next line off `rest`, without its newline; false where there is none that ends. */
static bool next_line(struct view *rest, struct view *line)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*line = (struct view){rest->p, (size_t)(end - rest->p)};
	rest->n -= line->n + 1;
	rest->p = end + 1;
	return true;
}

static bool take_word(struct view *line, const char *word)
{
	size_t n = strlen(word);

	if (line->n < n || memcmp(line->p, word, n) != 0)
		return false;
	line->p += n;
	line->n -= n;
	return true;
}

/* Lower case only, so that an event has one form. */
static bool read_digest(struct view digits, uint8_t out[static 32])
{
	for (size_t i = 0; i < digits.n; i++)
		if (digits.p[i] >= 'A' && digits.p[i] <= 'F')
			return false;
	return hex_read(digits, out, 32) == OK;
}

static enum err read_title(struct view *rest, unsigned *pcr)
{
	struct view line;

	if (!next_line(rest, &line) || !take_word(&line, TITLE))
		return malformed(1, "wanted \"" TITLE "PCR\"");
	if (line.n < 1 || line.n > 2 || (line.n == 2 && line.p[0] == '0'))
		return malformed(1, "the PCR is not a number as it is written here");
	*pcr = 0;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return malformed(1, "the PCR is not a number");
		*pcr = *pcr * 10 + (line.p[i] - (unsigned)'0');
	}
	if (*pcr >= ENDPOINT_PCRS)
		return malformed(1, "a PCR that more than a reboot resets: wanted 0 to 15");
	return OK;
}

static enum err read_event(struct view line, size_t number, struct endpoint_log *log)
{
	struct endpoint_event event = {0};

	if (take_word(&line, words[ENDPOINT_MEASURED]))
		event.act = ENDPOINT_MEASURED;
	else if (take_word(&line, words[ENDPOINT_INVALID]))
		event.act = ENDPOINT_INVALID;
	else
		return malformed(number, "wanted \"measured\" or \"invalid\"");
	if (!read_digest(line, event.spki_sha256))
		return malformed(number, "wanted a SHA-256 of 64 lower-case hexadecimal digits");
	return endpoint_log_add(log, &event);
}

enum err endpoint_log_parse(struct view text, struct endpoint_log *out)
{
	AUTO(endpoint_log_free) struct endpoint_log log = {0};
	size_t number = 1;
	struct view line;

	*out = (struct endpoint_log){0};
	TRY(read_title(&text, &log.pcr));
	while (next_line(&text, &line))
		TRY(read_event(line, ++number, &log));
	if (text.n > 0)
		return malformed(number + 1, "it does not end with a newline");
	*out = log;
	log = (struct endpoint_log){0};
	return OK;
}

enum err endpoint_log_encode(const struct endpoint_log *log, struct buf *text)
{
	if (log->pcr >= ENDPOINT_PCRS)
		return malformed(1, "a PCR that more than a reboot resets: wanted 0 to 15");
	buf_fmt(text, TITLE "%u\n", log->pcr);
	for (size_t i = 0; i < log->n; i++) {
		buf_str(text, words[log->event[i].act]);
		hex_add(text, VIEW(log->event[i].spki_sha256));
		buf_str(text, "\n");
	}
	return buf_ok(text);
}

enum err endpoint_key_sha256(EVP_PKEY *key, uint8_t out[static 32])
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode a public key");
	return SHA256_OF(out, ((struct view){der, (size_t)n}));
}

enum err endpoint_event_digest(const struct endpoint_event *event, uint8_t out[static 32])
{
	struct view label = VIEW(measured_label);

	if (event->act == ENDPOINT_INVALID)
		label = VIEW(invalid_label);
	return SHA256_OF(out, label, VIEW(event->spki_sha256));
}

enum err endpoint_log_value(const struct endpoint_log *log, size_t n, uint8_t out[static 32])
{
	uint8_t digest[32];

	memset(out, 0, 32);
	for (size_t i = 0; i < n; i++) {
		TRY(endpoint_event_digest(&log->event[i], digest));
		TRY(pcr_extend(out, digest));
	}
	return OK;
}

enum err endpoint_log_replay(const struct endpoint_log *log, struct pcr_values *values)
{
	uint8_t value[32];

	TRY(endpoint_log_value(log, log->n, value));
	return pcr_add(values, log->pcr, value);
}

enum err endpoint_log_judge(const struct endpoint_log *log, const uint8_t spki_sha256[static 32])
{
	bool measured = false;

	for (size_t i = 0; i < log->n; i++) {
		if (memcmp(log->event[i].spki_sha256, spki_sha256, 32) != 0)
			continue;
		if (log->event[i].act == ENDPOINT_INVALID)
			return fail(ERR_REJECTED, "endpoint-invalid",
				"the host took this endpoint's key back: line %zu of its log",
				i + 2);
		measured = true;
	}
	if (!measured)
		return fail(ERR_REJECTED, "endpoint-not-measured",
			"the host never measured this endpoint's key");
	return OK;
}
