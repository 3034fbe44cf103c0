#include "ca/template_schema.h"

#include "ca/base/clock.h"
#include "ca/extra.h"
#include "ca/template.h"

#include <stddef.h>
#include <string.h>

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

static const struct yaml_key extension_keys[] = {
	{"oid", YAML_TEXT, offsetof(struct template_extension, oid), NULL, 3, 64, NULL, NULL},
	{"critical", YAML_BOOL, offsetof(struct template_extension, critical), "false", 0, 0, NULL,
		NULL},
	{"type", YAML_TEXT, offsetof(struct template_extension, type), NULL, 1, 16, NULL,
		extra_types},
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

const char *const template_kinds[] = {"x509", "ssh-host", "ssh-user", NULL};
const char *const template_key_words[] = {"ak", "certified", "any", NULL};
static const char *const revocation_words[] = {"none", "crl", "ocsp", "both", NULL};

static const struct yaml_key template_keys[] = {
	{"name", YAML_TEXT, offsetof(struct template, name), NULL, 1, 64, NULL, NULL},
	{"version", YAML_WHOLE, offsetof(struct template, version), NULL, 1, 1000000, NULL, NULL},
	{"kind", YAML_TEXT, offsetof(struct template, kind), NULL, 1, 16, NULL, template_kinds},
	{"key", YAML_TEXT, offsetof(struct template, key), NULL, 1, 16, NULL, template_key_words},
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
	{"revocation", YAML_TEXT, offsetof(struct template, revocation), "", 1, 16, NULL,
		revocation_words},
	{"extensions", YAML_LIST, offsetof(struct template, extensions), "", 1, 16,
		&extension_schema, NULL},
	{"skae", YAML_BOOL, offsetof(struct template, skae), "false", 0, 0, NULL, NULL},
	{"ssh", YAML_MAP, offsetof(struct template, ssh), "", 0, 0, &ssh_schema, NULL},
	{0},
};
const struct yaml_schema template_schema = {
	sizeof(struct template), template_keys, offsetof(struct template, mark)};

const char *template_trust_policy(const struct template *tmpl, const char *trust_class)
{
	for (const struct yaml_key *key = trust_policies_keys; key->name != NULL; key++)
		if (strcmp(key->name, trust_class) == 0)
			return *(char *const *)((const char *)&tmpl->trust_policies + key->offset);
	return NULL;
}

static bool tells(const struct template *tmpl, const char *word)
{
	return tmpl->revocation == NULL || strcmp(tmpl->revocation, "both") == 0 ||
	       strcmp(tmpl->revocation, word) == 0;
}

bool template_tells_crl(const struct template *tmpl)
{
	return tells(tmpl, "crl");
}

bool template_tells_ocsp(const struct template *tmpl)
{
	return tells(tmpl, "ocsp");
}
