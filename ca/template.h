/* template.h - what a certificate of one kind looks like, from a YAML file that is read once. */
#pragma once

#include "ca/base/crypt.h"
#include "ca/base/yaml.h"

/*
 * Texts of a template may have variables in them, "urn:ek:sha256:${ek.sha256.base64}": see
 * variable.h.
 */

struct template_attribute {
	char *type; /* OID, dotted */
	char *value;
	struct yaml_mark mark;
};

struct template_hardware {
	char *type; /* OID, dotted; NULL: there is no such name */
	char *serial;
	struct yaml_mark mark;
};

/* One name of the subject alternative name; exactly one member is set. */
struct template_name {
	struct yaml_list directory_name; /* of struct template_attribute, one RDN each */
	char *permanent_identifier; /* RFC 4043 */
	char *dns_name;
	char *uri;
	struct template_hardware hardware_module_name; /* RFC 4108 5 */
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

/* RFC 5280 4.2.2.1; NULL: none. */
struct template_access {
	char *ca_issuers, *ocsp; /* URLs */
	struct yaml_mark mark;
};

/* An extension that we have no word for; its value is typed, never raw syntax. */
struct template_extension {
	char *oid;
	bool critical;
	char *type; /* "utf8", "printable", "ia5", "integer", "boolean", "oid", "null" */
	char *value;
	struct yaml_mark mark;
};

/* A critical option or an extension of an OpenSSH certificate: a flag has no value. */
struct template_ssh_option {
	char *name;
	char *value; /* NULL: a flag */
	struct yaml_mark mark;
};

struct template_ssh {
	struct yaml_list principals; /* of char *; never empty in what is issued */
	char *key_id; /* "${device.id}" unless given */
	/* Of struct template_ssh_option; user certificates only. */
	struct yaml_list critical_options, extensions;
	struct yaml_mark mark;
};

enum template_kind { TEMPLATE_X509, TEMPLATE_SSH_HOST, TEMPLATE_SSH_USER };
/*
 * Which key it may certify: the AK, one that the AK certified, or one that the proven device
 * vouches for.
 */
enum template_key { TEMPLATE_KEY_AK, TEMPLATE_KEY_CERTIFIED, TEMPLATE_KEY_ANY };

struct template
{
	char *name;
	int64_t version;
	char *kind; /* "x509", "ssh-host", "ssh-user"; see template_kind() */
	char *key; /* "ak", "certified", "any"; see template_key() */
	bool decrypt; /* a certified key may also decrypt */
	int64_t lifetime, backdate; /* seconds */
	/* What follows is for kind x509 ... */
	struct yaml_list subject; /* of struct template_attribute, one RDN each; empty: none */
	struct template_san san;
	struct yaml_list key_usage; /* of char *, RFC 5280 4.2.1.3 */
	struct yaml_list extended_key_usage; /* of char *, OIDs, dotted */
	bool extended_key_usage_critical;
	struct yaml_list policies; /* of char *, OIDs, dotted; RFC 5280 4.2.1.4 */
	struct template_trust_policies trust_policies;
	struct template_access authority_information;
	char *revocation; /* "none", "crl", "ocsp", "both", NULL: both; see template_tells_crl() */
	struct yaml_list extensions; /* of struct template_extension */
	bool skae; /* carries what the AK said of the key, see skae.h */
	/* ... and this for ssh-host and ssh-user. */
	struct template_ssh ssh;
	struct yaml_mark mark;
	uint8_t digest[SHA256_SIZE]; /* of the file */
	char *path; /* of the file */
};
enum template_kind template_kind(const struct template *tmpl);
enum template_key template_key(const struct template *tmpl);

/* Do its certificates say where a CRL, or OCSP, tells what became of them? Of kind x509. */
bool template_tells_crl(const struct template *tmpl);
bool template_tells_ocsp(const struct template *tmpl);

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

/* Does any text of the template use this variable? See variables_use(). */
bool template_uses(const struct template *tmpl, const char *variable);

/* The policy for EKs of a trust class, "allow-list"; NULL when the template names none for it. */
const char *template_trust_policy(const struct template *tmpl, const char *trust_class);
