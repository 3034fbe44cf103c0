#include "ca/template_judge.h"

#include "ca/extra.h"
#include "ca/usage.h"
#include "ca/variable.h"

#include <openssl/objects.h>
#include <string.h>

#define OID_ANY_POLICY "2.5.29.32.0" /* RFC 5280 4.2.1.4 */

struct judging {
	const char *file;
	struct problems *problems;
};

#define PROBLEM(mark, ...) problem_add(judging->problems, judging->file, (mark), __VA_ARGS__)

static void judge_text(
	const struct judging *judging, struct yaml_mark mark, const char *text, enum text_type type)
{
	const char *wrong = text_problem(text, type);

	if (wrong != NULL)
		PROBLEM(mark, "%s", wrong);
}

static void judge_variables(const struct judging *judging, struct yaml_mark mark, const char *text)
{
	const char *wrong = text == NULL ? NULL : variables_problem(text);

	if (wrong != NULL)
		PROBLEM(mark, "%s", wrong);
}

static void judge_oid(const struct judging *judging, struct yaml_mark mark, const char *oid)
{
	if (!text_is(oid, TEXT_OID))
		PROBLEM(mark, "\"%s\" is no object identifier in dotted form", oid);
}

/* Each RDN of a subject or of a directory name. */
static void judge_attributes(const struct judging *judging, const struct yaml_list *attributes)
{
	const struct template_attribute *attribute = attributes->item;

	for (size_t i = 0; i < attributes->n; i++) {
		judge_oid(judging, attribute[i].mark, attribute[i].type);
		judge_text(judging, attribute[i].mark, attribute[i].value, TEXT_UTF8);
	}
}

static void judge_hardware(const struct judging *judging, const struct template_hardware *hardware)
{
	if (hardware->type == NULL || hardware->serial == NULL) {
		PROBLEM(hardware->mark,
			"RFC 4108 5: a hardware_module_name has both type and serial");
		return;
	}
	judge_oid(judging, hardware->mark, hardware->type);
	judge_text(judging, hardware->mark, hardware->serial, TEXT_PRINTABLE);
}

static void judge_name(const struct judging *judging, const struct template_name *name)
{
	const bool has_hardware = name->hardware_module_name.mark.line > 0;

	if ((name->directory_name.n > 0) + (name->permanent_identifier != NULL) +
			(name->dns_name != NULL) + (name->uri != NULL) + has_hardware !=
		1)
		PROBLEM(name->mark, "wanted one of directory_name, permanent_identifier, dns_name, "
				    "uri and hardware_module_name");
	if (name->optional && name->directory_name.n == 0)
		PROBLEM(name->mark, "optional goes with directory_name only");
	judge_attributes(judging, &name->directory_name);
	if (name->permanent_identifier != NULL)
		judge_text(judging, name->mark, name->permanent_identifier, TEXT_PRINTABLE);
	if (name->dns_name != NULL)
		judge_text(judging, name->mark, name->dns_name, TEXT_DNS);
	if (name->uri != NULL)
		judge_text(judging, name->mark, name->uri, TEXT_URI);
	if (has_hardware)
		judge_hardware(judging, &name->hardware_module_name);
}

/* An empty list of names would be no subject alternative name (RFC 5280 4.2.1.6). */
static void judge_names(const struct judging *judging, const struct template *tmpl)
{
	const struct template_san *san = &tmpl->san;
	const struct template_name *names = san->names.item;
	bool has_certain = false;

	if (san->mark.line == 0) {
		if (tmpl->subject.n == 0)
			PROBLEM(tmpl->mark, "RFC 5280 4.1.2.6: a certificate has a subject, a "
					    "subject_alt_name, or both");
		return;
	}
	if (tmpl->subject.n == 0 && !san->critical)
		PROBLEM(san->mark,
			"RFC 5280 4.2.1.6: with an empty subject the subject alternative "
			"name is critical");
	for (size_t i = 0; i < san->names.n; i++) {
		judge_name(judging, &names[i]);
		has_certain = has_certain || !names[i].optional;
	}
	if (san->names.n == 0)
		PROBLEM(san->mark, "the key \"names\" is missing");
	else if (!has_certain)
		PROBLEM(san->mark, "every name is optional: wanted one that each certificate has");
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
		PROBLEM(mark, "%s is anyPolicy, which would stand for every other one too", policy);
	for (size_t i = 0; i < n; i++)
		if (is_same_oid(policy, others[i]))
			PROBLEM(mark, "RFC 5280 4.2.1.4: the policy %s would be there twice",
				policy);
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

/* Is it an extension that issuing has a key for, or makes by itself? */
static bool is_ours(const char *oid)
{
	static const char *const ours[] = {"1.3.6.1.5.5.7.1.1", /* authorityInfoAccess */
		"2.23.133.6.1", "2.23.133.6.1.0", "2.23.133.6.1.1"}; /* SKAE */
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	char dotted[160] = "";
	bool is;

	/* As it is written, zeros before a number would hide it. */
	OBJ_obj2txt(dotted, sizeof(dotted), object, 1);
	ASN1_OBJECT_free(object);
	is = strncmp(dotted, "2.5.29.", 7) == 0;
	for (size_t i = 0; i < COUNT(ours); i++)
		is = is || strcmp(dotted, ours[i]) == 0;
	return is;
}

static void judge_extensions(const struct judging *judging, const struct template *tmpl)
{
	const struct template_extension *extension = tmpl->extensions.item;

	for (size_t i = 0; i < tmpl->extensions.n; i++) {
		const char *wrong = extra_problem(&extension[i]);

		if (!text_is(extension[i].oid, TEXT_OID))
			judge_oid(judging, extension[i].mark, extension[i].oid);
		else if (is_ours(extension[i].oid))
			PROBLEM(extension[i].mark,
				"the extension %s has a key of its own, or every certificate has "
				"it",
				extension[i].oid);
		if (wrong != NULL)
			PROBLEM(extension[i].mark, "%s", wrong);
		for (size_t k = 0; k < i; k++)
			if (is_same_oid(extension[i].oid, extension[k].oid))
				PROBLEM(extension[i].mark,
					"RFC 5280 4.2: the extension %s would be there twice",
					extension[i].oid);
	}
}

/* RFC 5280 4.2.2.1: where everybody may fetch it, so no device has a part in it. */
static void judge_access(const struct judging *judging, const struct template *tmpl)
{
	const struct template_access *access = &tmpl->authority_information;
	const char *const urls[] = {access->ca_issuers, access->ocsp};

	if (access->mark.line > 0 && access->ca_issuers == NULL && access->ocsp == NULL)
		PROBLEM(access->mark, "wanted ca_issuers, ocsp or both");
	for (size_t i = 0; i < COUNT(urls); i++)
		if (urls[i] != NULL &&
			(strchr(urls[i], '$') != NULL || !text_is(urls[i], TEXT_URI)))
			PROBLEM(access->mark, "\"%.60s\": wanted a URL without variables", urls[i]);
	if (access->ocsp != NULL && !template_tells_ocsp(tmpl))
		PROBLEM(access->mark, "ocsp does not go with revocation: %s", tmpl->revocation);
}

static void judge_usages(const struct judging *judging, const struct template *tmpl)
{
	char *const *usages = tmpl->key_usage.item, *const *oids = tmpl->extended_key_usage.item;

	if (tmpl->key_usage.n == 0)
		PROBLEM(tmpl->mark, "the key \"key_usage\" is missing, which kind x509 wants");
	/* Without one a certificate is good for anything: an AK's for TLS. */
	if (tmpl->extended_key_usage.n == 0)
		PROBLEM(tmpl->mark,
			"the key \"extended_key_usage\" is missing, which kind x509 wants");
	for (size_t i = 0; i < tmpl->key_usage.n; i++)
		if (usage_bit(usages[i]) < 0)
			PROBLEM(tmpl->mark, "\"%s\" is no key usage of RFC 5280 4.2.1.3",
				usages[i]);
	for (size_t i = 0; i < tmpl->extended_key_usage.n; i++)
		judge_oid(judging, tmpl->mark, oids[i]);
}

static void judge_x509(const struct judging *judging, const struct template *tmpl)
{
	if (tmpl->ssh.mark.line > 0)
		PROBLEM(tmpl->ssh.mark, "ssh is of kind ssh-host and ssh-user, not of x509");
	judge_attributes(judging, &tmpl->subject);
	judge_names(judging, tmpl);
	judge_usages(judging, tmpl);
	judge_policies(judging, tmpl);
	judge_access(judging, tmpl);
	judge_extensions(judging, tmpl);
	if (tmpl->skae && template_key(tmpl) != TEMPLATE_KEY_CERTIFIED)
		PROBLEM(tmpl->mark,
			"skae is what the AK said of the key, and goes with key: certified only");
}

/* What of an X.509 certificate an OpenSSH certificate cannot have. */
static void judge_foreign(const struct judging *judging, const struct template *tmpl)
{
	const struct {
		const char *key;
		bool is_there;
	} rows[] = {
		{"subject", tmpl->subject.n > 0},
		{"subject_alt_name", tmpl->san.mark.line > 0},
		{"key_usage", tmpl->key_usage.n > 0},
		{"extended_key_usage", tmpl->extended_key_usage.n > 0},
		{"extended_key_usage_critical", tmpl->extended_key_usage_critical},
		{"policies", tmpl->policies.n > 0},
		{"trust_policies", tmpl->trust_policies.mark.line > 0},
		{"authority_information", tmpl->authority_information.mark.line > 0},
		{"revocation", tmpl->revocation != NULL},
		{"extensions", tmpl->extensions.n > 0},
		{"skae", tmpl->skae},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].is_there)
			PROBLEM(tmpl->mark, "%s is of kind x509, not of %s", rows[i].key,
				tmpl->kind);
}

static void judge_options(const struct judging *judging, const struct yaml_list *options)
{
	const struct template_ssh_option *option = options->item;

	for (size_t i = 0; i < options->n; i++) {
		judge_variables(judging, option[i].mark, option[i].value);
		for (size_t k = 0; k < i; k++)
			if (strcmp(option[i].name, option[k].name) == 0)
				PROBLEM(option[i].mark, "%s would be there twice", option[i].name);
	}
}

static void judge_ssh(const struct judging *judging, const struct template *tmpl)
{
	const struct template_ssh *ssh = &tmpl->ssh;
	char *const *principals = ssh->principals.item;

	judge_foreign(judging, tmpl);
	if (ssh->principals.n == 0)
		PROBLEM(ssh->mark.line > 0 ? ssh->mark : tmpl->mark,
			"ssh has no principals: such a certificate would be good for every name");
	for (size_t i = 0; i < ssh->principals.n; i++)
		judge_text(judging, ssh->mark, principals[i], TEXT_PRINCIPAL);
	judge_variables(judging, ssh->mark, ssh->key_id);
	judge_options(judging, &ssh->critical_options);
	judge_options(judging, &ssh->extensions);
	if (template_kind(tmpl) == TEMPLATE_SSH_HOST &&
		ssh->critical_options.n + ssh->extensions.n > 0)
		PROBLEM(ssh->mark,
			"PROTOCOL.certkeys: critical_options and extensions are of ssh-user only");
}

/* What certificates are recorded under: the database takes no other word. */
static bool is_word(const char *name)
{
	return strchr("._-", name[0]) == NULL &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

void template_judge(const struct template *tmpl, const char *file, struct problems *problems)
{
	const struct judging it = {file, problems}, *judging = &it;

	if (!is_word(tmpl->name))
		PROBLEM(tmpl->mark,
			"\"%s\" can be no template's name: lower-case letters, digits, and inside "
			"also . _ and -",
			tmpl->name);
	if (tmpl->decrypt && template_key(tmpl) != TEMPLATE_KEY_CERTIFIED)
		PROBLEM(tmpl->mark, "decrypt goes with key: certified only: an AK signs only, and "
				    "of other keys nobody knows");
	if (template_kind(tmpl) == TEMPLATE_X509)
		judge_x509(judging, tmpl);
	else
		judge_ssh(judging, tmpl);
}
