/* doctor_service.c - a ticket, the TPM's answer to it, and what would become of a request. */
#include "enroll/agent/doctor.h"
#include "enroll/tpm/manufacturer.h"
#include "enroll/proto/answer.h"

#include <string.h>

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

	if (is_refusal())
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

static void look_at_policy(
	struct doctor *doctor, const struct challenge *challenge, const struct secret_key *session)
{
	AUTO(answer_free) struct answer *answer = NULL;
	char maker[MANUFACTURER_SIZE];

	if (attempt_send_proof(&doctor->attempt, challenge, session, &answer) != OK) {
		if (is_older(doctor))
			SAY(doctor, WARN, "policy",
				"this service is older and does not tell beforehand whether it "
				"would give the name");
		else
			say_failure(doctor, "policy");
		return;
	}
	manufacturer_text(answer->tpm_manufacturer, maker);
	SAY(doctor, OK, "policy",
		"nothing stands against \"%s\" now; to the service this is a TPM of %s, model "
		"%s, trusted as %s (roots: %s), and %s",
		doctor->host, maker, answer->tpm_model, answer->trust_class, answer->trust_source,
		answer->device_id[strspn(answer->device_id, "0")] == '\0' ? "new"
									  : answer->device_id);
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
	SAY(doctor, OK, "service", "it believes the EK's certificate and made a credential for it");
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
