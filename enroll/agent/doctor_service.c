/* doctor_service.c - a ticket, the TPM's answer to it, and what would become of a request. */
#include "enroll/agent/doctor.h"
#include "enroll/proto/answer.h"
#include "enroll/tpm/manufacturer.h"

#include <stdio.h>
#include <string.h>

#define MAKER 512

#define SAY(doctor, level, area, ...)                                                              \
	diagnosis_add(&(doctor)->diagnosis, FINDING_##level, area, __VA_ARGS__)

static bool is_refusal(void)
{
	return strcmp(why()->code, "service-refused") == 0;
}

/* A refusal's detail says what to do, too. */
static void say_failure(struct doctor *doctor, const char *look)
{
	const struct problem *problem = &doctor->attempt.problem;

	if (strcmp(why()->code, "service-pending") == 0 && problem->attempt[0] == '\0')
		SAY(doctor, FAIL, look,
			"not before an admin decides: %s; endorse enroll asks for that, and an "
			"admin sees it (endorsectl pending list)",
			problem->detail);
	else if (strcmp(why()->code, "service-pending") == 0)
		SAY(doctor, FAIL, look,
			"held until an admin decides: %s; endorsectl pending show %s, and then "
			"accept-once, trust-ca or reject",
			problem->detail, problem->attempt);
	else if (is_refusal())
		SAY(doctor, FAIL, look, "refused (%s): %s (%s; request %s)", problem->code,
			problem->detail, problem->reason, problem->request_id);
	else if (strcmp(why()->code, "service-away") == 0)
		SAY(doctor, FAIL, look,
			"%s: the service cannot do it just now; if it stays so, its operator has "
			"to "
			"look (endorsectl doctor)",
			why()->sentence);
	else
		SAY(doctor, FAIL, look, "%s", why()->sentence);
}

/* A service from before there were checks takes the member for a mistake. */
static bool is_older(const struct doctor *doctor)
{
	return is_refusal() && strcmp(doctor->attempt.problem.code, "json-key-unknown") == 0;
}

/* An EK that is on an allow-list, or was approved, proves nothing of its maker. */
static void say_maker(const struct answer *answer, char out[static MAKER])
{
	char maker[MANUFACTURER_SIZE];

	if (answer->tpm_manufacturer[0] == '\0') {
		snprintf(out, MAKER, "of which nothing proves who made it");
		return;
	}
	manufacturer_text(answer->tpm_manufacturer, maker);
	snprintf(out, MAKER, "of %s, model %s", maker, answer->tpm_model);
}

static void warn_of_new_name(struct doctor *doctor, const struct answer *answer)
{
	const char *before = doctor->held.enrollment.host;

	if (doctor->wish.host == NULL && before[0] != '\0' && strcmp(before, answer->host) != 0)
		SAY(doctor, WARN, "policy",
			"this machine enrolled as \"%s\" before, and takes another name only with "
			"endorse enroll --force",
			before);
}

static void look_at_policy(
	struct doctor *doctor, const struct challenge *challenge, const struct secret_key *session)
{
	AUTO(answer_free) struct answer *answer = NULL;
	char maker[MAKER];

	if (attempt_send_proof(&doctor->attempt, challenge, session, &answer) != OK) {
		if (is_older(doctor))
			SAY(doctor, WARN, "policy",
				"this service is older and does not tell beforehand whether it "
				"would give the name");
		else
			say_failure(doctor, "policy");
		return;
	}
	say_maker(answer, maker);
	SAY(doctor, OK, "policy",
		"nothing stands against \"%s\" now; to the service this is a TPM %s, trusted as %s "
		"(%s: %s), and %s",
		answer->host, maker, answer->trust_class,
		answer->trust_chain[0] == '\0' ? "by" : "roots", answer->trust_source,
		answer->device_id[strspn(answer->device_id, "0")] == '\0' ? "new"
									  : answer->device_id);
	warn_of_new_name(doctor, answer);
}

static void look(struct doctor *doctor)
{
	AUTO(challenge_free) struct challenge challenge;
	AUTO(key_wipe) struct secret_key session = {0};
	struct attempt *attempt = &doctor->attempt;

	challenge_init(&challenge);
	retry_start(&attempt->retry, 0);
	if (attempt_write_claim(attempt) != OK || attempt_challenge(attempt, &challenge) != OK) {
		say_failure(doctor, "service");
		SAY(doctor, SKIPPED, "policy", "not looked at: there is no ticket");
		return;
	}
	if (attempt->ek->certificate.n > 0)
		SAY(doctor, OK, "service",
			"it takes the EK with its certificate, and made a credential for it");
	else
		SAY(doctor, OK, "service",
			"it takes the EK without a certificate, and made a credential for it");
	if (attempt_activate(attempt, &challenge, &session) != OK) {
		SAY(doctor, FAIL, "service", "%s", why()->sentence);
		SAY(doctor, SKIPPED, "policy", "not looked at: there is no proof");
		return;
	}
	SAY(doctor, OK, "service", "the TPM opened the credential: EK and AK are its own");
	look_at_policy(doctor, &challenge, &session);
}

void doctor_service(struct doctor *doctor)
{
	const char *missing = !doctor->has_tls	  ? "there is no service"
			      : !doctor->has_ek	  ? "there is no EK that would do"
			      : !doctor->has_ak	  ? "there is no AK"
			      : !doctor->has_name ? "there is no name to ask for"
						  : NULL;

	if (missing == NULL) {
		look(doctor);
		return;
	}
	SAY(doctor, SKIPPED, "service", "not looked at: %s", missing);
	SAY(doctor, SKIPPED, "policy", "not looked at: %s", missing);
}
