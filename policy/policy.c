#include "policy/policy.h"

#include "ca/base/crypt.h"
#include "ca/base/file.h"
#include "ca/base/hostname.h"
#include "policy/label.h"
#include "policy/pattern.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One line of `hosts`: exactly one of the three. */
struct host_pattern {
	char *exact, *suffix, *glob;
	struct yaml_mark mark;
};

struct rule {
	char *name;
	struct yaml_list hosts; /* of struct host_pattern */
	struct yaml_list labels; /* of struct wanted_label; empty: whatever the device has */
	struct yaml_list ek_kinds; /* of char *; empty: any */
	struct yaml_list trust; /* of char *; empty: those that a root vouches for */
	struct yaml_list templates; /* of char * */
	int64_t names_per_device;
	bool untagged_aks;
	char *unknown_ek, *expired_ek, *bad_firmware, *new_ak;
	struct yaml_mark mark;
};

struct policy {
	struct yaml_list rules; /* of struct rule */
	struct hold hold;
	struct yaml_mark mark;
	uint8_t version[SHA256_SIZE];
};

static const struct yaml_key host_keys[] = {
	{"exact", YAML_TEXT, offsetof(struct host_pattern, exact), "", 1, HOSTNAME_MAX, NULL, NULL},
	{"suffix", YAML_TEXT, offsetof(struct host_pattern, suffix), "", 1, HOSTNAME_MAX, NULL,
		NULL},
	{"glob", YAML_TEXT, offsetof(struct host_pattern, glob), "", 1, HOSTNAME_MAX, NULL, NULL},
	{0},
};
static const struct yaml_schema host_schema = {
	sizeof(struct host_pattern), host_keys, offsetof(struct host_pattern, mark)};

static const char *const ek_kinds[] = {
	"rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521", NULL};
static const char *const trust_classes[] = {
	"manufacturer", "operator-import", "allow-list", "approved", NULL};
/* The first two: what a rule takes that does not say. */
#define TRUST_DEFAULT 2
static const char *const unknown_eks[] = {"refuse", "hold", NULL};
static const char *const expired_eks[] = {"refuse", "warn", NULL};
static const char *const bad_firmwares[] = {"warn", "refuse", NULL};
static const char *const new_aks[] = {"keep", "supersede", NULL};

static const struct yaml_key rule_keys[] = {
	{"name", YAML_TEXT, offsetof(struct rule, name), NULL, 1, RULE_NAME_MAX, NULL, NULL},
	{"hosts", YAML_LIST, offsetof(struct rule, hosts), NULL, 1, 1000, &host_schema, NULL},
	{"labels", YAML_LIST, offsetof(struct rule, labels), "", 1, 32, &wanted_label_schema, NULL},
	{"ek_kinds", YAML_LIST, offsetof(struct rule, ek_kinds), "", 1, 8, NULL, ek_kinds},
	{"trust", YAML_LIST, offsetof(struct rule, trust), "", 1, 4, NULL, trust_classes},
	{"templates", YAML_LIST, offsetof(struct rule, templates), NULL, 1, 64, NULL, NULL},
	{"names_per_device", YAML_WHOLE, offsetof(struct rule, names_per_device), "1", 1, 100, NULL,
		NULL},
	{"untagged_aks", YAML_BOOL, offsetof(struct rule, untagged_aks), "false", 0, 0, NULL, NULL},
	{"unknown_ek", YAML_TEXT, offsetof(struct rule, unknown_ek), "refuse", 1, 16, NULL,
		unknown_eks},
	{"expired_ek", YAML_TEXT, offsetof(struct rule, expired_ek), "refuse", 1, 16, NULL,
		expired_eks},
	{"bad_firmware", YAML_TEXT, offsetof(struct rule, bad_firmware), "warn", 1, 16, NULL,
		bad_firmwares},
	{"new_ak", YAML_TEXT, offsetof(struct rule, new_ak), "keep", 1, 16, NULL, new_aks},
	{0},
};
static const struct yaml_schema rule_schema = {
	sizeof(struct rule), rule_keys, offsetof(struct rule, mark)};

static const struct yaml_key policy_keys[] = {
	{"rules", YAML_LIST, offsetof(struct policy, rules), NULL, 1, 1000, &rule_schema, NULL},
	{"hold", YAML_MAP, offsetof(struct policy, hold), "", 0, 0, &hold_schema, NULL},
	{0},
};
static const struct yaml_schema policy_schema = {
	sizeof(struct policy), policy_keys, offsetof(struct policy, mark)};

static bool lists(const struct yaml_list *list, const char *word)
{
	char *const *item = list->item;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(item[i], word) == 0)
			return true;
	return false;
}

static bool takes(const struct rule *rule, const char *trust_class)
{
	if (rule->trust.n > 0)
		return lists(&rule->trust, trust_class);
	for (size_t i = 0; i < TRUST_DEFAULT; i++)
		if (strcmp(trust_classes[i], trust_class) == 0)
			return true;
	return false;
}

static bool holds(const struct rule *rule)
{
	return strcmp(rule->unknown_ek, "hold") == 0;
}

/* The one pattern of a line; NULL when there is none, or more than one. */
static const char *pattern_of(const struct host_pattern *host, enum pattern_kind *kind)
{
	const char *const texts[] = {host->exact, host->suffix, host->glob};
	const enum pattern_kind pattern_kinds[] = {PATTERN_EXACT, PATTERN_SUFFIX, PATTERN_GLOB};
	const char *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(texts); i++) {
		if (texts[i] == NULL)
			continue;
		found = texts[i];
		*kind = pattern_kinds[i];
		n++;
	}
	return n == 1 ? found : NULL;
}

/* What is judged beyond the schema. */
struct judging {
	const char *file;
	struct problems *problems;
	bool (*is_template)(void *ctx, const char *name);
	void *ctx;
};

static void judge_hosts(const struct judging *judging, const struct rule *rule)
{
	const struct host_pattern *host = rule->hosts.item;

	for (size_t i = 0; i < rule->hosts.n; i++) {
		enum pattern_kind kind = PATTERN_EXACT;
		const char *pattern = pattern_of(&host[i], &kind);
		const char *wrong = pattern == NULL ? "wanted one of exact, suffix and glob"
						    : pattern_problem(kind, pattern);

		if (wrong != NULL)
			problem_add(judging->problems, judging->file, host[i].mark, "%s", wrong);
	}
}

static void judge_rule(const struct judging *judging, const struct rule *rule)
{
	char *const *template = rule->templates.item;

	judge_hosts(judging, rule);
	labels_judge(&rule->labels, judging->file, judging->problems);
	for (size_t i = 0; i < rule->templates.n; i++)
		if (!judging->is_template(judging->ctx, template[i]))
			problem_add(judging->problems, judging->file, rule->mark,
				"there is no template \"%s\"", template[i]);
	if (holds(rule) && !takes(rule, "approved"))
		problem_add(judging->problems, judging->file, rule->mark,
			"\"unknown_ek\" is \"hold\", and \"trust\" does not list \"approved\": "
			"what "
			"an admin accepts would still be refused");
}

static enum err judge(const struct judging *judging, const struct policy *policy)
{
	const struct rule *rule = policy->rules.item;
	size_t before = judging->problems->n;

	hold_judge(&policy->hold, judging->file, judging->problems);
	for (size_t i = 0; i < policy->rules.n; i++) {
		judge_rule(judging, &rule[i]);
		for (size_t k = 0; k < i; k++)
			if (strcmp(rule[i].name, rule[k].name) == 0)
				problem_add(judging->problems, judging->file, rule[i].mark,
					"a second rule named \"%s\"", rule[i].name);
	}
	if (judging->problems->n != before)
		return fail(ERR_MALFORMED, "yaml", "%s: %zu problem(s)", judging->file,
			judging->problems->n - before);
	return OK;
}

static enum err read_text(const char *path, struct problems *problems, struct buf *text)
{
	enum err err = file_read(path, text);

	if (err != OK)
		problem_add_failure(problems);
	return err;
}

enum err policy_load(const char *path, bool (*is_template)(void *ctx, const char *name), void *ctx,
	struct problems *problems, struct policy **out)
{
	AUTO(policy_free) struct policy *policy = calloc(1, sizeof(*policy));
	const struct judging judging = {path, problems, is_template, ctx};
	AUTO(buf_free) struct buf text = BUF(1 << 17);

	if (policy == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "policy_load");
	/* Read once: the version is that of these rules, also when the file is just replaced. */
	TRY(read_text(path, problems, &text));
	TRY(yaml_read(buf_view(&text), path, &policy_schema, policy, problems));
	TRY(judge(&judging, policy));
	TRY(SHA256_OF(policy->version, buf_view(&text)));
	*out = MOVE(policy);
	return OK;
}

void policy_free(struct policy **policy)
{
	if (*policy != NULL)
		yaml_release(&policy_schema, *policy);
	free(*policy);
	*policy = NULL;
}

const uint8_t *policy_version(const struct policy *policy)
{
	return policy->version;
}

size_t policy_rules(const struct policy *policy)
{
	return policy->rules.n;
}

bool policy_offer(const struct policy *policy, size_t index, struct policy_offer *out)
{
	const struct rule *rule = policy->rules.item;

	for (size_t i = 0; i < policy->rules.n; index -= rule[i++].templates.n)
		if (index < rule[i].templates.n) {
			char *const *template = rule[i].templates.item;

			*out = (struct policy_offer){rule[i].name, template[index], rule[i].mark};
			return true;
		}
	return false;
}

size_t policy_rules_for_any_ek(const struct policy *policy)
{
	const struct rule *rule = policy->rules.item;
	size_t n = 0;

	for (size_t i = 0; i < policy->rules.n; i++)
		n += rule[i].ek_kinds.n == 0;
	return n;
}

static bool has_name(const struct rule *rule, const char *name)
{
	const struct host_pattern *host = rule->hosts.item;

	for (size_t i = 0; i < rule->hosts.n; i++) {
		enum pattern_kind kind = PATTERN_EXACT;
		const char *pattern = pattern_of(&host[i], &kind);

		if (pattern != NULL && pattern_match(kind, pattern, name))
			return true;
	}
	return false;
}

/*
 * The next rule from `i` on that may be the first one for this device; NULL: none is left. With
 * `labels` that is the first one. Without, every rule that has the name, up to one that wants no
 * labels, which is taken for sure.
 */
static const struct rule *rule_next(
	const struct policy *policy, const char *name, const struct fact_labels *labels, size_t *i)
{
	const struct rule *rule = policy->rules.item;

	while (*i < policy->rules.n) {
		const struct rule *at = &rule[(*i)++];

		if (!has_name(at, name))
			continue;
		if (labels != NULL && labels_missing(&at->labels, labels) != NULL)
			continue;
		if (labels != NULL || at->labels.n == 0)
			*i = policy->rules.n;
		return at;
	}
	return NULL;
}

bool policy_wants_labels(const struct policy *policy, const char *host)
{
	size_t i = 0;
	const struct rule *rule = rule_next(policy, host, NULL, &i);

	return rule != NULL && rule->labels.n > 0;
}

bool policy_takes_untagged(
	const struct policy *policy, const char *host, const struct fact_labels *labels)
{
	const struct rule *rule;
	bool takes_untagged = false;

	for (size_t i = 0; (rule = rule_next(policy, host, labels, &i)) != NULL;)
		takes_untagged |= rule->untagged_aks;
	return takes_untagged;
}

/* Adds what one more rule takes. */
static void widen(struct ek_rules *rules, const struct rule *rule)
{
	rules->takes_allowed |= takes(rule, "allow-list");
	rules->takes_approved |= takes(rule, "approved");
	rules->holds |= holds(rule);
	rules->takes_expired |= strcmp(rule->expired_ek, "warn") == 0;
	rules->refuses_bad_firmware &= strcmp(rule->bad_firmware, "refuse") == 0;
}

struct ek_rules policy_ek_rules(
	const struct policy *policy, const char *host, const struct fact_labels *labels)
{
	struct ek_rules all = {.refuses_bad_firmware = true};
	const struct rule *rule;
	size_t n = 0;

	for (size_t i = 0; (rule = rule_next(policy, host, labels, &i)) != NULL; n++)
		widen(&all, rule);
	if (n == 0)
		all = (struct ek_rules){0};
	return all;
}

struct ek_rules policy_ek_rules_of_any(const struct policy *policy)
{
	const struct rule *rule = policy->rules.item;
	struct ek_rules any = {.refuses_bad_firmware = true};

	for (size_t i = 0; i < policy->rules.n; i++)
		widen(&any, &rule[i]);
	return any;
}

const struct hold *policy_hold(const struct policy *policy)
{
	return &policy->hold;
}

static enum err judge_trust(const struct rule *rule, const struct facts *facts)
{
	if (takes(rule, facts->trust_class))
		return OK;
	return refuse(ERR_DENIED, "trust-not-allowed", "policy: trust",
		"the rule \"%s\" for \"%s\" does not take a TPM trusted as %s", rule->name,
		facts->host, facts->trust_class);
}

static enum err judge_templates(const struct rule *rule, const struct facts *facts)
{
	for (size_t i = 0; i < facts->templates_n; i++)
		if (!lists(&rule->templates, facts->templates[i]))
			return refuse(ERR_DENIED, "template-not-allowed", "policy: templates",
				"the rule \"%s\" does not give \"%s\" a certificate by the "
				"template \"%s\"",
				rule->name, facts->host, facts->templates[i]);
	return OK;
}

/* No rule decides on this device: is it the name, or only its labels? */
static enum err nobody_has(const struct policy *policy, const struct facts *facts)
{
	const struct wanted_label *label;
	const struct rule *rule;
	size_t i = 0;

	rule = rule_next(policy, facts->host, NULL, &i);
	if (rule == NULL)
		return refuse(ERR_DENIED, "name-not-allowed", "policy: hosts",
			"no rule lets \"%s\" enroll here: ask the operator to add the name to "
			"policy.yaml",
			facts->host);
	label = labels_missing(&rule->labels, &facts->labels);
	return refuse(ERR_DENIED, "label-not-allowed", "policy: labels",
		"the rule \"%s\" has \"%s\" and wants the label %s=%s, which this device does not "
		"have, and no other rule takes it: ask the admin, who labels an EK with: "
		"endorsectl ek allow add --label ...",
		rule->name, facts->host, label->name, label->value);
}

enum err policy_decide(const struct policy *policy, const struct facts *facts, struct decision *out)
{
	size_t i = 0;
	const struct rule *rule = rule_next(policy, facts->host, &facts->labels, &i);
	bool is_unproven = strcmp(facts->trust_class, "unproven-root") == 0;

	if (rule == NULL)
		return nobody_has(policy, facts);
	if (rule->ek_kinds.n > 0 && !lists(&rule->ek_kinds, facts->ek_kind))
		return refuse(ERR_DENIED, "ek-kind-not-allowed", "policy: ek_kinds",
			"the rule \"%s\" for \"%s\" does not take an EK of kind %s: enroll with "
			"another EK of this TPM (endorse enroll --ek ...)",
			rule->name, facts->host, facts->ek_kind);
	/* Whoever would not get in anyway does not wait for an admin's word. */
	if (!is_unproven || !holds(rule))
		TRY(judge_trust(rule, facts));
	TRY(judge_templates(rule, facts));
	*out = (struct decision){rule->name, (unsigned)rule->names_per_device, is_unproven,
		strcmp(rule->new_ak, "supersede") == 0};
	return OK;
}
