#include "ca/san.h"

#include <ctype.h>
#include <openssl/asn1t.h>
#include <string.h>

#define OID_PERMANENT_IDENTIFIER "1.3.6.1.5.5.7.8.3"

/* RFC 4043 2: PermanentIdentifier ::= SEQUENCE { identifierValue UTF8String OPTIONAL, assigner
 * OBJECT IDENTIFIER OPTIONAL } */
struct permanent_identifier {
	ASN1_UTF8STRING *value;
	ASN1_OBJECT *assigner;
};

/* clang-format off */
ASN1_SEQUENCE(permanent_identifier) = {
	ASN1_OPT(struct permanent_identifier, value, ASN1_UTF8STRING),
	ASN1_OPT(struct permanent_identifier, assigner, ASN1_OBJECT),
} static_ASN1_SEQUENCE_END_name(struct permanent_identifier, permanent_identifier);
/* clang-format on */

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

static enum err expand(const char *text, const struct grant *grant, const char **out)
{
	enum variable variable = variable_read(text);
	const char *value = variable == VARIABLES ? text : lookup(grant, variable);
	size_t n = value == NULL ? 0 : strlen(value);

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
	const struct yaml_list *attributes, const struct grant *grant, GENERAL_NAME *out)
{
	const struct template_attribute *attribute = attributes->item;
	X509_NAME *name = X509_NAME_new();

	if (name == NULL)
		return no_memory();
	GENERAL_NAME_set0_value(out, GEN_DIRNAME, name);
	for (size_t i = 0; i < attributes->n; i++)
		TRY(add_attribute(name, &attribute[i], grant));
	return OK;
}

static ASN1_TYPE *permanent_identifier_value(const char *text)
{
	ASN1_UTF8STRING *value = ASN1_UTF8STRING_new();
	struct permanent_identifier identifier = {.value = value};
	ASN1_TYPE *type = NULL;

	if (value != NULL && ASN1_STRING_set(value, text, -1) == 1)
		type = ASN1_TYPE_pack_sequence(
			ASN1_ITEM_rptr(permanent_identifier), &identifier, NULL);
	ASN1_UTF8STRING_free(value);
	return type;
}

static enum err permanent_identifier(const char *text, const struct grant *grant, GENERAL_NAME *out)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_PERMANENT_IDENTIFIER, 1);
	ASN1_TYPE *value = NULL;
	const char *identifier;
	enum err err = expand(text, grant, &identifier);

	if (err == OK && (oid == NULL || (value = permanent_identifier_value(identifier)) == NULL ||
				 GENERAL_NAME_set0_othername(out, oid, value) != 1))
		err = no_memory();
	if (err != OK) {
		ASN1_OBJECT_free(oid);
		ASN1_TYPE_free(value);
	}
	return err;
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
			TRY(directory_name(&each[i].directory_name, grant, name));
		if (sk_GENERAL_NAME_push(names, name) <= 0)
			return no_memory();
		name = NULL;
	}
	*out = MOVE(names);
	return OK;
}
