/* binding.h - may this device have this name, by what the records and the policy say? */
#pragma once

#include "db/enrollment.h"
#include "enroll/flow/judgement.h"
#include "policy/policy.h"

/*
 * Is anybody's bar in the way: the device's, or the name's? ERR_DENIED "device-revoked",
 * "device-held", "host-revoked".
 */
CHECKED enum err bar_judge(enum device_state state, bool is_host_barred, const char *host);

/*
 * May the certificates of a used ticket be handed out once more, for a request with this digest?
 * Never what was taken back in between. ERR_CONFLICT "ticket-used"; ERR_DENIED "certificate-revoked",
 * and those of bar_judge().
 */
CHECKED enum err repeat_judge(const struct enrollment_facts *facts, const char *host,
	const uint8_t request_digest[static DIGEST_SIZE]);

/*
 * Judges a device that proved itself against the records, then by policy. Nothing is written.
 * Errors as enroll.h lists them under "records" and "policy". A ticket that was answered with a held
 * attempt is good for nothing but to hear of it again.
 */
CHECKED enum err binding_judge(const struct service *service, const struct judgement *judgement,
	const struct enrollment_facts *facts, const char *const *templates, size_t templates_n,
	struct decision *out);

/* The labels of the records as policy takes them; borrowed of `facts`. */
struct labels_view {
	struct fact_label label[ENROLLMENT_LABELS];
	struct fact_labels labels;
};
void labels_of(const struct enrollment_facts *facts, struct labels_view *out);
