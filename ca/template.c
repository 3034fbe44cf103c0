#include "ca/template.h"

#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "ca/base/file.h"
#include "ca/usage.h"
#include "ca/variable.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/objects.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TEMPLATES_MAX 64
#define OID_ANY_POLICY "2.5.29.32.0" /* RFC 5280 4.2.1.4 */

struct templates {
	struct template *item;
	size_t n;
};

static const struct yaml_key attribute_keys[] = {
	{"type", YAML_TEXT, offsetof(struct template_attribute, type), NULL, 3, 64, NULL, NULL},
	{"value", YAML_TEXT, offsetof(struct template_attribute, value), NULL, 1, 128, NULL, NULL},
	{0},
};
static const struct yaml_schema attribute_schema = {sizeof(struct template_attribute),
	attribute_keys, offsetof(struct template_attribute, mark)};

static const struct yaml_key hardware_keys[] = {
	{"type", YAML_TEXT, offsetof(struct template_hardware, type), "", 3, 64, NULL, NULL},
	{"serial", YAML_TEXT, offsetof(struct template_hardware, serial), "", 1, 256, NULL, NULL},
	{0},
};
static const struct yaml_schema hardware_schema = {
	sizeof(struct template_hardware), hardware_keys, offsetof(struct template_hardware, mark)};

static const struct yaml_key name_keys[] = {
	{"directory_name", YAML_LIST, offsetof(struct template_name, directory_name), "", 1, 16,
		&attribute_schema, NULL},
	{"permanent_identifier", YAML_TEXT, offsetof(struct template_name, permanent_identifier),
		"", 1, 128, NULL, NULL},
	{"dns_name", YAML_TEXT, offsetof(struct template_name, dns_name), "", 1, 256, NULL, NULL},
	{"uri", YAML_TEXT, offsetof(struct template_name, uri), "", 1, 512, NULL, NULL},
	{"hardware_module_name", YAML_MAP, offsetof(struct template_name, hardware_module_name), "",
		0, 0, &hardware_schema, NULL},
	{"optional", YAML_BOOL, offsetof(struct template_name, optional), "false", 0, 0, NULL,
		NULL},
	{0},
};
static const struct yaml_schema name_schema = {
	sizeof(struct template_name), name_keys, offsetof(struct template_name, mark)};

static const struct yaml_key san_keys[] = {
	{"critical", YAML_BOOL, offsetof(struct template_san, critical), "true", 0, 0, NULL, NULL},
	{"names", YAML_LIST, offsetof(struct template_san, names), "", 1, 16, &name_schema, NULL},
	{0},
};
static const struct yaml_schema san_schema = {
	sizeof(struct template_san), san_keys, offsetof(struct template_san, mark)};

static const struct yaml_key trust_policies_keys[] = {
	{"manufacturer", YAML_TEXT, offsetof(struct template_trust_policies, manufacturer), "", 3,
		64, NULL, NULL},
	{"operator-import", YAML_TEXT, offsetof(struct template_trust_policies, operator_import),
		"", 3, 64, NULL, NULL},
	{"allow-list", YAML_TEXT, offsetof(struct template_trust_policies, allow_list), "", 3, 64,
		NULL, NULL},
	{"approved", YAML_TEXT, offsetof(struct template_trust_policies, approved), "", 3, 64, NULL,
		NULL},
	{0},
};
static const struct yaml_schema trust_policies_schema = {sizeof(struct template_trust_policies),
	trust_policies_keys, offsetof(struct template_trust_policies, mark)};

static const struct yaml_key access_keys[] = {
	{"ca_issuers", YAML_TEXT, offsetof(struct template_access, ca_issuers), "", 1, 512, NULL,
		NULL},
	{"ocsp", YAML_TEXT, offsetof(struct template_access, ocsp), "", 1, 512, NULL, NULL},
	{0},
};
static const struct yaml_schema access_schema = {
	sizeof(struct template_access), access_keys, offsetof(struct template_access, mark)};

static const char *const extension_types[] = {
	"utf8", "printable", "ia5", "integer", "boolean", "oid", "null", NULL};

static const struct yaml_key extension_keys[] = {
	{"oid", YAML_TEXT, offsetof(struct template_extension, oid), NULL, 3, 64, NULL, NULL},
	{"critical", YAML_BOOL, offsetof(struct template_extension, critical), "false", 0, 0, NULL,
		NULL},
	{"type", YAML_TEXT, offsetof(struct template_extension, type), NULL, 1, 16, NULL,
		extension_types},
	{"value", YAML_TEXT, offsetof(struct template_extension, value), "", 0, 256, NULL, NULL},
	{0},
};
static const struct yaml_schema extension_schema = {sizeof(struct template_extension),
	extension_keys, offsetof(struct template_extension, mark)};

static const struct yaml_key option_keys[] = {
	{"name", YAML_TEXT, offsetof(struct template_ssh_option, name), NULL, 1, 64, NULL, NULL},
	{"value", YAML_TEXT, offsetof(struct template_ssh_option, value), "", 1, 256, NULL, NULL},
	{0},
};
static const struct yaml_schema option_schema = {sizeof(struct template_ssh_option), option_keys,
	offsetof(struct template_ssh_option, mark)};

static const struct yaml_key ssh_keys[] = {
	{"principals", YAML_LIST, offsetof(struct template_ssh, principals), "", 1, 64, NULL, NULL},
	{"key_id", YAML_TEXT, offsetof(struct template_ssh, key_id), "${device.id}", 1, 256, NULL,
		NULL},
	{"critical_options", YAML_LIST, offsetof(struct template_ssh, critical_options), "", 1, 16,
		&option_schema, NULL},
	{"extensions", YAML_LIST, offsetof(struct template_ssh, extensions), "", 1, 16,
		&option_schema, NULL},
	{0},
};
static const struct yaml_schema ssh_schema = {
	sizeof(struct template_ssh), ssh_keys, offsetof(struct template_ssh, mark)};

static const char *const kinds[] = {"x509", "ssh-host", "ssh-user", NULL};
static const char *const keys[] = {"ak", "certified", "any", NULL};

static const struct yaml_key template_keys[] = {
	{"name", YAML_TEXT, offsetof(struct template, name), NULL, 1, 64, NULL, NULL},
	{"version", YAML_WHOLE, offsetof(struct template, version), NULL, 1, 1000000, NULL, NULL},
	{"kind", YAML_TEXT, offsetof(struct template, kind), NULL, 1, 16, NULL, kinds},
	{"key", YAML_TEXT, offsetof(struct template, key), NULL, 1, 16, NULL, keys},
	{"decrypt", YAML_BOOL, offsetof(struct template, decrypt), "false", 0, 0, NULL, NULL},
	{"lifetime", YAML_SECONDS, offsetof(struct template, lifetime), NULL, 300, 3660 * DAY, NULL,
		NULL},
	{"backdate", YAML_SECONDS, offsetof(struct template, backdate), "5m", 0, DAY, NULL, NULL},
	{"subject", YAML_LIST, offsetof(struct template, subject), "", 1, 16, &attribute_schema,
		NULL},
	{"subject_alt_name", YAML_MAP, offsetof(struct template, san), "", 0, 0, &san_schema, NULL},
	{"key_usage", YAML_LIST, offsetof(struct template, key_usage), "", 1, 9, NULL, NULL},
	{"extended_key_usage", YAML_LIST, offsetof(struct template, extended_key_usage), "", 1, 16,
		NULL, NULL},
	{"extended_key_usage_critical", YAML_BOOL,
		offsetof(struct template, extended_key_usage_critical), "false", 0, 0, NULL, NULL},
	{"policies", YAML_LIST, offsetof(struct template, policies), "", 1, TEMPLATE_POLICIES, NULL,
		NULL},
	{"trust_policies", YAML_MAP, offsetof(struct template, trust_policies), "", 0, 0,
		&trust_policies_schema, NULL},
	{"authority_information", YAML_MAP, offsetof(struct template, authority_information), "", 0,
		0, &access_schema, NULL},
	{"extensions", YAML_LIST, offsetof(struct template, extensions), "", 1, 16,
		&extension_schema, NULL},
	{"skae", YAML_BOOL, offsetof(struct template, skae), "false", 0, 0, NULL, NULL},
	{"ssh", YAML_MAP, offsetof(struct template, ssh), "", 0, 0, &ssh_schema, NULL},
	{0},
};
static const struct yaml_schema template_schema = {
	sizeof(struct template), template_keys, offsetof(struct template, mark)};

/* One file being judged beyond what its schema says. */
struct judging {
	const char *file;
	struct problems *problems;
};

static void judge_value(const struct judging *judging, struct yaml_mark mark, const char *value)
{
	const char *wrong = variables_problem(value);

	if (wrong != NULL)
		problem_add(judging->problems, judging->file, mark, "%s", wrong);
}

static void judge_oid(const struct judging *judging, struct yaml_mark mark, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

	if (object == NULL)
		problem_add(judging->problems, judging->file, mark,
			"\"%s\" is no object identifier in dotted form", oid);
	ASN1_OBJECT_free(object);
}

static void judge_name(const struct judging *judging, const struct template_name *name)
{
	const struct template_attribute *attribute = name->directory_name.item;

	if ((name->directory_name.n > 0) == (name->permanent_identifier != NULL))
		problem_add(judging->problems, judging->file, name->mark,
			"wanted one of directory_name and permanent_identifier");
	if (name->optional && name->directory_name.n == 0)
		problem_add(judging->problems, judging->file, name->mark,
			"optional goes with directory_name only");
	if (name->permanent_identifier != NULL)
		judge_value(judging, name->mark, name->permanent_identifier);
	for (size_t i = 0; i < name->directory_name.n; i++) {
		judge_oid(judging, attribute[i].mark, attribute[i].type);
		judge_value(judging, attribute[i].mark, attribute[i].value);
	}
}

/* An empty list of names would be no subject alternative name (RFC 5280 4.2.1.6). */
static void judge_names(const struct judging *judging, const struct template_san *san)
{
	const struct template_name *names = san->names.item;
	bool has_certain = false;

	for (size_t i = 0; i < san->names.n; i++) {
		judge_name(judging, &names[i]);
		has_certain = has_certain || !names[i].optional;
	}
	if (!has_certain && san->names.n > 0)
		problem_add(judging->problems, judging->file, san->mark,
			"every name is optional: wanted one that each certificate has");
}

static bool is_same_oid(const char *a, const char *b)
{
	ASN1_OBJECT *of_a = OBJ_txt2obj(a, 1), *of_b = OBJ_txt2obj(b, 1);
	bool same = of_a != NULL && of_b != NULL && OBJ_cmp(of_a, of_b) == 0;

	ASN1_OBJECT_free(of_a);
	ASN1_OBJECT_free(of_b);
	return same;
}

/* `others`: the first `n` policies, which stand in the same certificate. */
static void judge_policy(const struct judging *judging, struct yaml_mark mark, const char *policy,
	char *const *others, size_t n)
{
	judge_oid(judging, mark, policy);
	if (is_same_oid(policy, OID_ANY_POLICY))
		problem_add(judging->problems, judging->file, mark,
			"%s is anyPolicy, which would stand for every other one too", policy);
	for (size_t i = 0; i < n; i++)
		if (is_same_oid(policy, others[i]))
			problem_add(judging->problems, judging->file, mark,
				"RFC 5280 4.2.1.4: the policy %s would be there twice", policy);
}

static void judge_policies(const struct judging *judging, const struct template *tmpl)
{
	char *const *policies = tmpl->policies.item;
	const struct template_trust_policies *trust = &tmpl->trust_policies;
	const char *const of_classes[] = {
		trust->manufacturer, trust->operator_import, trust->allow_list, trust->approved};

	for (size_t i = 0; i < tmpl->policies.n; i++)
		judge_policy(judging, tmpl->mark, policies[i], policies, i);
	for (size_t i = 0; i < COUNT(of_classes); i++)
		if (of_classes[i] != NULL)
			judge_policy(
				judging, trust->mark, of_classes[i], policies, tmpl->policies.n);
}

/* What certificates are recorded under: the database takes no other word. */
static bool is_word(const char *name)
{
	return strchr("._-", name[0]) == NULL &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

static void judge(const struct judging *judging, const struct template *tmpl)
{
	char *const *usages = tmpl->key_usage.item, *const *oids = tmpl->extended_key_usage.item;

	if (!is_word(tmpl->name))
		problem_add(judging->problems, judging->file, tmpl->mark,
			"\"%s\" can be no template's name: lower-case letters, digits, and inside "
			"also . _ and -",
			tmpl->name);
	if (!tmpl->san.critical)
		problem_add(judging->problems, judging->file, tmpl->san.mark,
			"RFC 5280 4.2.1.6: with an empty subject the subject alternative name is "
			"critical");
	judge_names(judging, &tmpl->san);
	for (size_t i = 0; i < tmpl->key_usage.n; i++)
		if (usage_bit(usages[i]) < 0)
			problem_add(judging->problems, judging->file, tmpl->mark,
				"\"%s\" is no key usage of RFC 5280 4.2.1.3", usages[i]);
	for (size_t i = 0; i < tmpl->extended_key_usage.n; i++)
		judge_oid(judging, tmpl->mark, oids[i]);
	judge_policies(judging, tmpl);
}

static void load_one(struct templates *templates, const char *path, struct problems *problems)
{
	struct template *tmpl = &templates->item[templates->n];
	struct judging judging = {path, problems};
	AUTO(buf_free) struct buf text = BUF(1 << 17);
	uint8_t digest[SHA256_SIZE];

	/* Read once: the digest is that of what was taken, also when the file is just replaced. */
	if (file_read(path, &text) != OK || SHA256_OF(digest, buf_view(&text)) != OK) {
		problem_add_failure(problems);
		return;
	}
	if (yaml_read(buf_view(&text), path, &template_schema, tmpl, problems) != OK)
		return;
	memcpy(tmpl->digest, digest, sizeof(digest));
	if ((tmpl->path = strdup(path)) == NULL)
		problem_add(problems, path, tmpl->mark, "out of memory");
	if (template_named(templates, tmpl->name) != NULL)
		problem_add(
			problems, path, tmpl->mark, "a second template named \"%s\"", tmpl->name);
	templates->n++;
	judge(&judging, tmpl);
}

static int is_template(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".yaml") == 0;
}

static void load_all(struct templates *templates, const char *dir, struct problems *problems)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_template, alphasort);

	if (n <= 0)
		problem_add(problems, dir, (struct yaml_mark){0}, "%s",
			n < 0 ? strerror(errno) : "no template (*.yaml) in this directory");
	for (int i = 0; i < n; i++) {
		AUTO(mem_free) char *path = path_join(dir, entries[i]->d_name);

		if (path == NULL)
			problem_add(problems, dir, (struct yaml_mark){0}, "out of memory");
		else if (templates->n < TEMPLATES_MAX)
			load_one(templates, path, problems);
		free(entries[i]);
	}
	free(entries);
	if (n > TEMPLATES_MAX)
		problem_add(problems, dir, (struct yaml_mark){0}, "more than %d templates",
			TEMPLATES_MAX);
}

enum err templates_load(const char *dir, struct problems *problems, struct templates **out)
{
	AUTO(templates_free) struct templates *templates = calloc(1, sizeof(*templates));
	size_t before = problems->n;

	if (templates == NULL ||
		(templates->item = calloc(TEMPLATES_MAX, sizeof(*templates->item))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "templates_load");
	load_all(templates, dir, problems);
	if (problems->n != before)
		return fail(ERR_MALFORMED, "templates", "%s: %zu problem(s)", dir,
			problems->n - before);
	*out = MOVE(templates);
	return OK;
}

void templates_free(struct templates **templates)
{
	if (*templates == NULL)
		return;
	for (size_t i = 0; i < (*templates)->n; i++) {
		free((*templates)->item[i].path);
		yaml_release(&template_schema, &(*templates)->item[i]);
	}
	free((*templates)->item);
	free(*templates);
	*templates = NULL;
}

const struct template *template_at(const struct templates *templates, size_t index)
{
	return index < templates->n ? &templates->item[index] : NULL;
}

const struct template *template_named(const struct templates *templates, const char *name)
{
	for (size_t i = 0; i < templates->n; i++)
		if (strcmp(templates->item[i].name, name) == 0)
			return &templates->item[i];
	return NULL;
}

enum template_kind template_kind(const struct template *tmpl)
{
	size_t i = 0;

	while (strcmp(kinds[i], tmpl->kind) != 0)
		i++;
	return (enum template_kind)i;
}

enum template_key template_key(const struct template *tmpl)
{
	size_t i = 0;

	while (strcmp(keys[i], tmpl->key) != 0)
		i++;
	return (enum template_key)i;
}

const char *template_trust_policy(const struct template *tmpl, const char *trust_class)
{
	for (const struct yaml_key *key = trust_policies_keys; key->name != NULL; key++)
		if (strcmp(key->name, trust_class) == 0)
			return *(char *const *)((const char *)&tmpl->trust_policies + key->offset);
	return NULL;
}
