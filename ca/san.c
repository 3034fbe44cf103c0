#include "ca/san.h"

#include "ca/identifier.h"
#include "ca/variable.h"

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

static void name_free(GENERAL_NAME **name)
{
	GENERAL_NAME_free(*name);
}

/* One RDN for each attribute: verifiers exist that read only one of a multi-valued RDN. */
static enum err add_attribute(
	X509_NAME *name, const struct template_attribute *attribute, const struct grant *grant)
{
	ASN1_OBJECT *type = OBJ_txt2obj(attribute->type, 1);
	AUTO(buf_free) struct buf value = BUF(1024);
	enum err err = variables_expand(attribute->value, TEXT_PRINTABLE, grant, &value);

	if (err == OK && (type == NULL || X509_NAME_add_entry_by_OBJ(name, type, V_ASN1_UTF8STRING,
						  value.p, (int)value.n, -1, 0) != 1))
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
		if (!template->optional || !variables_unproven(attribute[i].value, grant))
			TRY(add_attribute(name, &attribute[i], grant));
	return OK;
}

static enum err permanent_identifier(const char *text, const struct grant *grant, GENERAL_NAME *out)
{
	AUTO(buf_free) struct buf value = BUF(1024);

	TRY(variables_expand(text, TEXT_PRINTABLE, grant, &value));
	return identifier_set(out, buf_text(&value));
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
