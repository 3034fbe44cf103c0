#include "ca/base/crypt.h"
#include "enroll/tpm/public.h"
#include "enroll/trust/trust.h"
#include "policy/policy.h"
#include "tests/unit/check.h"
#include "tests/unit/policy/load.h"

#define POLICY                                                                                     \
	"rules:\n"                                                                                 \
	"  - name: front\n"                                                                        \
	"    hosts:\n"                                                                             \
	"      - exact: www.example.org\n"                                                         \
	"      - glob: web-*.example.org\n"                                                        \
	"    ek_kinds: [p384, rsa2048]\n"                                                          \
	"    trust: [manufacturer]\n"                                                              \
	"    templates: [ak, tls]\n"                                                               \
	"    names_per_device: 3\n"                                                                \
	"  - name: rest\n"                                                                         \
	"    hosts: [{suffix: example.org}]\n"                                                     \
	"    templates: [ak]\n"

static const char *const ak[] = {"ak"}, *const tls[] = {"tls"}, *const ssh[] = {"ssh"};

/* Taken by the first rule of POLICY. */
static const struct facts good = {"web-01.example.org", "manufacturer", "p384", tls, 1, {NULL, 0}};

static void the_first_rule_with_the_name_decides(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(POLICY);
	struct facts facts = good;
	struct decision decision;

	(void)state;
	assert_ok(policy_decide(policy, &facts, &decision));
	assert_string_equal("front", decision.rule);
	assert_int_equal(3, decision.names_per_device);
	facts.host = "www.example.org";
	assert_ok(policy_decide(policy, &facts, &decision));
	assert_string_equal("front", decision.rule);
	facts.host = "db.example.org";
	facts.templates = ak;
	facts.ek_kind = "p256";
	facts.trust_class = "operator-import";
	assert_ok(policy_decide(policy, &facts, &decision));
	assert_string_equal("rest", decision.rule);
	assert_int_equal(1, decision.names_per_device);
}

static void each_refusal_has_its_code(void **state)
{
	static const struct {
		struct facts facts;
		const char *code, *clause;
	} rows[] = {
		{{"web-01.example.com", "manufacturer", "p384", tls, 1, {NULL, 0}},
			"name-not-allowed", "policy: hosts"},
		{{"example.org", "manufacturer", "p384", tls, 1, {NULL, 0}}, "name-not-allowed",
			"policy: hosts"},
		{{"web-01.example.org", "manufacturer", "p256", tls, 1, {NULL, 0}},
			"ek-kind-not-allowed", "policy: ek_kinds"},
		{{"web-01.example.org", "operator-import", "p384", tls, 1, {NULL, 0}},
			"trust-not-allowed", "policy: trust"},
		{{"web-01.example.org", "manufacturer", "p384", ssh, 1, {NULL, 0}},
			"template-not-allowed", "policy: templates"},
		{{"db.example.org", "manufacturer", "p384", tls, 1, {NULL, 0}},
			"template-not-allowed", "policy: templates"},
	};
	AUTO(policy_free) struct policy *policy = loaded(POLICY);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct decision decision = {.rule = "untouched"};

		assert_refused_in(rows[i].facts.host,
			policy_decide(policy, &rows[i].facts, &decision), ERR_DENIED, rows[i].code);
		assert_string_equal(rows[i].clause, why()->clause);
		assert_string_equal("untouched", decision.rule);
	}
}

/* web-01 is below example.org too, where any EK, any trust and "ak" would do. */
static void what_a_narrow_rule_refuses_no_broad_rule_takes(void **state)
{
	static const struct {
		struct facts facts;
		const char *code;
	} rows[] = {
		{{"web-01.example.org", "manufacturer", "p256", ak, 1, {NULL, 0}},
			"ek-kind-not-allowed"},
		{{"web-01.example.org", "operator-import", "p384", ak, 1, {NULL, 0}},
			"trust-not-allowed"},
	};
	AUTO(policy_free) struct policy *policy = loaded(POLICY);
	struct decision decision;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused(
			policy_decide(policy, &rows[i].facts, &decision), ERR_DENIED, rows[i].code);
}

static void a_rule_without_kinds_and_trust_takes_what_a_root_vouches_for(void **state)
{
	static const char *const kinds[] = {
		"rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"};
	static const char *const classes[] = {"manufacturer", "operator-import"};
	AUTO(policy_free) struct policy *policy = loaded(POLICY);
	struct decision decision;

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (size_t k = 0; k < COUNT(classes); k++)
			assert_ok(policy_decide(policy,
				&(struct facts){
					"db.example.org", classes[k], kinds[i], ak, 1, {NULL, 0}},
				&decision));
}

static void a_suffix_does_not_have_its_own_name(void **state)
{
	AUTO(policy_free)
	struct policy *policy =
		loaded("rules: [{name: r, hosts: [{suffix: example.org}], templates: [ak]}]");
	struct facts facts = good;
	struct decision decision;

	(void)state;
	facts.templates = ak;
	assert_ok(policy_decide(policy, &facts, &decision));
	facts.host = "example.org";
	assert_refused(policy_decide(policy, &facts, &decision), ERR_DENIED, "name-not-allowed");
}

static void a_glob_never_crosses_a_dot(void **state)
{
	AUTO(policy_free)
	struct policy *policy =
		loaded("rules: [{name: r, hosts: [{glob: '*.example.org'}], templates: [ak]}]");
	struct facts facts = good;
	struct decision decision;

	(void)state;
	facts.templates = ak;
	assert_ok(policy_decide(policy, &facts, &decision));
	facts.host = "web-01.evil.example.org";
	assert_refused(policy_decide(policy, &facts, &decision), ERR_DENIED, "name-not-allowed");
}

/* The second rule allows what the first, which has the name, does not say. */
static void aks_without_a_tag_are_taken_by_the_rule_that_says_so(void **state)
{
	static const char text[] = "rules:\n"
				   "  - name: strict\n"
				   "    hosts: [{exact: a.cloud.example.org}]\n"
				   "    templates: [ak]\n"
				   "  - name: cloud\n"
				   "    hosts: [{suffix: cloud.example.org}]\n"
				   "    templates: [ak]\n"
				   "    untagged_aks: true\n"
				   "  - name: said-no\n"
				   "    hosts: [{suffix: example.org}]\n"
				   "    templates: [ak]\n"
				   "    untagged_aks: false\n";
	AUTO(policy_free) struct policy *policy = loaded(text);

	(void)state;
	assert_true(policy_takes_untagged(policy, "b.cloud.example.org", NULL));
	assert_false(policy_takes_untagged(policy, "a.cloud.example.org", NULL));
	assert_false(policy_takes_untagged(policy, "cloud.example.org", NULL));
	assert_false(policy_takes_untagged(policy, "www.example.org", NULL));
	assert_false(policy_takes_untagged(policy, "b.cloud.example.com", NULL));
}

static void the_version_is_the_digest_of_the_file(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(POLICY);
	AUTO(policy_free) struct policy *remarked = loaded(POLICY "# a remark\n");
	uint8_t digest[SHA256_SIZE];

	(void)state;
	assert_ok(SHA256_OF(digest, view_str(POLICY)));
	assert_memory_equal(digest, policy_version(policy), SHA256_SIZE);
	assert_ok(SHA256_OF(digest, view_str(POLICY "# a remark\n")));
	assert_memory_equal(digest, policy_version(remarked), SHA256_SIZE);
}

/* One rule on one line, which differs from a good one in one thing; places count from there. */
#define RULE(text) "rules: [{" text "}]\n"
static const struct problem_row {
	const char *text, *problem;
} problem_rows[] = {
	{"", "1:1: the file is empty\n"},
	{"{}\n", "1:1: the key \"rules\" is missing\n"},
	{"rules: []\n", "1:8: \"rules\" has 0 entries: wanted 1 to 1000\n"},
	{"rules: all\n", "1:8: \"rules\": wanted a list\n"},
	{"rule: []\nrules: [{name: r, hosts: [{exact: a.b}], templates: [ak]}]\n",
		"1:1: unknown key \"rule\"\n"},
	{RULE("hosts: [{exact: a.b}], templates: [ak]"), "1:9: the key \"name\" is missing\n"},
	{RULE("name: r, templates: [ak]"), "1:9: the key \"hosts\" is missing\n"},
	{RULE("name: r, hosts: [{exact: a.b}]"), "1:9: the key \"templates\" is missing\n"},
	{RULE("name: '', hosts: [{exact: a.b}], templates: [ak]"),
		"1:16: \"name\": wanted 1 to 64 characters\n"},
	{RULE("name: r, hosts: [], templates: [ak]"),
		"1:26: \"hosts\" has 0 entries: wanted 1 to 1000\n"},
	{RULE("name: r, hosts: [a.b], templates: [ak]"), "1:27: wanted keys and values\n"},
	{RULE("name: r, hosts: [{}], templates: [ak]"),
		"1:27: wanted one of exact, suffix and glob\n"},
	{RULE("name: r, hosts: [{exact: a.b, glob: a.b}], templates: [ak]"),
		"1:27: wanted one of exact, suffix and glob\n"},
	{RULE("name: r, hosts: [{regex: a.b}], templates: [ak]"), "1:28: unknown key \"regex\"\n"},
	{RULE("name: r, hosts: [{exact: '*.b'}], templates: [ak]"),
		"1:27: only a glob has stars\n"},
	{RULE("name: r, hosts: [{suffix: .b}], templates: [ak]"),
		"1:27: a pattern neither begins nor ends with a dot\n"},
	{RULE("name: r, hosts: [{glob: A.b}], templates: [ak]"),
		"1:27: a pattern has lower-case letters, digits, hyphens and dots\n"},
	{RULE("name: r, hosts: [{exact: a.b}], ek_kinds: [rsa], templates: [ak]"),
		"1:53: \"ek_kinds\" is \"rsa\": wanted one of rsa2048, rsa3072, rsa4096, "
		"p256, p384, p521\n"},
	{RULE("name: r, hosts: [{exact: a.b}], ek_kinds: [], templates: [ak]"),
		"1:52: \"ek_kinds\" has 0 entries: wanted 1 to 8\n"},
	{RULE("name: r, hosts: [{exact: a.b}], trust: [anybody], templates: [ak]"),
		"1:50: \"trust\" is \"anybody\": wanted one of manufacturer, "
		"operator-import, allow-list, approved\n"},
	{RULE("name: r, hosts: [{exact: a.b}], trust: [], templates: [ak]"),
		"1:49: \"trust\" has 0 entries: wanted 1 to 4\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: []"),
		"1:53: \"templates\" has 0 entries: wanted 1 to 64\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ssh]"),
		"1:9: there is no template \"ssh\"\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], labels: []"),
		"1:67: \"labels\" has 0 entries: wanted 1 to 32\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], labels: [rack]"),
		"1:68: wanted keys and values\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], labels: [{name: rack}]"),
		"1:68: the key \"value\" is missing\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], labels: [{value: '7'}]"),
		"1:68: the key \"name\" is missing\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], labels: [{name: a b, value: '7'}]"),
		"1:68: a label's name has letters, digits, dots, _ or -\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], "
	      "labels: [{name: a, value: b}, {name: a, value: c}]"),
		"1:89: \"a\" twice: a device has one value of a label\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], new_ak: both"),
		"1:67: \"new_ak\" is \"both\": wanted one of keep, supersede\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], names_per_device: 0"),
		"1:77: \"names_per_device\" is \"0\": wanted 1 to 100\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], names_per_device: 101"),
		"1:77: \"names_per_device\" is \"101\": wanted 1 to 100\n"},
	{RULE("name: r, hosts: [{exact: a.b}], templates: [ak], untagged_aks: 'yes'"),
		"1:73: \"untagged_aks\" is \"yes\": wanted true or false\n"},
	{"rules:\n"
	 "- {name: r, hosts: [{exact: a.b}], templates: [ak]}\n"
	 "- {name: r, hosts: [{exact: a.c}], templates: [ak]}\n",
		"3:3: a second rule named \"r\"\n"},
};

static void one_fault_is_one_problem_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(problem_rows); i++)
		assert_problems(problem_rows[i].text, problem_rows[i].problem);
}

static void the_limits_of_a_rule_are_taken(void **state)
{
	AUTO(policy_free)
	struct policy *policy = loaded(
		RULE("name: 1234567890123456789012345678901234567890123456789012345678901234,"
		     " hosts: [{exact: a.b}], templates: [ak], names_per_device: 100"));

	(void)state;
	assert_non_null(policy);
	assert_problems(
		RULE("name: 12345678901234567890123456789012345678901234567890123456789012345,"
		     " hosts: [{exact: a.b}], templates: [ak]"),
		"1:16: \"name\": wanted 1 to 64 characters\n");
}

static void all_problems_of_the_rules_are_told(void **state)
{
	(void)state;
	assert_problems("rules:\n"
			"  - name: r\n"
			"    hosts: [{exact: '*'}, {suffix: b.}, {}]\n"
			"    templates: [ssh, ak, x]\n"
			"  - name: r\n"
			"    hosts: [{glob: '?'}]\n"
			"    templates: [ak]\n",
		"3:13: only a glob has stars\n"
		"3:27: a pattern neither begins nor ends with a dot\n"
		"3:41: wanted one of exact, suffix and glob\n"
		"2:5: there is no template \"ssh\"\n"
		"2:5: there is no template \"x\"\n"
		"6:13: a pattern has lower-case letters, digits, hyphens and dots\n"
		"5:5: a second rule named \"r\"\n");
}

static void all_problems_of_the_form_are_told(void **state)
{
	(void)state;
	assert_problems("rules:\n"
			"  - nmae: r\n"
			"    hosts: [a.b]\n"
			"    templates: ak\n"
			"    names_per_device: many\n",
		"2:5: unknown key \"nmae\"\n"
		"3:13: wanted keys and values\n"
		"4:16: \"templates\": wanted a list\n"
		"5:23: \"names_per_device\" is \"many\": wanted a whole number\n"
		"2:5: the key \"name\" is missing\n");
}

static void a_missing_file_is_a_problem(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct policy *policy = NULL;

	(void)state;
	problems_init(&problems);
	assert_refused(
		policy_load("/missing/policy.yaml", is_template, &context, &problems, &policy),
		ERR_NOT_FOUND, "file-missing");
	assert_int_equal(1, problems.n);
	assert_null(policy);
	policy_free(&policy);
}

static void rules_are_counted_and_those_for_any_ek_too(void **state)
{
	AUTO(policy_free) struct policy *policy = loaded(POLICY);

	(void)state;
	assert_int_equal(2, policy_rules(policy));
	assert_int_equal(1, policy_rules_for_any_ek(policy));
}

/* The policy has its own lists of words: it may not know where they come from. */
static void every_kind_of_ek_and_every_class_of_trust_can_be_asked_for(void **state)
{
	AUTO(buf_free) struct buf text = BUF(4096);
	AUTO(policy_free) struct policy *policy = NULL;

	(void)state;
	buf_str(&text, "rules:\n  - name: all\n    hosts: [{suffix: example.org}]\n"
		       "    templates: [ak]\n    ek_kinds: [");
	for (enum key_kind kind = KEY_RSA_2048; kind <= KEY_P521; kind++)
		buf_fmt(&text, "%s%s", kind == 0 ? "" : ", ", key_kind_text(kind));
	buf_str(&text, "]\n    trust: [");
	for (size_t i = 0; i < TRUST_UNPROVEN; i++)
		buf_fmt(&text, "%s%s", i == 0 ? "" : ", ", trust_class_words[i]);
	buf_str(&text, "]\n");
	policy = loaded(buf_text(&text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_ek_and_every_class_of_trust_can_be_asked_for),
		cmocka_unit_test(the_first_rule_with_the_name_decides),
		cmocka_unit_test(each_refusal_has_its_code),
		cmocka_unit_test(what_a_narrow_rule_refuses_no_broad_rule_takes),
		cmocka_unit_test(a_rule_without_kinds_and_trust_takes_what_a_root_vouches_for),
		cmocka_unit_test(a_suffix_does_not_have_its_own_name),
		cmocka_unit_test(a_glob_never_crosses_a_dot),
		cmocka_unit_test(aks_without_a_tag_are_taken_by_the_rule_that_says_so),
		cmocka_unit_test(the_version_is_the_digest_of_the_file),
		cmocka_unit_test(one_fault_is_one_problem_at_its_place),
		cmocka_unit_test(the_limits_of_a_rule_are_taken),
		cmocka_unit_test(all_problems_of_the_rules_are_told),
		cmocka_unit_test(all_problems_of_the_form_are_told),
		cmocka_unit_test(a_missing_file_is_a_problem),
		cmocka_unit_test(rules_are_counted_and_those_for_any_ek_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
