#include "enroll/admin/attempts_print.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/admin/paragraph.h"
#include "enroll/admin/remedy.h"

#include <stdio.h>
#include <string.h>

#define INDENT "    "

/* The name is only what was asked for, and of two machines with one name both have it. */
static void add_sender(struct buf *out, const struct attempt *attempt)
{
	char from[ATTEMPT_TEXT];

	printable(attempt->from, from, sizeof(from));
	buf_fmt(out, INDENT "from %s, ", from[0] == '\0' ? "?" : from);
	if (attempt->device_id[0] == '\0')
		buf_str(out, "a TPM that is not known here\n");
	else
		buf_fmt(out, "device %s\n", attempt->device_id);
}

static void add_attempt(struct buf *out, const struct attempt *attempt)
{
	char when[CLOCK_TEXT_SIZE], host[ATTEMPT_TEXT], sentence[ATTEMPT_TEXT],
		reason[LIMIT_REASON + 1];
	const char *remedy = remedy_for(attempt->reason);

	clock_text(attempt->at, when);
	printable(attempt->host, host, sizeof(host));
	printable(attempt->reason, reason, sizeof(reason));
	printable(attempt->sentence, sentence, sizeof(sentence));
	buf_fmt(out, "%s  %-32s  %s\n", when, host[0] == '\0' ? "-" : host, reason);
	add_sender(out, attempt);
	paragraph_add(out, INDENT, sentence);
	if (remedy != NULL)
		paragraph_hang(out, INDENT "->", strlen(INDENT), remedy);
}

enum err attempt_print(const struct attempt *attempt, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);

	if (form == PRINT_JSON) {
		TRY(attempt_encode(attempt, &out));
		buf_str(&out, "\n");
	} else {
		add_attempt(&out, attempt);
	}
	return paragraph_put(&out);
}

/* Nobody has proven to be the host that is named: it is what was said. */
static void add_stranger(struct buf *out, const struct stranger *stranger)
{
	char when[CLOCK_TEXT_SIZE], host[LIMIT_HOST + 1], sentence[STRANGER_TEXT],
		reason[LIMIT_REASON + 1], from[sizeof(stranger->from)];
	const char *remedy = remedy_for(stranger->reason);

	clock_text(stranger->at, when);
	printable(stranger->host, host, sizeof(host));
	printable(stranger->reason, reason, sizeof(reason));
	printable(stranger->from, from, sizeof(from));
	printable(stranger->sentence, sentence, sizeof(sentence));
	buf_fmt(out, "%s  %-32s  %s\n", when, host[0] == '\0' ? "-" : host, reason);
	buf_fmt(out, INDENT "from %s, turned away before it had proven anything",
		from[0] == '\0' ? "?" : from);
	if (stranger->count > 1) {
		clock_text(stranger->first_at, when);
		buf_fmt(out, ", %lld times since %s", (long long)stranger->count, when);
	}
	buf_str(out, "\n");
	paragraph_add(out, INDENT, sentence);
	if (remedy != NULL)
		paragraph_hang(out, INDENT "->", strlen(INDENT), remedy);
}

enum err stranger_print(const struct stranger *stranger, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);

	if (form == PRINT_JSON) {
		buf_str(&out, "{\"stranger\":");
		TRY(stranger_encode(stranger, &out));
		buf_str(&out, "}\n");
	} else {
		add_stranger(&out, stranger);
	}
	return paragraph_put(&out);
}

static void add_counters(struct buf *out, const struct attempt_counters *counters)
{
	AUTO(buf_free) struct buf unproven = BUF(1 << 14);
	char since[CLOCK_TEXT_SIZE];

	clock_text(counters->since, since);
	buf_fmt(out,
		"this server since %s: %lld tickets; %lld issued, %lld returned, %lld repeated; "
		"%lld refused",
		since, (long long)counters->tickets, (long long)counters->issued,
		(long long)counters->returned, (long long)counters->repeated,
		(long long)counters->refused);
	if (counters->held > 0)
		buf_fmt(out, "\n" INDENT "%lld told to wait for an admin: endorsectl pending list",
			(long long)counters->held);
	if (counters->failed > 0)
		buf_fmt(out,
			"\n" INDENT
			"%lld failed on our side: endorsectl doctor, and the log, tell why",
			(long long)counters->failed);
	if (counters->unrecorded > 0)
		buf_fmt(out, "\n" INDENT "%lld of the refused are not in the audit: see the log",
			(long long)counters->unrecorded);
	buf_str(out, "\n");
	for (size_t i = 0; i < counters->unproven_n; i++) {
		char reason[LIMIT_REASON + 1];

		printable(counters->unproven[i].reason, reason, sizeof(reason));
		buf_fmt(&unproven, "%s%s %lld", i > 0 ? ", " : "unproven: ", reason,
			(long long)counters->unproven[i].n);
	}
	if (unproven.n == 0)
		return;
	paragraph_add(out, INDENT, buf_text(&unproven));
}

enum err counters_print(const struct attempt_counters *counters, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 16);

	if (form == PRINT_JSON) {
		buf_str(&out, "{\"counters\":");
		TRY(attempt_counters_encode(counters, &out));
		buf_str(&out, "}\n");
	} else {
		add_counters(&out, counters);
	}
	return paragraph_put(&out);
}
