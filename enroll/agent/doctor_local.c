/* doctor_local.c - this machine by itself: its clock, its name, and what it holds already. */
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "enroll/agent/doctor.h"
#include "enroll/agent/ownname.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NAME 160
/* 2026-01-01T00:00:00Z: whatever clock says less has not been set since it was built in. */
#define BEFORE_ENDORSE INT64_C(1767225600)
#define TIMER "/etc/systemd/system/timers.target.wants/endorse-renew.timer"
#define TIMER_OPTIONS "/etc/endorse/endorse.conf"

#define SAY(doctor, level, area, ...)                                                              \
	diagnosis_add(&(doctor)->diagnosis, FINDING_##level, area, __VA_ARGS__)

void doctor_date(int64_t when, char out[static DOCTOR_DATE_SIZE])
{
	if (when >= CLOCK_LAST)
		snprintf(out, DOCTOR_DATE_SIZE, "the year 9999");
	else
		clock_text(when, out);
}

/* True when the anchor and this clock can both be right. */
static bool agrees_with(struct doctor *doctor, X509 *anchor, int64_t now)
{
	char name[NAME], date[DOCTOR_DATE_SIZE], now_text[DOCTOR_DATE_SIZE];
	int64_t from = 0, until = 0;

	if (cert_validity(anchor, &from, &until) != OK || (now >= from && now <= until))
		return true;
	name_text(X509_get_subject_name(anchor), name, sizeof(name));
	doctor_date(now < from ? from : until, date);
	doctor_date(now, now_text);
	if (now < from)
		SAY(doctor, FAIL, "clock",
			"it says %s, and the CA that is trusted here, \"%s\", began %s: set the "
			"clock (chronyc makestep, timedatectl)",
			now_text, name, date);
	else
		SAY(doctor, FAIL, "clock",
			"it says %s, and the CA that is trusted here, \"%s\", ended %s: set the "
			"clock, or get the CA's successor from the operator (--ca)",
			now_text, name, date);
	return false;
}

static bool agrees_with_anchors(struct doctor *doctor, int64_t now)
{
	AUTO(x509_stack_free) STACK_OF(X509) *anchors = NULL;
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);

	if (doctor->anchors == NULL || !anchors_are_known(doctor->anchors) ||
		anchors_write(doctor->anchors, &pem) != OK ||
		certs_parse(buf_view(&pem), "the anchors", "pem-file", &anchors) != OK)
		return true;
	for (int i = 0; i < sk_X509_num(anchors); i++)
		if (!agrees_with(doctor, sk_X509_value(anchors, i), now))
			return false;
	return true;
}

void doctor_clock(struct doctor *doctor)
{
	char text[DOCTOR_DATE_SIZE];
	int64_t now = clock_now();

	doctor_date(now, text);
	if (now < BEFORE_ENDORSE)
		SAY(doctor, FAIL, "clock",
			"it says %s, before this program was written: no certificate is valid "
			"then; set the clock (chronyc makestep, timedatectl)",
			text);
	else if (agrees_with_anchors(doctor, now))
		SAY(doctor, OK, "clock", "it says %s, which nothing on this machine contradicts",
			text);
}

/* The host in the server's URL, which the service keeps for itself. */
static bool is_servers(const struct doctor *doctor, const char *host)
{
	const char *at = doctor->wish.server;

	if (at == NULL)
		return false;
	at += strlen("https://");
	return strcspn(at, ":/") == strlen(host) && strncasecmp(at, host, strlen(host)) == 0;
}

void doctor_name(struct doctor *doctor)
{
	const struct order *order = doctor->order;
	const char *remembered = doctor->held.enrollment.host, *from = "the machine's own name";

	if (order->host_from_service) {
		doctor->has_name = true;
		SAY(doctor, OK, "name",
			"none is asked for: the service is to say which one this "
			"TPM's EK is registered for");
		return;
	}
	if (order->host[0] != '\0') {
		snprintf(doctor->host, sizeof(doctor->host), "%s", order->host);
		from = "as --host says";
	} else if (order->server == NULL && remembered[0] != '\0') {
		snprintf(doctor->host, sizeof(doctor->host), "%s", remembered);
		from = "enrolled before";
	} else if (ownname_find(doctor->host) != OK) {
		SAY(doctor, FAIL, "name", "%s", why()->sentence);
		return;
	}
	if (hostname_check(doctor->host) != OK) {
		SAY(doctor, FAIL, "name", "%s", why()->sentence);
		return;
	}
	if (is_servers(doctor, doctor->host)) {
		SAY(doctor, FAIL, "name",
			"\"%s\" is the service's own name, which it gives to nobody: --host NAME",
			doctor->host);
		return;
	}
	doctor->has_name = true;
	doctor->wish.host = doctor->host;
	SAY(doctor, OK, "name", "\"%s\", %s, can be a host's name", doctor->host, from);
	if (remembered[0] != '\0' && strcmp(remembered, doctor->host) != 0)
		SAY(doctor, WARN, "name",
			"this machine enrolled as \"%s\" before: another name is bound beside it "
			"only where the rule allows a device more than one",
			remembered);
}

static void say_timer(struct doctor *doctor)
{
	if (access(TIMER, F_OK) != 0)
		SAY(doctor, WARN, "state",
			"endorse-renew.timer is not enabled: who renews? systemctl enable --now "
			"endorse-renew.timer, unless something else runs endorse renew");
	else if (access(TIMER_OPTIONS, F_OK) != 0)
		SAY(doctor, WARN, "state",
			"endorse-renew.timer is enabled and renews nothing, because " TIMER_OPTIONS
			" is not there");
	else
		SAY(doctor, OK, "state", "endorse-renew.timer is enabled");
}

/* The AK's own is told of by say_held(), and so is why the worst of all is broken. */
static void say_certificate(
	struct doctor *doctor, const struct want *want, const struct holding *one)
{
	char from[DOCTOR_DATE_SIZE], until[DOCTOR_DATE_SIZE];

	doctor_date(one->valid_from, from);
	doctor_date(one->valid_until, until);
	if (one->judgement == HELD_BROKEN)
		SAY(doctor, FAIL, "state", "%s; enroll again", one->problem);
	else if (one->judgement == HELD_EXPIRED)
		SAY(doctor, FAIL, "state", "the certificate by %s ended %s", want->template, until);
	else if (one->judgement == HELD_EARLY)
		SAY(doctor, FAIL, "state", "the certificate by %s is valid only from %s",
			want->template, from);
	else
		SAY(doctor, OK, "state", "%s: until %s%s", want->template, until,
			one->judgement == HELD_DUE ? "; the next run of endorse renew renews it"
						   : "");
}

static void say_certificates(struct doctor *doctor)
{
	const struct held *held = &doctor->held;

	for (size_t i = 0; i < held->wanted.n; i++) {
		const struct want *want = &held->wanted.items[i];

		if (held->wanted.n > 1 &&
			held->holdings[wanted_ak(&held->wanted)].serial[0] != '\0')
			say_certificate(doctor, want, &held->holdings[i]);
		if (want->is_hook_due)
			SAY(doctor, WARN, "state",
				"the command of %s has failed: \"%s\"; who uses the certificate "
				"may "
				"still have the old one",
				want->template, want->command);
	}
}

static void say_held(struct doctor *doctor)
{
	const struct held *held = &doctor->held;
	const char *host = held->enrollment.host, *service = held->enrollment.service;
	char from[DOCTOR_DATE_SIZE], until[DOCTOR_DATE_SIZE];

	doctor_date(held->valid_from, from);
	doctor_date(held->valid_until, until);
	switch (held->judgement) {
	case HELD_NOTHING:
		SAY(doctor, OK, "state", "%s: nothing is held yet", state_dir(doctor->state));
		break;
	case HELD_BROKEN:
		SAY(doctor, FAIL, "state", "%s: what is held is of no use: %s; enroll again",
			state_dir(doctor->state), held->problem);
		break;
	case HELD_EARLY:
		SAY(doctor, FAIL, "state",
			"the certificate of %s is valid only from %s: this machine's clock is "
			"behind",
			host, from);
		break;
	case HELD_EXPIRED:
		SAY(doctor, FAIL, "state",
			"the certificate of %s ended %s: whoever relies on it refuses it; enroll "
			"again, and see that endorse runs every day",
			host, until);
		break;
	case HELD_DUE:
	case HELD_GOOD:
		SAY(doctor, OK, "state", "%s is enrolled with %s until %s%s", host, service, until,
			held->judgement == HELD_DUE ? "; the next run of endorse renew renews it"
						    : "");
		break;
	}
	say_certificates(doctor);
	if (held->judgement != HELD_NOTHING && access("/run/systemd/system", F_OK) == 0)
		say_timer(doctor);
}

/* Whether an enrollment could keep what it gets. */
static bool can_write(const char *dir, char *parent, const char **where)
{
	*where = dir;
	if (access(dir, W_OK | X_OK) == 0)
		return true;
	if (errno != ENOENT)
		return false;
	*where = dirname(parent);
	return access(*where, W_OK | X_OK) == 0;
}

void doctor_state(struct doctor *doctor)
{
	const char *dir = doctor->order->state_dir, *where;
	char parent[4096];

	snprintf(parent, sizeof(parent), "%s", dir);
	if (doctor->state == NULL && access(dir, F_OK) == 0)
		/* doctor.c could not open it; once more, for the reason. */
		SAY(doctor, FAIL, "state", "%s",
			state_open_readonly(dir, &doctor->state) != OK ? why()->sentence : "");
	else if (!can_write(dir, parent, &where))
		SAY(doctor, FAIL, "state", "%s: nothing can be kept there: %s%s", where,
			strerror(errno), geteuid() == 0 ? "" : "; run as root");
	else if (doctor->state == NULL)
		SAY(doctor, OK, "state", "%s: nothing is held yet", dir);
	else
		say_held(doctor);
}
