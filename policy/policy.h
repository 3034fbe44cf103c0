/* policy.h - which device may have which name and which certificate: policy.yaml, first match wins. */
#pragma once

#include "ca/base/yaml.h"
#include "policy/facts.h"
#include "policy/hold.h"

#include <stdint.h>

struct policy; /* immutable once loaded */

/*
 * Loads policy.yaml. What is wrong is added to `problems`; templates named by a rule are checked
 * with `is_template`. `*out` is the caller's, for policy_free(). ERR_MALFORMED "yaml" with any
 * problem, or the error of file_read().
 */
CHECKED enum err policy_load(const char *path, bool (*is_template)(void *ctx, const char *name),
	void *ctx, struct problems *problems, struct policy **out);
void policy_free(struct policy **policy);

/* SHA-256 of the file: changes with every change of what is allowed. */
const uint8_t *policy_version(const struct policy *policy); /* 32 bytes */

/*
 * Which rule decides on a device may depend on its labels, which only records tell. The three
 * functions below take them as NULL while they are not known, and then speak of every rule that may
 * be the one: the rules that have the name, up to and with the first that wants no labels. What was
 * let pass so is judged again as soon as the labels are known; nothing is promised by it.
 */
/* May more rules than one be it? */
bool policy_wants_labels(const struct policy *policy, const char *host);

/*
 * Does the rule take AKs without the service's tag (`untagged_aks`)? False for a name that no rule
 * has.
 */
bool policy_takes_untagged(
	const struct policy *policy, const char *host, const struct fact_labels *labels);

/* What a rule takes of EKs beyond the ordinary. */
struct ek_rules {
	bool takes_allowed, takes_approved; /* those that no root vouches for, and we do */
	bool holds; /* those that nobody vouches for wait for an admin */
	bool takes_expired;
	bool refuses_bad_firmware; /* of several rules: all of them do */
};
/* Nothing, of a device that no rule has. */
struct ek_rules policy_ek_rules(
	const struct policy *policy, const char *host, const struct fact_labels *labels);
/* Whatever any rule takes: for a device whose name is not known yet. */
struct ek_rules policy_ek_rules_of_any(const struct policy *policy);

/* How many attempts may be held, and how long. */
const struct hold *policy_hold(const struct policy *policy);

/* How many rules there are, and how many of them name no kind of EK. */
size_t policy_rules(const struct policy *policy);
size_t policy_rules_for_any_ek(const struct policy *policy);

/* A template that a rule gives, and where the rule stands in the file. */
struct policy_offer {
	const char *rule, *template; /* the policy's */
	struct yaml_mark mark;
};
/* The offer at a place, from 0, through all rules; false beyond the last. */
bool policy_offer(const struct policy *policy, size_t index, struct policy_offer *out);

#define RULE_NAME_MAX 64 /* bytes */

/* What the matching rule gives. */
struct decision {
	const char *rule; /* the rule's name; the policy's */
	unsigned names_per_device;
	/* Nobody vouches for the EK; nothing else stands against it, and it gets nothing. */
	bool is_held;
	bool supersedes_aks; /* the device's other AKs end with the enrollment of this one */
};

/*
 * The first rule that has the host's name, and whose labels the device has, decides, also when it
 * refuses: a broad rule further down never takes what a narrow one above it turned away. All
 * templates are given or none. ERR_DENIED "name-not-allowed" (no rule has such a name),
 * "label-not-allowed" (rules have it, and want labels that the device does not have),
 * "ek-kind-not-allowed", "trust-not-allowed", "template-not-allowed". A device of class
 * "unproven-root" is refused with "trust-not-allowed" unless its rule holds such.
 */
CHECKED enum err policy_decide(
	const struct policy *policy, const struct facts *facts, struct decision *out);
