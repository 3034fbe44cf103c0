/* doctor_tls.c - a handshake with the anchors, and who it is that answers. */
#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "enroll/agent/doctor.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define NAME 160
#define BODY_MAX (64 * 1024)
#define SOON_DAYS 7
/* Beyond the first it is worth a word; beyond the second, what is issued is not valid here yet. */
#define SKEW_WARN 60
#define SKEW_FAIL 300

#define SAY(doctor, level, area, ...)                                                              \
	diagnosis_add(&(doctor)->diagnosis, FINDING_##level, area, __VA_ARGS__)

/* The DNS names of a certificate, for a reader. */
static void list_names(X509 *certificate, char *out, size_t room)
{
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		size_t n = strlen(out);

		if (name->type == GEN_DNS)
			snprintf(out + n, room - n, "%s%.*s", n > 0 ? ", " : "",
				ASN1_STRING_length(name->d.dNSName),
				(const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	ERR_clear_error();
}

static void say_dates(struct doctor *doctor, const struct tls_peer *peer)
{
	char from_text[DOCTOR_DATE_SIZE], until_text[DOCTOR_DATE_SIZE], now[DOCTOR_DATE_SIZE];
	int64_t from = 0, until = 0;

	if (cert_validity(peer->certificate, &from, &until) != OK)
		return;
	doctor_date(from, from_text);
	doctor_date(until, until_text);
	doctor_date(clock_now(), now);
	SAY(doctor, FAIL, "tls",
		"%s: it is valid from %s to %s, or a CA above it is not now, and this machine's "
		"clock says %s: either the clock is wrong, or the operator has to renew it",
		anchors_tls_problem(doctor->anchors), from_text, until_text, now);
}

/* Each reason of a handshake that did not come about has another remedy. */
static void say_why_not(struct doctor *doctor, const struct http_visit *visit)
{
	const struct tls_peer *peer = anchors_tls_peer(doctor->anchors);
	char text[400], issuer[NAME];

	if (visit->is_name_wrong && peer->certificate != NULL) {
		list_names(peer->certificate, text, sizeof(text));
		SAY(doctor, FAIL, "tls",
			"the server's certificate is from the right CA, but for other names (%s): "
			"correct --server, or the operator adds the name",
			text);
	} else if (anchors_tls_problem(doctor->anchors)[0] == '\0' || peer->certificate == NULL) {
		SAY(doctor, FAIL, "tls",
			"no TLS with %s: %s; is it an https port, and TLS 1.2 or 1.3?",
			doctor->wish.server, visit->words);
	} else if (peer->error == X509_V_ERR_CERT_HAS_EXPIRED ||
		   peer->error == X509_V_ERR_CERT_NOT_YET_VALID) {
		say_dates(doctor, peer);
	} else {
		name_text(X509_get_issuer_name(peer->certificate), issuer, sizeof(issuer));
		SAY(doctor, FAIL, "tls",
			"%s; it was issued by \"%s\", which does not lead to a CA that is trusted "
			"here: check --ca or --ca-sha256, and whether something in between opens "
			"TLS",
			anchors_tls_problem(doctor->anchors), issuer);
	}
}

static void say_handshake(struct doctor *doctor)
{
	const struct tls_peer *peer = anchors_tls_peer(doctor->anchors);
	char issuer[NAME];
	int64_t from = 0, until = 0, days;

	if (peer->certificate == NULL || cert_validity(peer->certificate, &from, &until) != OK)
		return;
	name_text(X509_get_issuer_name(peer->certificate), issuer, sizeof(issuer));
	days = (until - clock_now()) / DAY;
	SAY(doctor, OK, "tls",
		"%s; the server's certificate leads to a CA that is trusted here, was issued by "
		"\"%s\" and has %" PRId64 " days left",
		peer->protocol, issuer, days);
	if (days < SOON_DAYS)
		SAY(doctor, WARN, "tls",
			"the server's certificate ends in %" PRId64
			" days: the operator should have renewed it",
			days);
}

/* Does what answers answer as Endorse's edge does? */
static void say_who_answers(
	struct doctor *doctor, const struct http_visit *visit, const struct buf *body)
{
	if (visit->status == 200 && strcmp(buf_text(body), "ok\n") == 0) {
		doctor->has_tls = true;
		SAY(doctor, OK, "tls", "an Endorse service answers there");
	} else if (visit->status == 429) {
		SAY(doctor, FAIL, "tls",
			"the service's edge says that too many requests come from this address: "
			"wait");
	} else if (visit->status >= 502 && visit->status <= 504) {
		SAY(doctor, FAIL, "tls",
			"the TLS edge answers with HTTP %ld: the service behind it is away; its "
			"operator has to look",
			visit->status);
	} else {
		SAY(doctor, FAIL, "tls",
			"something else than Endorse answers there (HTTP %ld to /healthz): check "
			"--server",
			visit->status);
	}
}

static void look(struct doctor *doctor)
{
	const struct http_options options = {
		doctor->wish.server, doctor->wish.proxy, doctor->anchors};
	AUTO(buf_free) struct buf body = BUF(BODY_MAX);
	struct http_visit visit;

	if (http_open(&options, &doctor->attempt.http) != OK) {
		SAY(doctor, FAIL, "tls", "%s", why()->sentence);
		return;
	}
	http_get(doctor->attempt.http, "/healthz", &body, &visit);
	if (visit.status == 0) {
		say_why_not(doctor, &visit);
		return;
	}
	doctor->date = visit.date;
	say_handshake(doctor);
	say_who_answers(doctor, &visit, &body);
}

void doctor_tls(struct doctor *doctor)
{
	if (!doctor->has_network)
		SAY(doctor, SKIPPED, "tls", "not looked at: there is no connection");
	else if (doctor->anchors == NULL)
		SAY(doctor, FAIL, "tls", "%s", doctor->anchors_problem);
	else
		look(doctor);
}

void doctor_service_clock(struct doctor *doctor)
{
	int64_t ahead = clock_now() - doctor->date;

	if (doctor->date < 0)
		SAY(doctor, SKIPPED, "clock",
			"not compared with the service's: no answer told its time");
	else if (ahead < -SKEW_FAIL)
		SAY(doctor, FAIL, "clock",
			"%" PRId64 " s behind the service's: what it issues now is not valid here "
			"yet; set the clock (chronyc makestep, timedatectl)",
			-ahead);
	else if (ahead > SKEW_WARN || ahead < -SKEW_WARN)
		SAY(doctor, WARN, "clock",
			"%" PRId64 " s %s the service's: certificates begin and end at other times "
			"here; set the clock (chronyc makestep, timedatectl)",
			ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead of");
	else
		SAY(doctor, OK, "clock", "as the service's, to %" PRId64 " s",
			ahead < 0 ? -ahead : ahead);
}
