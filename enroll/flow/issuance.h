/* issuance.h - from a device that proved itself to its certificates: what enrollments and renewals
 * share. */
#pragma once

#include "db/enrollment.h"
#include "enroll/flow/grants.h"
#include "policy/policy.h"

struct issuance;

/* Judges the claim, by the rules of the moment, into issuance->judgement, which is empty. */
typedef enum err issuance_judge(struct issuance *issuance, void *of);

/* One request on its way. */
struct issuance {
	/* Of issuance_init(); borrowed. */
	const struct service *service;
	const struct caller *caller;
	struct outcome *outcome;
	char trust_version[2 * SHA256_SIZE + 1], policy_version[2 * SHA256_SIZE + 1];
	/* Filled in before issuance_run(). */
	issuance_judge *judge; /* asked again when the database moved: records may raise an EK */
	void *of; /* what `judge` gets; borrowed */
	struct judgement judgement;
	struct request request;
	uint8_t ticket_digest[SHA256_SIZE];
	uint8_t request_digest[SHA256_SIZE]; /* tells a repeat from another request */
	bool is_renewal; /* the device did not prove its EK this time */
	struct evidence_list evidence; /* issuance_judge_keys() */
	/* Found out on the way. */
	struct enrollment_facts facts;
	uint8_t device_id[DEVICE_ID_SIZE]; /* of a renewal, `judge` finds it */
	struct grants grants;
	/*
	 * What is handed out: issued now, recorded for the same grants, or the answer to a repeat.
	 */
	struct {
		const char *template;
		struct view certificate;
	} handed[LIMIT_KEYS];
	size_t handed_n;
};
/*
 * An empty one, with the rules it goes by noted in `outcome`; free with issuance_free(), also after
 * a failure.
 */
void issuance_init(struct issuance *issuance, const struct service *service,
	const struct caller *caller, struct outcome *outcome);
void issuance_free(struct issuance *issuance); /* for AUTO */

/* Notes whose it is, for what is recorded and logged of it. */
void issuance_note_device(
	struct issuance *issuance, const uint8_t device_id[static DEVICE_ID_SIZE]);

/* ERR_DENIED "renewal-name-not-bound", always. */
CHECKED enum err renewal_without_name(void);

/* Calls `judge` after forgetting what was judged before, and notes in `outcome` what it found. */
CHECKED enum err issuance_judge_claim(struct issuance *issuance);

/*
 * Judges the keys of the request; `ticket` is what their AK's statements must be for. Errors of
 * evidence_judge().
 */
CHECKED enum err issuance_judge_keys(struct issuance *issuance, struct view ticket);

/*
 * Looks, decides, signs and records, as often as the database moved. A request that is a check ends
 * before anything is signed or recorded. All certificates are issued and recorded, or none. Errors
 * as enroll.h lists them from "vouching" on.
 */
CHECKED enum err issuance_run(struct issuance *issuance);

/* What the device is told after that: appends the answer's JSON text. */
CHECKED enum err issuance_answer(const struct issuance *issuance, struct buf *json);

/*
 * Ends a request of a device that proved itself, which came to `err`: a refusal is recorded, unless
 * nobody vouches for the EK and no record knows it. Returns `err`, with its reason.
 */
CHECKED enum err issuance_end(struct issuance *issuance, enum err err);
