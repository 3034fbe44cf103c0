#include "enroll/flow/revocation.h"

#include "ca/base/encode.h"
#include "ca/base/hostname.h"
#include "db/revoke.h"
#include "enroll/flow/act.h"

#include <stdio.h>
#include <string.h>

/*
 * What RFC 5280 5.3.1 has for what is final. Left out: removeFromCRL, which says the contrary;
 * certificateHold, which is an act of its own; aACompromise, for there are no attributes here.
 */
static const char *const reasons[] = {"unspecified", "keyCompromise", "cACompromise",
	"affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"};

static enum err judge_reason(const char *reason)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (strcmp(reason, reasons[i]) == 0)
			return OK;
	return refuse(ERR_MALFORMED, "revocation-reason", "RFC 5280 5.3.1",
		"the reason \"%.32s\" is none of unspecified, keyCompromise, cACompromise, "
		"affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn%s",
		reason,
		strcmp(reason, "certificateHold") == 0 ? "; to hold something is an act of its own"
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
			(request->ek_sha256[0] != '\0' ? BY_EK : 0) |
			(request->serial[0] != '\0' ? BY_SERIAL : 0) |
			(request->issuer[0] != '\0' ? BY_ISSUER : 0);

	if (sent != 0 && (sent & (sent - 1)) == 0 && (sent & ~allowed) == 0)
		return OK;
	return refuse(ERR_MALFORMED, "which", "PROTOCOL revocation",
		"wanted exactly one of:%s%s%s%s%s", (allowed & BY_ID) != 0 ? " id" : "",
		(allowed & BY_HOST) != 0 ? " host" : "", (allowed & BY_EK) != 0 ? " ek_sha256" : "",
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
	if (hex_read(view_str(text), out->device_id, DEVICE_ID_SIZE) != OK)
		return refuse(ERR_MALFORMED, "device-id", "PROTOCOL revocation",
			"\"%.40s\" is no device: wanted its 32 hexadecimal digits", text);
	out->key.device_id = VIEW(out->device_id);
	return OK;
}

static enum err read_ek(const char *text, struct which *out)
{
	if (hex_read(view_str(text), out->ek_digest, DIGEST_SIZE) != OK)
		return refuse(ERR_MALFORMED, "ek-digest", "PROTOCOL revocation",
			"\"%.70s\" is no SHA-256: wanted 64 hexadecimal digits", text);
	out->key.ek_digest = VIEW(out->ek_digest);
	return OK;
}

static enum err read_serial(const char *text, struct which *out)
{
	size_t n = strlen(text) / 2;

	if (n == 0 || n > SERIAL_MAX || hex_read(view_str(text), out->serial, n) != OK)
		return refuse(ERR_MALFORMED, "serial", "PROTOCOL revocation",
			"\"%.44s\" is no serial number: wanted two hexadecimal digits for each of "
			"its bytes, which are %d at most",
			text, SERIAL_MAX);
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
	if (request->ek_sha256[0] != '\0')
		return read_ek(request->ek_sha256, out);
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

enum err revoke_device(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct which which;
	struct act act;

	*out = (struct revocation_answer){.state = ""};
	TRY(act_make(service, caller, caller->who, request->why, &act));
	TRY(judge_reason(request->reason));
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

	*out = (struct revocation_answer){.state = ""};
	TRY(act_make(service, caller, caller->who, request->why, &act));
	TRY(judge_no_reason(request->reason));
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
