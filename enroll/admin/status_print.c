#include "enroll/admin/status_print.h"

#include "ca/base/clock.h"
#include "enroll/admin/paragraph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SOON (30 * DAY)

/* "3 d 4 h", "5 min", "12 s": the two largest units tell enough. */
static void span(int64_t seconds, char *out, size_t room)
{
	long long s = seconds < 0 ? 0 : seconds;

	if (s >= DAY)
		snprintf(out, room, "%lld d %lld h", s / DAY, s % DAY / HOUR);
	else if (s >= HOUR)
		snprintf(out, room, "%lld h %lld min", s / HOUR, s % HOUR / 60);
	else if (s >= 60)
		snprintf(out, room, "%lld min", s / 60);
	else
		snprintf(out, room, "%lld s", s);
}

static void field(struct buf *out, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void field(struct buf *out, const char *label, const char *fmt, ...)
{
	char value[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	paragraph_field(out, label, value);
}

static void add_health(const struct status_answer *status, struct buf *out)
{
	if (status->is_ready)
		field(out, "ready", "yes");
	else
		field(out, "ready", "NO: %s (%s)", status->sentence, status->code);
	if (status->failures == 0 && status->warnings == 0)
		field(out, "doctor", "all is well");
	else
		field(out, "doctor", "%lld failure(s), %lld warning(s): see endorsectl doctor",
			(long long)status->failures, (long long)status->warnings);
	field(out, "database", "%s; %lld of %lld connections in use",
		status->is_database_up ? "answers" : "DOES NOT ANSWER",
		(long long)status->connections_lent, (long long)status->connections_max);
}

static void add_answers(const struct status_answer *status, struct buf *out)
{
	char up[64];

	span(status->now - status->since, up, sizeof(up));
	field(out, "since start",
		"%s: %lld issued, %lld returned, %lld repeated, %lld held, %lld refused, "
		"%lld of strangers refused, %lld failed",
		up, (long long)status->issued, (long long)status->returned,
		(long long)status->repeated, (long long)status->held, (long long)status->refused,
		(long long)status->unproven, (long long)status->failed);
	if (status->waiting > 0)
		field(out, "waiting", "%lld attempt(s) for an admin: see endorsectl pending list",
			(long long)status->waiting);
}

static void add_crls(const struct status_answer *status, struct buf *out)
{
	char left[64];

	if (status->crl_shards == 0) {
		field(out, "CRLs", "none yet: no certificate names one");
		return;
	}
	span(status->crl_next_update - status->now, left, sizeof(left));
	if (status->crl_overdue > 0)
		field(out, "CRLs",
			"%lld, and %lld PAST THEIR NEXT UPDATE: relying parties refuse "
			"all certificates that name them",
			(long long)status->crl_shards, (long long)status->crl_overdue);
	else if (status->crl_behind > 0)
		field(out, "CRLs", "%lld, and %lld do not say yet what was revoked",
			(long long)status->crl_shards, (long long)status->crl_behind);
	else if (status->crl_next_update > 0)
		field(out, "CRLs", "%lld, all say what was revoked; the oldest is good for %s",
			(long long)status->crl_shards, left);
	else
		field(out, "CRLs", "%lld", (long long)status->crl_shards);
}

static void add_krl(const struct status_answer *status, struct buf *out)
{
	char old[64];

	if (status->krl_at == 0)
		return;
	span(status->now - status->krl_at, old, sizeof(old));
	field(out, "KRL", "version %lld, %s old%s", (long long)status->krl_version, old,
		status->krl_behind ? ", and does not say yet what was revoked" : "");
}

/* Of a certificate that is made anew by itself nobody has to know in time. */
static const char *word_for(const struct status_expiry *one, int64_t left)
{
	if (left <= 0)
		return "ENDED";
	return left < SOON && strcmp(one->role, "ocsp-responder") != 0 ? "ENDS SOON" : "ends";
}

static void add_expiries(const struct status_answer *status, struct buf *out)
{
	for (size_t i = 0; i < status->expiries_n; i++) {
		const struct status_expiry *one = &status->expiries[i];
		int64_t left = one->until - status->now;
		char when[CLOCK_TEXT_SIZE], in[64];

		clock_text(one->until, when);
		span(left, in, sizeof(in));
		field(out, one->role, "%s at %s%s%s: %s", word_for(one, left), when,
			left > 0 ? ", in " : "", left > 0 ? in : "", one->subject);
	}
}

void status_text(const struct status_answer *status, struct buf *out)
{
	buf_fmt(out, "%s (endorsed %s)\n", status->service, status->version);
	add_health(status, out);
	add_answers(status, out);
	add_crls(status, out);
	add_krl(status, out);
	add_expiries(status, out);
}
