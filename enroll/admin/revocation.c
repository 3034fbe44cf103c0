#include "enroll/admin/revocation.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/admin/attempts_print.h"
#include "enroll/admin/command.h"
#include "enroll/admin/paragraph.h"
#include "enroll/admin/words.h"
#include "enroll/proto/attempts.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_EVERY_MS 200

static const char usage[] =
	"usage: endorsectl revocation [--wait] [--json] [--admin URL] [--token-file FILE]\n"
	"\n"
	"Tells which CRLs are still to be made anew, how old the KRL is, and which CAs there are "
	"and "
	"how\n"
	"far those are that were revoked.\n"
	"\n"
	"  --wait             until nothing is behind, a minute at most\n"
	"  --json             one JSON object, for programs\n" ADMIN_USAGE;

static enum err get(const struct admin_server *server, const struct revocation_answer *answer,
	struct revocation_status *out, struct problem *problem)
{
	AUTO(buf_free) struct buf path = BUF(2048), json = BUF(LIMIT_ADMIN_ANSWER);

	buf_str(&path, "/v1/admin/revocation");
	if (answer != NULL && answer->device_id[0] != '\0')
		query_add(&path, "device", answer->device_id);
	else if (answer != NULL && answer->host[0] != '\0')
		query_add(&path, "host", answer->host);
	TRY(buf_ok(&path));
	TRY(admin_get(server, buf_text(&path), &json, problem));
	return revocation_status_parse(buf_view(&json), out);
}

/* Of a CA all that it signed, and its CRLs; of anything else what it is concerned in. */
static bool is_done(const struct revocation_answer *answer, const struct revocation_status *status)
{
	int64_t remaining = 0;

	for (size_t i = 0; i < status->issuers_n; i++)
		if (answer == NULL || answer->issuer[0] != '\0')
			remaining += status->issuers[i].remaining;
	if (answer != NULL && answer->issuer[0] == '\0' && answer->ssh_host + answer->ssh_user == 0)
		return status->crls_behind == 0;
	return status->crls_behind == 0 && !status->krl_behind && remaining == 0;
}

static void rest(void)
{
	const struct timespec pause = {0, LOOK_EVERY_MS * 1000000L};

	nanosleep(&pause, NULL);
}

enum err revocation_await(const struct admin_server *server, const struct revocation_answer *answer,
	struct problem *problem)
{
	AUTO(mem_free) struct revocation_status *status = calloc(1, sizeof(*status));
	int64_t begin = clock_ms();

	if (status == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "revocation_await");
	for (;;) {
		TRY(get(server, answer, status, problem));
		if (is_done(answer, status))
			break;
		if (clock_ms() - begin > REVOCATION_PATIENCE * INT64_C(1000))
			return fail(ERR_BUSY, "not-published",
				"what was revoked is recorded, and after %d seconds %lld CRL(s) "
				"are still behind%s; endorsectl doctor tells what keeps the "
				"service from it",
				REVOCATION_PATIENCE, (long long)status->crls_behind,
				status->krl_behind ? ", and the KRL" : "");
		rest();
	}
	fprintf(stderr, "published: CRLs and KRL tell of it, %.1f s after it was asked for\n",
		(double)(clock_ms() - begin) / 1000);
	return OK;
}

static void add_time(struct buf *out, const char *label, int64_t when, const char *before)
{
	char at[CLOCK_TEXT_SIZE], text[96];

	if (when == 0)
		return;
	clock_text(when, at);
	snprintf(text, sizeof(text), "%s%s", before, at);
	paragraph_field(out, label, text);
}

static void add_issuer(struct buf *out, const struct revocation_issuer *issuer)
{
	char at[CLOCK_TEXT_SIZE], by[LIMIT_WHY + 1], why_text[LIMIT_WHY + 1];

	printable(issuer->revoked_by, by, sizeof(by));
	printable(issuer->why, why_text, sizeof(why_text));
	buf_fmt(out, "CA %s  %s", issuer->id, issuer->kind);
	if (issuer->revoked_at == 0) {
		buf_str(out, "\n");
		return;
	}
	clock_text(issuer->revoked_at, at);
	buf_fmt(out, "  revoked since %s by %s (%s): %s\n", at, by, issuer->reason, why_text);
	buf_fmt(out, "    %lld certificates still to be revoked\n", (long long)issuer->remaining);
}

static enum err print(const struct revocation_status *status, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 20);
	char text[96];

	if (form == PRINT_JSON) {
		TRY(revocation_status_encode(status, &out));
		buf_str(&out, "\n");
		return paragraph_put(&out);
	}
	if (status->crls_behind == 0)
		snprintf(text, sizeof(text), "%lld, all say what was revoked",
			(long long)status->crls);
	else
		snprintf(text, sizeof(text), "%lld, of which %lld are to be made anew",
			(long long)status->crls, (long long)status->crls_behind);
	paragraph_field(&out, "CRLs", text);
	add_time(&out, "oldest of these", status->crls_oldest, "made ");
	add_time(&out, "older ones", status->crls_until,
		"may be kept by who fetched them, and believed, until ");
	paragraph_field(
		&out, "KRL", status->krl_behind ? "is to be made anew" : "says what was revoked");
	add_time(&out, "KRL made", status->krl_at, "");
	for (size_t i = 0; i < status->issuers_n; i++)
		add_issuer(&out, &status->issuers[i]);
	return paragraph_put(&out);
}

static enum err look(const struct admin_server *server, bool waits, enum print_form form,
	struct problem *problem)
{
	AUTO(mem_free) struct revocation_status *status = calloc(1, sizeof(*status));

	if (status == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "revocation");
	if (waits)
		TRY(revocation_await(server, NULL, problem));
	TRY(get(server, NULL, status, problem));
	return print(status, form);
}

int command_revocation(int argc, char **argv)
{
	static const struct option options[] = {
		{"wait", no_argument, NULL, 'w'},
		{"json", no_argument, NULL, 'j'},
		ADMIN_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct admin_server server = ADMIN_SERVER;
	struct problem problem = {0};
	enum print_form form = PRINT_TEXT;
	bool waits = false;
	enum err err;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return command_told(usage);
		if (option == 'w')
			waits = true;
		else if (option == 'j')
			form = PRINT_JSON;
		else if (!admin_option(&server, option, optarg))
			return command_misused(usage);
	}
	if (optind != argc)
		return command_misused(usage);
	err = look(&server, waits, form, &problem);
	return command_ended(err, &problem);
}
