/* template.h - what a certificate of one kind looks like, from a YAML file that is read once. */
#pragma once

#include "ca/base/crypt.h"
#include "ca/base/yaml.h"

/* What a template may speak of: a closed set, each filled from the grant. */
enum variable {
	VARIABLE_HOST, /* ${host} */
	VARIABLE_DEVICE_ID, /* ${device.id} */
	VARIABLE_TPM_MANUFACTURER, /* ${tpm.manufacturer} */
	VARIABLE_TPM_MODEL, /* ${tpm.model} */
	VARIABLE_TPM_VERSION, /* ${tpm.version} */
	VARIABLES
};

/* The variable that a text is from end to end; VARIABLES when it is none of them. */
enum variable variable_read(const char *text);

struct template_attribute {
	char *type; /* OID, dotted */
	char *value; /* one variable or plain text */
	struct yaml_mark mark;
};

/* One name of the subject alternative name; exactly one member is set. */
struct template_name {
	struct yaml_list directory_name; /* of struct template_attribute, one RDN each */
	char *permanent_identifier; /* RFC 4043 */
	bool optional; /* a directory name does without what nothing has proven of a TPM */
	struct yaml_mark mark;
};

struct template_san {
	bool critical;
	struct yaml_list names; /* of struct template_name */
	struct yaml_mark mark;
};

#define TEMPLATE_POLICIES 16

/* What is stated of how the EK came to be trusted, by trust class: OIDs, dotted; NULL: nothing. */
struct template_trust_policies {
	char *manufacturer, *operator_import, *allow_list, *approved;
	struct yaml_mark mark;
};

struct template
{
	char *name;
	int64_t version;
	char *kind; /* "x509" */
	char *key; /* "ak" */
	int64_t lifetime, backdate; /* seconds */
	struct template_san san;
	struct yaml_list key_usage; /* of char *, RFC 5280 4.2.1.3 */
	struct yaml_list extended_key_usage; /* of char *, OIDs, dotted */
	struct yaml_list policies; /* of char *, OIDs, dotted; RFC 5280 4.2.1.4 */
	struct template_trust_policies trust_policies;
	struct yaml_mark mark;
	uint8_t digest[SHA256_SIZE]; /* of the file */
};

struct templates; /* immutable once loaded */

/*
 * Loads every *.yaml of a directory. What is wrong is added to `problems`, for all files.
 * `*out` is the caller's, for templates_free(). ERR_MALFORMED "templates" with any problem, or when
 * there is no template, or more than 64.
 */
CHECKED enum err templates_load(const char *dir, struct problems *problems, struct templates **out);
void templates_free(struct templates **templates);

/* In the order of their files; NULL beyond the last. */
const struct template *template_at(const struct templates *templates, size_t index);

/* NULL when there is no template of that name. */
const struct template *template_named(const struct templates *templates, const char *name);

/* The policy for EKs of a trust class, "allow-list"; NULL when the template names none for it. */
const char *template_trust_policy(const struct template *tmpl, const char *trust_class);
