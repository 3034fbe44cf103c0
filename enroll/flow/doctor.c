#include "enroll/flow/doctor.h"

#include "ca/base/cert.h"
#include "ca/base/clock.h"
#include "ca/sshkey.h"
#include "db/health.h"
#include "db/pending.h"
#include "db/revoked_issuer.h"
#include "enroll/flow/doctor_revocation.h"

#include <stdio.h>
#include <string.h>

#define SOON (30 * DAY)
#define YEAR (365 * DAY)
#define CLOCKS_APART_WARN 2000 /* ms */
#define NEARLY_FULL 80 /* per cent of what may be held */

static void examine_pool(const struct db_health *health, struct findings *findings)
{
	if (health->lent == health->size)
		finding_add(findings, "database", FINDING_WARN,
			"all %u connections are in use, so requests wait for one: set "
			"database_connections higher, or look for what holds the database up",
			health->size);
}

static void examine_clock(const struct db_health *health, struct findings *findings)
{
	int64_t apart = health->ahead_ms < 0 ? -health->ahead_ms : health->ahead_ms;
	const char *where = health->ahead_ms < 0 ? "ahead of" : "behind";

	if (apart < CLOCKS_APART_WARN)
		finding_add(
			findings, "clock", FINDING_OK, "this server's and the database's agree");
	else
		finding_add(findings, "clock",
			apart > CLOCK_SKEW * 1000 ? FINDING_FAIL : FINDING_WARN,
			"this server's clock is %lld s %s the database's: beyond %d s no device "
			"can "
			"enroll here; see to NTP on both",
			((long long)apart + 500) / 1000, where, CLOCK_SKEW);
}

/* The clock is looked at by itself; a schema that is missing comes with the start. */
static bool is_told_later(bool is_running)
{
	return strcmp(why()->code, "clock-differs") == 0 ||
	       (!is_running && strcmp(why()->code, "database-schema") == 0);
}

static void examine_database(
	const struct service *service, bool is_running, struct findings *findings)
{
	struct db_health health;

	if (db_ready(service->db) != OK && !is_told_later(is_running)) {
		finding_add(findings, "database", FINDING_FAIL, "no device can enroll: %s (%s)",
			why()->sentence, why()->code);
		return;
	}
	finding_add(findings, "database", FINDING_OK,
		"reachable, writable, and its schema is one for this program");
	if (db_health(service->db, &health) != OK) {
		finding_add(findings, "database", FINDING_FAIL, "%s", why()->sentence);
		return;
	}
	examine_pool(&health, findings);
	examine_clock(&health, findings);
}

/* In time to make another: below 30 days, or a third of its life, or a year where that is less. */
static bool ends_soon(int64_t begin, int64_t end, int64_t now)
{
	int64_t third = (end - begin) / 3, left = end - now;

	return left < SOON || left < (third < YEAR ? third : YEAR);
}

/* What there is to say of a certificate that the service stands on; `then`: what ends with it. */
static void examine_life(const X509 *cert, const char *area, const char *what, const char *then,
	int64_t now, struct findings *findings)
{
	char when[CLOCK_TEXT_SIZE];
	int64_t begin, end;

	if (cert_validity(cert, &begin, &end) != OK) {
		finding_add(findings, area, FINDING_FAIL, "%s has no readable validity", what);
		return;
	}
	clock_text(end, when);
	if (end <= now)
		finding_add(findings, area, FINDING_FAIL, "%s ended at %s: %s", what, when, then);
	else if (begin > now)
		finding_add(findings, area, FINDING_FAIL,
			"%s is not valid yet: is this server's clock right?", what);
	else
		finding_add(findings, area, ends_soon(begin, end, now) ? FINDING_WARN : FINDING_OK,
			"%s ends in %lld days, at %s%s%s", what, (long long)(end - now) / DAY, when,
			ends_soon(begin, end, now) ? ": " : "",
			ends_soon(begin, end, now) ? then : "");
}

/* Its fingerprint is what an admin compares with known_hosts and sshd's file. */
static void examine_ssh_ca(const struct service *service, enum template_kind kind, const char *of,
	struct findings *findings)
{
	AUTO(buf_free) struct buf fingerprint = BUF(128);
	struct view key = signer_ssh_ca(service->signer, kind);

	if (key.n > 0 && sshkey_fingerprint(key, &fingerprint) == OK)
		finding_add(findings, "ca", FINDING_OK, "the OpenSSH CA of %s is %s", of,
			buf_text(&fingerprint));
}

static void examine_revoked(const struct service *service, struct findings *findings)
{
	struct signer_issuer ca;

	for (size_t i = 0; signer_issuer(service->signer, i, &ca); i++)
		if (ca.issues && issuer_judge(service->db, ca.id) != OK &&
			strcmp(why()->code, "ca-revoked") == 0)
			finding_add(findings, "ca", FINDING_FAIL,
				"no device can have what it signs: %s", why()->sentence);
}

static void examine_ca(const struct service *service, int64_t now, struct findings *findings)
{
	struct view der;

	for (size_t i = 0; (der = signer_chain(service->signer, i)).n > 0; i++) {
		AUTO(x509_free) X509 *cert = cert_from_der(der);
		char what[64] = "the issuing CA's certificate";

		if (i > 0)
			snprintf(what, sizeof(what), "certificate %zu above the issuing CA", i);
		if (cert != NULL)
			examine_life(cert, "ca", what,
				"what it issues is refused from then on; make a new CA "
				"certificate, give it to endorsed (ca: certificate) and let "
				"devices enroll again",
				now, findings);
	}
	if (signer_ready(service->signer) == OK)
		finding_add(findings, "ca", FINDING_OK, "the CA's key signs");
	else if (signer_not_after(service->signer) > now)
		finding_add(
			findings, "ca", FINDING_FAIL, "no device can enroll: %s", why()->sentence);
	examine_revoked(service, findings);
	examine_ssh_ca(service, TEMPLATE_SSH_HOST, "hosts", findings);
	examine_ssh_ca(service, TEMPLATE_SSH_USER, "users", findings);
}

/* A second one in the file takes over while the first one still lets people in. */
static void examine_admin_cas(const struct service *service, int64_t now, struct findings *findings)
{
	const X509 *cert;

	for (size_t i = 0; (cert = admin_ca_at(service->admin_ca, i)) != NULL; i++)
		examine_life(cert, "operators", "the admin CA's certificate",
			"no operator gets in by a certificate of it from then on; make the next "
			"admin CA, add its certificate to the file of admin_ca, and give operators "
			"new ones",
			now, findings);
}

static void examine_templates(const struct service *service, int64_t now, struct findings *findings)
{
	int64_t left = signer_not_after(service->signer) - now;
	const struct template *tmpl;
	size_t n;

	for (n = 0; (tmpl = signer_template(service->signer, n)) != NULL; n++)
		if (left > 0 && tmpl->lifetime > left)
			finding_add(findings, "templates", FINDING_WARN,
				"\"%s\" gives %lld days and the issuing CA has %lld left: "
				"certificates are cut short and all end with the CA; make a new CA "
				"certificate now",
				tmpl->name, (long long)tmpl->lifetime / DAY, (long long)left / DAY);
	finding_add(findings, "templates", FINDING_OK, "%zu loaded", n);
}

struct roots {
	int64_t now;
	struct findings *findings;
	size_t n;
};

/* An expired root is no failure by itself: the TPMs under it are those of one manufacturer. */
static void examine_root(void *ctx, const X509 *cert)
{
	struct roots *roots = ctx;
	int64_t begin, end;
	char subject[256], when[CLOCK_TEXT_SIZE];

	roots->n++;
	if (cert_validity(cert, &begin, &end) != OK || end - roots->now >= SOON)
		return;
	name_text(X509_get_subject_name(cert), subject, sizeof(subject));
	clock_text(end, when);
	finding_add(roots->findings, "trust", FINDING_WARN,
		"the root %.200s %s at %s: devices under it are refused (ek-expired) from then on; "
		"ask the manufacturer for the next one",
		subject, end <= roots->now ? "ended" : "ends", when);
}

/* What a service that does not run yet would find in the database is not known. */
static void examine_imported(const struct imported_state *imported, struct findings *findings)
{
	char when[CLOCK_TEXT_SIZE];

	if (imported->since == 0)
		return;
	clock_text(imported->since, when);
	finding_add(findings, "trust", FINDING_OK,
		"%zu of the certificates and CRLs were imported by operators: revision %lld, here "
		"since %s",
		imported->certificates, (long long)imported->revision, when);
}

/* It goes on revoking what it has, and nobody knows what was revoked since. */
static void examine_crl(void *ctx, const X509_CRL *crl)
{
	struct roots *roots = ctx;
	const ASN1_TIME *due = X509_CRL_get0_nextUpdate(crl);
	time_t now = (time_t)roots->now;
	char issuer[256];

	if (due == NULL || X509_cmp_time(due, &now) > 0)
		return;
	name_text(X509_CRL_get_issuer(crl), issuer, sizeof(issuer));
	finding_add(roots->findings, "trust", FINDING_WARN,
		"the CRL of %.200s is past its next update: what was revoked since is not known "
		"here; get the newer one into the directory of CRLs and reload",
		issuer);
}

#define PASSED_OVER_SHOWN 10

/* What is in the directories and not in the trust set; a manufacturer's TPMs may miss it. */
static void examine_passed_over(const struct service *service, struct findings *findings)
{
	const char *line = trust_passed_over(service->trust), *end;
	size_t n = 0;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (n++ < PASSED_OVER_SHOWN)
			finding_add(findings, "trust", FINDING_WARN, "passed over: %.*s",
				(int)(end - line), line);
	if (n > PASSED_OVER_SHOWN)
		finding_add(findings, "trust", FINDING_WARN,
			"passed over: %zu more; endorsed --check names them",
			n - PASSED_OVER_SHOWN);
}

static void examine_trust(const struct service *service, int64_t now, struct findings *findings)
{
	struct roots roots = {now, findings, 0};
	const char *vendors = trust_bundle_version(service->trust);

	trust_each_root(service->trust, examine_root, &roots);
	trust_each_crl(service->trust, examine_crl, &roots);
	examine_passed_over(service, findings);
	finding_add(findings, "trust", FINDING_OK, "%zu trusted roots%s%s", roots.n,
		vendors[0] == '\0' ? "" : ", vendors ", vendors);
	examine_imported(&service->imported, findings);
}

/* Whoever makes EKs can fill what an admin has to look at, and then nobody new is held. */
static void examine_held(const struct service *service, struct findings *findings)
{
	int64_t most = policy_hold(service->policy)->attempts;
	struct pending_crowd crowd;

	/* Why it cannot be asked was told of the database. */
	if (pending_crowd(service->db, &crowd) != OK)
		return;
	if (crowd.held >= most * NEARLY_FULL / 100)
		finding_add(findings, "pending", FINDING_WARN,
			"%lld attempts wait for an admin, and %lld may: beyond that no device is "
			"held; %lld are from %s%s: reject what you do not know (endorsectl pending "
			"list), or raise or narrow the policy's hold",
			(long long)crowd.held, (long long)most, (long long)crowd.of_source,
			crowd.source[0] == '\0' ? "exempt addresses" : crowd.source,
			strchr(crowd.source, ':') == NULL ? "" : "/64");
	else if (crowd.held > 0)
		finding_add(findings, "pending", FINDING_OK,
			"%lld attempts wait for an admin (endorsectl pending list)",
			(long long)crowd.held);
}

static void examine_policy(const struct service *service, struct findings *findings)
{
	size_t open = policy_rules_for_any_ek(service->policy);

	finding_add(findings, "policy", FINDING_OK, "%zu rules", policy_rules(service->policy));
	if (open > 0)
		finding_add(findings, "policy", FINDING_WARN,
			"%zu rules take any kind of EK, so a TPM that has two can take two names "
			"and outlive a ban: name one kind (ek_kinds)",
			open);
}

/* What was sealed must open: that is all that can be known of a key that only this service has. */
static void examine_tickets(const struct service *service, int64_t now, struct findings *findings)
{
	AUTO(buf_free) struct buf sealed = BUF(1024);
	AUTO(ticket_wipe) struct ticket made = {.issued_at = now}, opened;

	if (ticket_seal(service->tickets, &made, &sealed) == OK &&
		ticket_open(service->tickets, buf_view(&sealed), now, &opened) == OK)
		finding_add(findings, "tickets", FINDING_OK, "the ticket key seals and opens");
	else
		finding_add(findings, "tickets", FINDING_FAIL, "no device can enroll: %s",
			why()->sentence);
}

void doctor_examine(
	const struct service *service, bool is_running, int64_t now, struct findings *findings)
{
	examine_database(service, is_running, findings);
	examine_ca(service, now, findings);
	examine_admin_cas(service, now, findings);
	examine_templates(service, now, findings);
	examine_trust(service, now, findings);
	examine_policy(service, findings);
	/* The first start brings the tables. */
	if (is_running) {
		examine_held(service, findings);
		doctor_revocation(service, now, findings);
	}
	examine_tickets(service, now, findings);
	if (service->examine != NULL)
		service->examine(service->path, findings);
}
