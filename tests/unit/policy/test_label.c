#include "policy/label.h"
#include "policy/policy.h"
#include "tests/unit/check.h"
#include "tests/unit/policy/load.h"

/* The name is in three rules; the last one wants no label, and the fourth is never asked. */
#define RULES                                                                                      \
	"rules:\n"                                                                                 \
	"  - name: vault\n"                                                                        \
	"    hosts: [{suffix: example.org}]\n"                                                     \
	"    labels: [{name: rack, value: \"7\"}, {name: site, value: fra}]\n"                     \
	"    templates: [ak, tls]\n"                                                               \
	"    new_ak: supersede\n"                                                                  \
	"    untagged_aks: true\n"                                                                 \
	"    bad_firmware: refuse\n"                                                               \
	"  - name: lab\n"                                                                          \
	"    hosts: [{suffix: example.org}]\n"                                                     \
	"    labels: [{name: site, value: lab}]\n"                                                 \
	"    trust: [manufacturer, approved, allow-list]\n"                                        \
	"    unknown_ek: hold\n"                                                                   \
	"    expired_ek: warn\n"                                                                   \
	"    templates: [ak]\n"

#define REST                                                                                       \
	"  - name: rest\n"                                                                         \
	"    hosts: [{suffix: example.org}]\n"                                                     \
	"    templates: [ak]\n"                                                                    \
	"    bad_firmware: refuse\n"                                                               \
	"    ek_kinds: [p256]\n"                                                                   \
	"  - name: never\n"                                                                        \
	"    hosts: [{suffix: example.org}]\n"                                                     \
	"    trust: [allow-list]\n"                                                                \
	"    templates: [tls]\n"

static const char *const ak[] = {"ak"}, *const both[] = {"ak", "tls"},
			 *const second_wrong[] = {"ak", "ssh"};
static const struct fact_label vault[] = {{"rack", "7"}, {"row", "b"}, {"site", "fra"}},
			       other_rack[] = {{"rack", "8"}, {"site", "fra"}},
			       lab[] = {{"rack", "7"}, {"site", "lab"}};
#define LABELS(list) ((struct fact_labels){list, COUNT(list)})

static struct facts facts_of(struct fact_labels labels)
{
	return (struct facts){"web.example.org", "manufacturer", "p256", ak, 1, labels};
}

static void the_first_rule_with_name_and_labels_decides(void **state)
{
	static const struct {
		struct fact_labels labels;
		const char *rule;
		bool supersedes;
	} rows[] = {
		{{vault, COUNT(vault)}, "vault", true},
		{{lab, COUNT(lab)}, "lab", false},
		{{other_rack, COUNT(other_rack)}, "rest", false},
		{{NULL, 0}, "rest", false},
	};
	AUTO(policy_free) struct policy *policy = loaded(RULES REST);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct facts facts = facts_of(rows[i].labels);
		struct decision decision;

		assert_ok(policy_decide(policy, &facts, &decision));
		assert_string_equal(rows[i].rule, decision.rule);
		assert_int_equal(rows[i].supersedes, decision.supersedes_aks);
	}
}

/* Its labels give it to a rule that does not take it: a later one that would is not asked. */
static void what_a_rule_refuses_by_labels_no_later_rule_takes(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(RULES REST);
	struct facts facts = facts_of(LABELS(lab));
	struct decision decision;

	(void)state;
	facts.trust_class = "operator-import";
	assert_refused(policy_decide(policy, &facts, &decision), ERR_DENIED, "trust-not-allowed");
	facts.labels = (struct fact_labels){NULL, 0};
	assert_ok(policy_decide(policy, &facts, &decision));
}

static void a_device_without_the_label_is_told_the_rule_and_the_label(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(RULES);
	struct facts facts = facts_of(LABELS(other_rack));
	struct decision decision;

	(void)state;
	assert_refused(policy_decide(policy, &facts, &decision), ERR_DENIED, "label-not-allowed");
	assert_string_equal("policy: labels", why()->clause);
	assert_non_null(strstr(why()->sentence, "\"vault\""));
	assert_non_null(strstr(why()->sentence, "rack=7"));
	facts.host = "web.example.com";
	assert_refused(policy_decide(policy, &facts, &decision), ERR_DENIED, "name-not-allowed");
}

static void all_templates_are_given_or_none(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(RULES);
	struct facts facts = facts_of(LABELS(vault));
	struct decision decision;

	(void)state;
	facts.templates = both;
	facts.templates_n = 2;
	assert_ok(policy_decide(policy, &facts, &decision));
	facts.templates = second_wrong;
	assert_refused(
		policy_decide(policy, &facts, &decision), ERR_DENIED, "template-not-allowed");
	assert_non_null(strstr(why()->sentence, "\"ssh\""));
	facts.templates = both;
	facts.labels = LABELS(lab);
	assert_refused(
		policy_decide(policy, &facts, &decision), ERR_DENIED, "template-not-allowed");
	assert_non_null(strstr(why()->sentence, "\"tls\""));
}

static void assert_rules(const struct ek_rules *wanted, struct ek_rules got)
{
	assert_int_equal(wanted->takes_allowed, got.takes_allowed);
	assert_int_equal(wanted->takes_approved, got.takes_approved);
	assert_int_equal(wanted->holds, got.holds);
	assert_int_equal(wanted->takes_expired, got.takes_expired);
	assert_int_equal(wanted->refuses_bad_firmware, got.refuses_bad_firmware);
}

/* While the labels are not known, whatever any of the rules takes that may decide; then what the one takes that does. */
static void without_labels_every_rule_that_may_decide_is_heard(void **state)
{
	static const struct ek_rules any = {true, true, true, true, false},
				     nothing = {.refuses_bad_firmware = true},
				     of_lab = {true, true, true, true, false}, none = {0};
	AUTO(policy_free) struct policy *policy = loaded(RULES REST);
	AUTO(policy_free) struct policy *two = loaded(RULES);
	const struct fact_labels no_labels = {NULL, 0};
	const struct fact_labels vaults = LABELS(vault), labs = LABELS(lab);

	(void)state;
	assert_true(policy_wants_labels(policy, "web.example.org"));
	assert_false(policy_wants_labels(policy, "web.example.com"));
	assert_rules(&any, policy_ek_rules(policy, "web.example.org", NULL));
	assert_rules(&nothing, policy_ek_rules(policy, "web.example.org", &vaults));
	assert_rules(&of_lab, policy_ek_rules(policy, "web.example.org", &labs));
	assert_rules(&nothing, policy_ek_rules(policy, "web.example.org", &no_labels));
	assert_rules(&none, policy_ek_rules(two, "web.example.org", &no_labels));
	assert_rules(&none, policy_ek_rules(policy, "web.example.com", NULL));
	assert_true(policy_takes_untagged(policy, "web.example.org", NULL));
	assert_true(policy_takes_untagged(policy, "web.example.org", &vaults));
	assert_false(policy_takes_untagged(policy, "web.example.org", &labs));
	assert_false(policy_takes_untagged(policy, "web.example.org", &no_labels));
}

/* The rules behind one that takes every device are never the first. */
static void a_rule_that_is_never_asked_lets_nothing_in(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded("rules:\n" REST);
	struct ek_rules rules = policy_ek_rules(policy, "web.example.org", NULL);

	(void)state;
	assert_false(policy_wants_labels(policy, "web.example.org"));
	assert_false(rules.takes_allowed);
	assert_true(rules.refuses_bad_firmware);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_with_name_and_labels_decides),
		cmocka_unit_test(what_a_rule_refuses_by_labels_no_later_rule_takes),
		cmocka_unit_test(a_device_without_the_label_is_told_the_rule_and_the_label),
		cmocka_unit_test(all_templates_are_given_or_none),
		cmocka_unit_test(without_labels_every_rule_that_may_decide_is_heard),
		cmocka_unit_test(a_rule_that_is_never_asked_lets_nothing_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
