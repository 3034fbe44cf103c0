#include "enroll/admin/revoke_print.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "enroll/admin/paragraph.h"

#include <stdio.h>
#include <string.h>

static enum err put_json(const struct revocation_answer *answer)
{
	AUTO(buf_free) struct buf out = BUF(1 << 20);

	TRY(revocation_answer_encode(answer, &out));
	buf_str(&out, "\n");
	return paragraph_put(&out);
}

static bool is_state(const struct revocation_answer *answer, const char *state)
{
	return strcmp(answer->state, state) == 0;
}

/* What it was about. */
static void add_subject(struct buf *out, const struct revocation_answer *answer)
{
	if (answer->issuer[0] != '\0')
		buf_fmt(out, "CA %s", answer->issuer);
	else if (answer->devices > 0 || (answer->device_id[0] == '\0' && answer->host[0] != '\0'))
		buf_fmt(out, "host %s", answer->host);
	else if (answer->eks > 0)
		buf_fmt(out, "device %s", answer->device_id);
	else
		buf_fmt(out, "certificate %s", answer->serial);
}

static void add_head(struct buf *out, const struct revocation_answer *answer)
{
	char at[CLOCK_TEXT_SIZE];

	clock_text(answer->at, at);
	add_subject(out, answer);
	buf_fmt(out, " is %s%s%s%s since %s\n", answer->state,
		answer->reason[0] == '\0' ? "" : " (", answer->reason,
		answer->reason[0] == '\0' ? "" : ")", at);
}

static int64_t reached(const struct revocation_answer *answer)
{
	return answer->x509 + answer->ssh_host + answer->ssh_user;
}

static int64_t last_end(const struct revocation_answer *answer)
{
	int64_t last = 0;

	for (size_t i = 0; i < answer->certificates_n; i++)
		if (answer->certificates[i].not_after > last)
			last = answer->certificates[i].not_after;
	return last;
}

static void add_certificates(struct buf *out, const struct revocation_answer *answer)
{
	char text[160];

	snprintf(text, sizeof(text), "%lld X.509, %lld OpenSSH host, %lld OpenSSH user%s",
		(long long)answer->x509, (long long)answer->ssh_host, (long long)answer->ssh_user,
		is_state(answer, "active") && reached(answer) > 0 ? ", good again" : "");
	paragraph_field(out, "certificates", text);
	for (size_t i = 0; i < answer->certificates_n; i++) {
		const struct revoked_certificate *one = &answer->certificates[i];
		char until[CLOCK_TEXT_SIZE];

		clock_text(one->not_after, until);
		buf_fmt(out, "      %-8s  %-18s  %s  %s  until %s\n", one->kind, one->template,
			one->serial, one->host, until);
	}
	if ((int64_t)answer->certificates_n < reached(answer))
		buf_fmt(out, "      and %lld more\n",
			(long long)(reached(answer) - (int64_t)answer->certificates_n));
}

static void add_names(struct buf *out, const struct revocation_answer *answer)
{
	const char *names = buf_text(&answer->name);

	for (; *names != '\0'; names += strcspn(names, "\n") + 1) {
		char text[LIMIT_HOST + 32];

		snprintf(text, sizeof(text), "%.*s%s", (int)strcspn(names, "\n"), names,
			": nobody has it now");
		paragraph_field(out, "name", text);
	}
}

static void add_count(struct buf *out, const char *label, int64_t n, const char *what)
{
	char text[128];

	if (n == 0)
		return;
	snprintf(text, sizeof(text), "%lld%s", (long long)n, what);
	paragraph_field(out, label, text);
}

static void add_reached(struct buf *out, const struct revocation_answer *answer)
{
	add_certificates(out, answer);
	if (answer->remaining > 0)
		add_count(out, "still to do", answer->remaining,
			" certificates, in the background: endorsectl revocation shows how far it "
			"is");
	add_names(out, answer);
	add_count(out, "devices", answer->devices, ", whose other certificates stay good");
	add_count(out, "EKs", answer->eks,
		is_state(answer, "active") ? ": may enroll" : ": may not enroll");
	add_count(out, "AKs", answer->aks,
		is_state(answer, "active") ? ": may renew" : ": may not renew");
	add_count(out, "attempts", answer->attempts, " that were held or accepted are gone");
}

static void add_crls(struct buf *out, const struct revocation_answer *answer)
{
	char until[CLOCK_TEXT_SIZE], text[256];

	if (answer->crls == 0)
		return;
	clock_text(answer->crls_until, until);
	snprintf(text, sizeof(text), "%lld, new within 2 s%s%s%s", (long long)answer->crls,
		answer->crls_until == 0 ? "" : "; who keeps one of before has a new one by ",
		answer->crls_until == 0 ? "" : until,
		answer->crls_until == 0 ? "" : " at the latest");
	paragraph_field(out, "CRLs", text);
}

/* What an act changed is seen by those who look. */
static void add_seen(struct buf *out, const struct revocation_answer *answer)
{
	buf_str(out, "Seen\n");
	paragraph_field(out, "here", "at once: enrollments, renewals, tickets");
	if (answer->x509 > 0 || answer->issuer[0] != '\0')
		paragraph_field(out, "OCSP",
			"within 2 s; who keeps an answer asks again within an "
			"hour");
	add_crls(out, answer);
	if (answer->ssh_host + answer->ssh_user > 0)
		paragraph_field(out, "OpenSSH",
			"KRL new within 2 s; on a host when endorse "
			"krl-sync runs there next");
}

static void add_hand(struct buf *out, const char *text)
{
	if (text[0] != '\0')
		paragraph_add(out, "  - ", text);
}

static void add_name_hint(struct buf *out, const struct revocation_answer *answer)
{
	char text[2 * LIMIT_HOST + 256];

	if (answer->registered_host[0] != '\0') {
		snprintf(text, sizeof(text),
			"the name %s is registered for an EK of this device: before another "
			"machine can have it, endorsectl ek allow remove that EK (endorsectl ek "
			"allow list --host %s)",
			answer->registered_host, answer->registered_host);
		add_hand(out, text);
	}
	if (answer->names == 0 || answer->device_id[0] == '\0' || !is_state(answer, "revoked"))
		return;
	snprintf(text, sizeof(text),
		"the next machine that policy allows can have %s: endorsectl revoke host NAME "
		"keeps a name from everybody",
		answer->names == 1 ? "the name" : "these names");
	add_hand(out, text);
}

static void add_ends(struct buf *out, const struct revocation_answer *answer)
{
	char until[CLOCK_TEXT_SIZE], text[256];

	if (reached(answer) == 0 || last_end(answer) == 0)
		return;
	clock_text(last_end(answer), until);
	add_hand(out, "connections that are open stay open: end them where it matters");
	snprintf(text, sizeof(text),
		"who looks at neither CRL, OCSP nor KRL takes these certificates until %s: have "
		"them looked at, or forbid the machine there by hand",
		until);
	add_hand(out, text);
}

static void add_hands(struct buf *out, const struct revocation_answer *answer)
{
	char text[256];

	buf_str(out, "By hand\n");
	add_ends(out, answer);
	if (answer->unlisted > 0) {
		snprintf(text, sizeof(text),
			"%lld of the X.509 certificates name no CRL: only who asks OCSP sees it",
			(long long)answer->unlisted);
		add_hand(out, text);
	}
	if (answer->ssh_host + answer->ssh_user > 0)
		add_hand(out, "on hosts and clients of OpenSSH: endorse krl-sync, for those that "
			      "cannot wait for its timer");
	add_name_hint(out, answer);
	add_hand(out, "what the machine knows beside its certificates (passwords, keys in files, "
		      "tokens) is not the service's to take back");
}

/* What comes after a device may enroll again. */
static void add_return(struct buf *out, const struct revocation_answer *answer)
{
	buf_str(out, "By hand\n");
	if (answer->eks > 0 && reached(answer) == 0)
		add_hand(out, "it is a device like a new one: endorse enroll there, under a name "
			      "that is free and that policy allows it");
	else if (answer->serial[0] == '\0' && answer->device_id[0] == '\0')
		add_hand(out, "the next machine that policy allows can have the name");
	else
		add_hand(out, "nothing: it renews when its timer runs next");
}

enum err revocation_print(const struct revocation_answer *answer, enum print_form form)
{
	AUTO(buf_free) struct buf out = BUF(1 << 20);

	if (form == PRINT_JSON)
		return put_json(answer);
	add_head(&out, answer);
	add_reached(&out, answer);
	add_seen(&out, answer);
	if (is_state(answer, "active"))
		add_return(&out, answer);
	else
		add_hands(&out, answer);
	return paragraph_put(&out);
}
