#include "ca/san.h"

#include "ca/identifier.h"

#include <ctype.h>
#include <string.h>

void san_free(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
	*names = NULL;
}

static enum err no_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "san_build");
}

static const char *lookup(const struct grant *grant, enum variable variable)
{
	switch (variable) {
	case VARIABLE_HOST:
		return grant->host;
	case VARIABLE_DEVICE_ID:
		return grant->device_id;
	case VARIABLE_TPM_MANUFACTURER:
		return grant->tpm_manufacturer;
	case VARIABLE_TPM_MODEL:
		return grant->tpm_model;
	case VARIABLE_TPM_VERSION:
		return grant->tpm_version;
	case VARIABLES:
		break;
	}
	return NULL;
}

/* What nobody but a manufacturer's certificate tells: a TPM may be trusted without one. */
static bool is_tpm_fact(enum variable variable)
{
	return variable == VARIABLE_TPM_MANUFACTURER || variable == VARIABLE_TPM_MODEL ||
	       variable == VARIABLE_TPM_VERSION;
}

static bool is_unproven(const char *text, const struct grant *grant)
{
	enum variable variable = variable_read(text);
	const char *value = lookup(grant, variable);

	return is_tpm_fact(variable) && (value == NULL || value[0] == '\0');
}

static enum err expand(const char *text, const struct grant *grant, const char **out)
{
	enum variable variable = variable_read(text);
	const char *value = variable == VARIABLES ? text : lookup(grant, variable);
	size_t n = value == NULL ? 0 : strlen(value);

	if (is_unproven(text, grant))
		return refuse(ERR_REJECTED, "template-needs-tpm-facts",
			"endorse-template(5) optional",
			"certificates of the template \"%s\" state %s, and no manufacturer's "
			"certificate has proven it of this TPM; the service's operator can make it "
			"optional in that template",
			grant->template, text);
	if (n == 0 || n > 128)
		return fail(
			ERR_INTERNAL, "template-value", "%s has no value, or one too long", text);
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)value[i]))
			return fail(ERR_INTERNAL, "template-value", "%s is not printable", text);
	*out = value;
	return OK;
}

static void name_free(GENERAL_NAME **name)
{
	GENERAL_NAME_free(*name);
}

/* One RDN for each attribute: verifiers exist that read only one of a multi-valued RDN. */
static enum err add_attribute(
	X509_NAME *name, const struct template_attribute *attribute, const struct grant *grant)
{
	ASN1_OBJECT *type = OBJ_txt2obj(attribute->type, 1);
	const char *value;
	enum err err = expand(attribute->value, grant, &value);

	if (err == OK && (type == NULL || X509_NAME_add_entry_by_OBJ(name, type, V_ASN1_UTF8STRING,
						  (const uint8_t *)value, -1, -1, 0) != 1))
		err = no_memory();
	ASN1_OBJECT_free(type);
	return err;
}

static enum err directory_name(
	const struct template_name *template, const struct grant *grant, GENERAL_NAME *out)
{
	const struct template_attribute *attribute = template->directory_name.item;
	X509_NAME *name = X509_NAME_new();

	if (name == NULL)
		return no_memory();
	GENERAL_NAME_set0_value(out, GEN_DIRNAME, name);
	for (size_t i = 0; i < template->directory_name.n; i++)
		if (!template->optional || !is_unproven(attribute[i].value, grant))
			TRY(add_attribute(name, &attribute[i], grant));
	return OK;
}

static enum err permanent_identifier(const char *text, const struct grant *grant, GENERAL_NAME *out)
{
	const char *value;

	TRY(expand(text, grant, &value));
	return identifier_set(out, value);
}

static bool is_empty(const GENERAL_NAME *name)
{
	return name->type == GEN_DIRNAME && X509_NAME_entry_count(name->d.directoryName) == 0;
}

enum err san_build(const struct template_san *san, const struct grant *grant, GENERAL_NAMES **out)
{
	AUTO(san_free) GENERAL_NAMES *names = GENERAL_NAMES_new();
	const struct template_name *each = san->names.item;

	if (names == NULL)
		return no_memory();
	for (size_t i = 0; i < san->names.n; i++) {
		AUTO(name_free) GENERAL_NAME *name = GENERAL_NAME_new();

		if (name == NULL)
			return no_memory();
		if (each[i].permanent_identifier != NULL)
			TRY(permanent_identifier(each[i].permanent_identifier, grant, name));
		else
			TRY(directory_name(&each[i], grant, name));
		if (is_empty(name))
			continue;
		if (sk_GENERAL_NAME_push(names, name) <= 0)
			return no_memory();
		name = NULL;
	}
	*out = MOVE(names);
	return OK;
}
