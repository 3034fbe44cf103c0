#include "enroll/trust/trust.h"
#include "policy/policy.h"
#include "tests/unit/check.h"
#include "tests/unit/policy/load.h"

#define RULES                                                                                      \
	"rules:\n"                                                                                 \
	"  - name: silent\n"                                                                       \
	"    hosts: [{exact: silent.example.org}]\n"                                               \
	"    templates: [ak]\n"                                                                    \
	"  - name: listed\n"                                                                       \
	"    hosts: [{exact: listed.example.org}]\n"                                               \
	"    templates: [ak]\n"                                                                    \
	"    trust: [allow-list]\n"                                                                \
	"    expired_ek: warn\n"                                                                   \
	"    bad_firmware: refuse\n"                                                               \
	"  - name: holding\n"                                                                      \
	"    hosts: [{exact: holding.example.org}]\n"                                              \
	"    ek_kinds: [p256]\n"                                                                   \
	"    templates: [ak]\n"                                                                    \
	"    trust: [manufacturer, approved]\n"                                                    \
	"    unknown_ek: hold\n"

static const char *const ak[] = {"ak"}, *const tls[] = {"tls"};

static struct facts facts_of(const char *host, const char *trust_class)
{
	return (struct facts){host, trust_class, "p256", ak, 1, {NULL, 0}};
}

/* No rule that was written before these classes were there takes one of them. */
static void a_rule_that_says_nothing_takes_what_a_root_vouches_for(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(RULES);
	struct decision decision;

	(void)state;
	for (size_t i = 0; i <= TRUST_UNPROVEN; i++) {
		struct facts facts = facts_of("silent.example.org", trust_class_words[i]);

		assert_refused_in(trust_class_words[i], policy_decide(policy, &facts, &decision),
			i <= TRUST_OPERATOR_IMPORT ? OK : ERR_DENIED, "trust-not-allowed");
	}
}

static void a_rule_takes_the_classes_that_it_lists_and_no_other(void **state)
{
	static const struct {
		const char *host;
		const char *takes[3];
	} rows[] = {
		{"listed.example.org", {"allow-list"}},
		{"holding.example.org", {"manufacturer", "approved", "unproven-root"}},
	};
	AUTO(policy_free) struct policy *policy = loaded(RULES);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t k = 0; k <= TRUST_UNPROVEN; k++) {
			struct facts facts = facts_of(rows[i].host, trust_class_words[k]);
			struct decision decision;
			bool is_taken = false;

			for (size_t t = 0; t < COUNT(rows[i].takes); t++)
				is_taken |= rows[i].takes[t] != NULL &&
					    strcmp(rows[i].takes[t], trust_class_words[k]) == 0;
			assert_refused_in(rows[i].host, policy_decide(policy, &facts, &decision),
				is_taken ? OK : ERR_DENIED, "trust-not-allowed");
			if (is_taken)
				assert_int_equal(k == TRUST_UNPROVEN, decision.is_held);
		}
}

/* Who could not get in anyway does not wait. */
static void what_is_held_has_no_other_fault(void **state)
{
	static const struct {
		struct facts facts;
		const char *code;
	} rows[] = {
		{{"other.example.org", "unproven-root", "p256", ak, 1, {NULL, 0}},
			"name-not-allowed"},
		{{"holding.example.org", "unproven-root", "p384", ak, 1, {NULL, 0}},
			"ek-kind-not-allowed"},
		{{"holding.example.org", "unproven-root", "p256", tls, 1, {NULL, 0}},
			"template-not-allowed"},
		{{"holding.example.org", "operator-import", "p256", ak, 1, {NULL, 0}},
			"trust-not-allowed"},
	};
	AUTO(policy_free) struct policy *policy = loaded(RULES);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decision decision = {.is_held = false};

		assert_refused_in(rows[i].code, policy_decide(policy, &rows[i].facts, &decision),
			ERR_DENIED, rows[i].code);
		assert_false(decision.is_held);
	}
}

static void assert_rules(const struct ek_rules *wanted, struct ek_rules got)
{
	assert_int_equal(wanted->takes_allowed, got.takes_allowed);
	assert_int_equal(wanted->takes_approved, got.takes_approved);
	assert_int_equal(wanted->holds, got.holds);
	assert_int_equal(wanted->takes_expired, got.takes_expired);
	assert_int_equal(wanted->refuses_bad_firmware, got.refuses_bad_firmware);
}

static void the_rule_with_the_name_says_what_it_takes_of_eks(void **state)
{
	static const struct ek_rules nothing = {0},
				     listed = {.takes_allowed = true,
					     .takes_expired = true,
					     .refuses_bad_firmware = true},
				     holding = {.takes_approved = true, .holds = true},
				     any = {.takes_allowed = true,
					     .takes_approved = true,
					     .holds = true,
					     .takes_expired = true};
	AUTO(policy_free) struct policy *policy = loaded(RULES);
	AUTO(policy_free)
	struct policy *strict = loaded("rules: [{name: r, hosts: [{exact: a.b}], templates: [ak], "
				       "bad_firmware: refuse}]\n");

	(void)state;
	assert_rules(&nothing, policy_ek_rules(policy, "silent.example.org", NULL));
	assert_rules(&nothing, policy_ek_rules(policy, "other.example.org", NULL));
	assert_rules(&listed, policy_ek_rules(policy, "listed.example.org", NULL));
	assert_rules(&holding, policy_ek_rules(policy, "holding.example.org", NULL));
	assert_rules(&any, policy_ek_rules_of_any(policy));
	assert_true(policy_ek_rules_of_any(strict).refuses_bad_firmware);
	assert_false(policy_ek_rules_of_any(strict).holds);
}

#define RULE(text) "rules: [{name: r, hosts: [{exact: a.b}], templates: [ak], " text "}]\n"
#define HOLD(text) RULE("names_per_device: 1") "hold: {" text "}\n"

static void one_fault_is_one_problem_at_its_place(void **state)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{RULE("unknown_ek: ask"),
			"1:71: \"unknown_ek\" is \"ask\": wanted one of refuse, hold\n"},
		{RULE("expired_ek: hold"),
			"1:71: \"expired_ek\" is \"hold\": wanted one of refuse, warn\n"},
		{RULE("bad_firmware: hold"),
			"1:73: \"bad_firmware\" is \"hold\": wanted one of warn, refuse\n"},
		{RULE("trust: [unproven-root]"),
			"1:67: \"trust\" is \"unproven-root\": wanted one of manufacturer, "
			"operator-import, allow-list, approved\n"},
		{RULE("unknown_ek: hold"),
			"1:9: \"unknown_ek\" is \"hold\", and \"trust\" does not list "
			"\"approved\": what an admin accepts would still be refused\n"},
		{RULE("unknown_ek: hold, trust: [allow-list]"),
			"1:9: \"unknown_ek\" is \"hold\", and \"trust\" does not list "
			"\"approved\": what an admin accepts would still be refused\n"},
		{HOLD("attempts: 0"), "2:18: \"attempts\" is \"0\": wanted 1 to 1000000\n"},
		{HOLD("per_ek: 0"), "2:16: \"per_ek\" is \"0\": wanted 1 to 1000\n"},
		{HOLD("per_address: 0"), "2:21: \"per_address\" is \"0\": wanted 1 to 1000000\n"},
		{HOLD("days: 366"), "2:14: \"days\" is \"366\": wanted 1 to 365\n"},
		{HOLD("days: 7d"), "2:14: \"days\" is \"7d\": wanted a whole number\n"},
		{HOLD("for: 7"), "2:8: unknown key \"for\"\n"},
		{HOLD("exempt: [10.0.0.1/8]"),
			"2:7: \"exempt\" has \"10.0.0.1/8\": a range has no bits set behind its "
			"prefix: write its first address\n"},
		{HOLD("exempt: [here]"),
			"2:7: \"exempt\" has \"here\": not an IPv4 or IPv6 address, or a range "
			"such as 192.0.2.0/24\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_problems(rows[i].text, rows[i].problem);
}

static void what_is_not_said_of_holding_has_a_default(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(RULES);
	const struct hold *hold = policy_hold(policy);

	(void)state;
	assert_int_equal(1000, hold->attempts);
	assert_int_equal(4, hold->per_ek);
	assert_int_equal(20, hold->per_address);
	assert_int_equal(7, hold->days);
	assert_int_equal(60, hold->retry_after);
	assert_false(hold_is_exempt(hold, "192.0.2.7"));
}

static void addresses_are_exempt_by_any_of_the_ranges(void **state)
{
	AUTO(policy_free)
	struct policy *policy =
		loaded(RULES "hold:\n"
			     "  exempt: [192.0.2.0/24, \"2001:db8::/32\", 10.1.1.1]\n"
			     "  per_address: 2\n"
			     "  retry_after: 5m\n");
	const struct hold *hold = policy_hold(policy);

	(void)state;
	assert_int_equal(2, hold->per_address);
	assert_int_equal(300, hold->retry_after);
	assert_int_equal(1000, hold->attempts);
	assert_true(hold_is_exempt(hold, "192.0.2.7"));
	assert_true(hold_is_exempt(hold, "::ffff:192.0.2.7"));
	assert_true(hold_is_exempt(hold, "2001:db8::7"));
	assert_true(hold_is_exempt(hold, "10.1.1.1"));
	assert_false(hold_is_exempt(hold, "10.1.1.2"));
	assert_false(hold_is_exempt(hold, "-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_that_says_nothing_takes_what_a_root_vouches_for),
		cmocka_unit_test(a_rule_takes_the_classes_that_it_lists_and_no_other),
		cmocka_unit_test(what_is_held_has_no_other_fault),
		cmocka_unit_test(the_rule_with_the_name_says_what_it_takes_of_eks),
		cmocka_unit_test(one_fault_is_one_problem_at_its_place),
		cmocka_unit_test(what_is_not_said_of_holding_has_a_default),
		cmocka_unit_test(addresses_are_exempt_by_any_of_the_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
