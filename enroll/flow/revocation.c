#include "enroll/flow/revocation.h"

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "ca/base/revoked.h"
#include "db/bar.h"
#include "db/behind.h"
#include "db/revoke_certificate.h"
#include "db/revoked_issuer.h"
#include "enroll/flow/act.h"
#include "enroll/flow/ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of what is final: to hold something is an act of its own. */
static enum err judge_reason(const char *word)
{
	enum revoked_reason reason;

	if (revoked_reason_read(word, &reason) && reason != REVOKED_CERTIFICATE_HOLD)
		return OK;
	return refuse(ERR_MALFORMED, "revocation-reason", "RFC 5280 5.3.1",
		"the reason \"%.32s\" is none of unspecified, keyCompromise, cACompromise, "
		"affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn%s",
		word,
		strcmp(word, "certificateHold") == 0 ? "; to hold something is an act of its own"
						     : "");
}

/* What is given back, or only held, has none. */
static enum err judge_no_reason(const char *reason)
{
	if (reason[0] == '\0')
		return OK;
	return refuse(ERR_MALFORMED, "revocation-reason", "RFC 5280 5.3.1",
		"this act has no reason but why");
}

/* What a request may go by. */
enum { BY_ID = 1, BY_HOST = 2, BY_EK = 4, BY_SERIAL = 8, BY_ISSUER = 16 };

static enum err judge_which(const struct revocation_request *request, unsigned allowed)
{
	unsigned sent = (request->id[0] != '\0' ? BY_ID : 0) |
			(request->host[0] != '\0' ? BY_HOST : 0) |
			(request->ek_digest[0] != '\0' ? BY_EK : 0) |
			(request->serial[0] != '\0' ? BY_SERIAL : 0) |
			(request->issuer[0] != '\0' ? BY_ISSUER : 0);

	if (sent != 0 && (sent & (sent - 1)) == 0 && (sent & ~allowed) == 0)
		return OK;
	return refuse(ERR_MALFORMED, "which", "PROTOCOL revocation",
		"wanted exactly one of:%s%s%s%s%s", (allowed & BY_ID) != 0 ? " id" : "",
		(allowed & BY_HOST) != 0 ? " host" : "", (allowed & BY_EK) != 0 ? " ek_digest" : "",
		(allowed & BY_SERIAL) != 0 ? " serial" : "",
		(allowed & BY_ISSUER) != 0 ? " issuer" : "");
}

/* Keeps what a key points into. */
struct which {
	uint8_t device_id[DEVICE_ID_SIZE], ek_digest[DIGEST_SIZE], serial[SERIAL_MAX];
	struct device_key key;
};

static enum err read_device_id(const char *text, struct which *out)
{
	TRY(device_id_read(text, out->device_id));
	out->key.device_id = VIEW(out->device_id);
	return OK;
}

static enum err read_ek(const char *text, struct which *out)
{
	TRY(ek_digest_read(text, out->ek_digest));
	out->key.ek_digest = VIEW(out->ek_digest);
	return OK;
}

static enum err read_serial(const char *text, struct which *out)
{
	size_t n;

	TRY(serial_read(text, out->serial, &n));
	out->key.serial = (struct view){out->serial, n};
	return OK;
}

static enum err read_host(const char *text, struct which *out)
{
	TRY(hostname_check(text));
	out->key.host = text;
	return OK;
}

static enum err read_which(
	const struct revocation_request *request, unsigned allowed, struct which *out)
{
	*out = (struct which){.key = {.host = NULL}};
	TRY(judge_which(request, allowed));
	if (request->id[0] != '\0')
		return read_device_id(request->id, out);
	if (request->ek_digest[0] != '\0')
		return read_ek(request->ek_digest, out);
	if (request->serial[0] != '\0')
		return read_serial(request->serial, out);
	return request->host[0] != '\0' ? read_host(request->host, out) : OK;
}

static enum err tell_certificates(const struct reached *reached, struct revocation_answer *out)
{
	TRY(revocation_answer_init(out, reached->certificates_n));
	for (size_t i = 0; i < reached->certificates_n; i++) {
		const struct reached_certificate *from = &reached->certificates[i];
		struct revoked_certificate *to = &out->certificates[i];

		snprintf(to->kind, sizeof(to->kind), "%s", from->kind);
		snprintf(to->template, sizeof(to->template), "%s", from->template);
		snprintf(to->serial, sizeof(to->serial), "%s", from->serial);
		snprintf(to->host, sizeof(to->host), "%s", from->host);
		to->not_after = from->not_after;
	}
	for (size_t i = 0; i < reached->name_n; i++)
		buf_fmt(&out->name, "%s\n", reached->name[i]);
	return buf_ok(&out->name);
}

static enum err tell(const struct reached *reached, const struct revocation_request *request,
	const struct act *act, const char *state, struct revocation_answer *out)
{
	static const uint8_t none[DEVICE_ID_SIZE];

	TRY(tell_certificates(reached, out));
	snprintf(out->state, sizeof(out->state), "%s", state);
	snprintf(out->host, sizeof(out->host), "%s", request->host);
	snprintf(out->serial, sizeof(out->serial), "%s", request->serial);
	snprintf(out->reason, sizeof(out->reason), "%s", request->reason);
	if (memcmp(reached->device_id, none, sizeof(none)) != 0)
		hex_write(VIEW(reached->device_id), out->device_id);
	snprintf(
		out->registered_host, sizeof(out->registered_host), "%s", reached->registered_host);
	out->at = act->now;
	out->x509 = reached->x509;
	out->ssh_host = reached->ssh_host;
	out->ssh_user = reached->ssh_user;
	out->unlisted = reached->unlisted;
	out->crls = reached->crls;
	out->crls_until = reached->crls_until;
	out->names = reached->names;
	out->devices = reached->devices;
	out->eks = reached->eks;
	out->aks = reached->aks;
	out->registered = reached->registered;
	out->attempts = reached->attempts;
	return OK;
}

#define ANY_OF_A_DEVICE (BY_ID | BY_HOST | BY_EK | BY_SERIAL)

/* What every act begins with: who may not, and what is wrong with the request. */
static enum err begin(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, bool is_final, struct revocation_answer *out,
	struct act *act)
{
	*out = (struct revocation_answer){.state = ""};
	TRY(act_make(service, caller, caller->who, request->why, act));
	return is_final ? judge_reason(request->reason) : judge_no_reason(request->reason);
}

enum err revoke_device(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct which which;
	struct act act;

	TRY(begin(service, caller, request, true, out, &act));
	TRY(read_which(request, ANY_OF_A_DEVICE, &which));
	TRY(device_revoke(service->db, &which.key, request->reason, &act, &reached));
	return tell(&reached, request, &act, "revoked", out);
}

/* The three that have no reason of RFC 5280. */
static enum err change(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, const char *state,
	enum err (*change_it)(struct db *db, const struct device_key *key, const struct act *act,
		struct reached *out),
	struct revocation_answer *out)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct which which;
	struct act act;

	TRY(begin(service, caller, request, false, out, &act));
	TRY(read_which(request, ANY_OF_A_DEVICE, &which));
	TRY(change_it(service->db, &which.key, &act, &reached));
	return tell(&reached, request, &act, state, out);
}

enum err hold_device(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	return change(service, caller, request, "held", device_hold, out);
}

enum err unhold_device(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	return change(service, caller, request, "active", device_unhold, out);
}

enum err reinstate_device(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	return change(service, caller, request, "active", device_reinstate, out);
}

enum err revoke_certificate(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct which which;
	struct act act;

	TRY(begin(service, caller, request, true, out, &act));
	TRY(read_which(request, BY_SERIAL, &which));
	TRY(certificate_revoke(service->db, which.key.serial, request->reason, &act, &reached));
	return tell(&reached, request, &act, "revoked", out);
}

static enum err change_certificate(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, const char *state,
	enum err (*change_it)(
		struct db *db, struct view serial, const struct act *act, struct reached *out),
	struct revocation_answer *out)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct which which;
	struct act act;

	TRY(begin(service, caller, request, false, out, &act));
	TRY(read_which(request, BY_SERIAL, &which));
	TRY(change_it(service->db, which.key.serial, &act, &reached));
	return tell(&reached, request, &act, state, out);
}

enum err hold_certificate(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	return change_certificate(service, caller, request, "held", certificate_hold, out);
}

enum err unhold_certificate(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	return change_certificate(service, caller, request, "active", certificate_unhold, out);
}

static enum err end_host(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, const char *state,
	enum err (*end_it)(struct db *db, const char *host, const char *reason,
		const struct act *act, struct reached *out),
	struct revocation_answer *out)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct which which;
	struct act act;

	TRY(begin(service, caller, request, true, out, &act));
	TRY(read_which(request, BY_HOST, &which));
	TRY(end_it(service->db, which.key.host, request->reason, &act, &reached));
	return tell(&reached, request, &act, state, out);
}

enum err revoke_host(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	return end_host(service, caller, request, "revoked", host_revoke, out);
}

enum err retire_host(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	return end_host(service, caller, request, "retired", host_retire, out);
}

enum err reinstate_host(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct which which;
	struct act act;

	TRY(begin(service, caller, request, false, out, &act));
	TRY(read_which(request, BY_HOST, &which));
	TRY(host_reinstate(service->db, which.key.host, &act, &reached));
	return tell(&reached, request, &act, "active", out);
}

#define ISSUER_DIGITS_MIN 16 /* what URLs have of it */

/* In lower case. */
static enum err read_issuer(const char *text, char out[static LIMIT_ISSUER + 1])
{
	size_t n = strlen(text);

	if (n < ISSUER_DIGITS_MIN || strspn(text, "0123456789abcdef") != n)
		return refuse(ERR_MALFORMED, "issuer-id", "PROTOCOL revocation",
			"\"%.70s\" is no CA: wanted %d to %d of the first hexadecimal digits of "
			"its id, in lower case",
			text, ISSUER_DIGITS_MIN, LIMIT_ISSUER);
	snprintf(out, LIMIT_ISSUER + 1, "%s", text);
	return OK;
}

enum err revoke_ca(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	struct issuer_state issuer;
	char digits[LIMIT_ISSUER + 1];
	struct act act;

	TRY(begin(service, caller, request, true, out, &act));
	TRY(judge_which(request, BY_ISSUER));
	TRY(read_issuer(request->issuer, digits));
	TRY(issuer_revoke(service->db, digits, request->reason, &act, &issuer));
	TRY(revocation_answer_init(out, 0));
	snprintf(out->state, sizeof(out->state), "revoked");
	snprintf(out->reason, sizeof(out->reason), "%s", request->reason);
	hex_write(VIEW(issuer.issuer_id), out->issuer);
	out->at = act.now;
	out->remaining = issuer.remaining;
	return OK;
}

static void tell_issuer(const struct issuer_state *from, struct revocation_issuer *to)
{
	hex_write(VIEW(from->issuer_id), to->id);
	snprintf(to->kind, sizeof(to->kind), "%s", from->kind);
	snprintf(to->reason, sizeof(to->reason), "%s", from->reason);
	snprintf(to->revoked_by, sizeof(to->revoked_by), "%s", from->by);
	snprintf(to->why, sizeof(to->why), "%s", from->why);
	to->first_at = from->first_at;
	to->not_after = from->not_after;
	to->revoked_at = from->revoked_at;
	to->remaining = from->remaining;
}

static enum err look_at_issuers(
	const struct service *service, int64_t now, struct revocation_status *out)
{
	AUTO(mem_free) struct issuer_state *issuers = calloc(ISSUERS_MAX, sizeof(*issuers));
	size_t n = 0;

	if (issuers == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "look_at_issuers");
	TRY(issuers_read(service->db, now, issuers, &n));
	for (size_t i = 0; i < n && i < REVOCATION_ISSUERS; i++)
		tell_issuer(&issuers[i], &out->issuers[out->issuers_n++]);
	return OK;
}

enum err revocation_look(const struct service *service, const struct caller *caller,
	const struct revocation_request *of, struct revocation_status *out)
{
	struct which which = {.key = {.host = NULL}};
	struct behind behind;

	*out = (struct revocation_status){.crls = 0};
	if (of->id[0] != '\0' || of->host[0] != '\0' || of->serial[0] != '\0')
		TRY(read_which(of, BY_ID | BY_HOST | BY_SERIAL, &which));
	TRY(behind_read(service->db, &which.key, caller->now, &behind));
	out->crls = behind.crls;
	out->crls_behind = behind.crls_behind;
	out->crls_oldest = behind.crls_oldest;
	out->crls_until = behind.crls_until;
	out->krl_behind = behind.krl_behind;
	out->krl_at = behind.krl_at;
	return look_at_issuers(service, caller->now, out);
}

#define ROUND_BATCH 1000 /* certificates, so that no statement is long */

enum err revocation_round(const struct service *service, unsigned within_ms)
{
	int64_t until = clock_ms() + within_ms;
	bool more = true;

	while (more && clock_ms() < until)
		TRY(revoked_issuer_round(service->db, clock_now(), ROUND_BATCH, &more));
	return OK;
}
