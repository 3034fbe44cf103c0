#include "ca/san.h"

#include "ca/hardware.h"
#include "ca/identifier.h"
#include "ca/subject.h"
#include "ca/variable.h"

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

static enum err directory_name(
	const struct template_name *template, const struct grant *grant, GENERAL_NAME *out)
{
	X509_NAME *name = X509_NAME_new();

	if (name == NULL)
		return no_memory();
	GENERAL_NAME_set0_value(out, GEN_DIRNAME, name);
	return subject_build(&template->directory_name, template->optional, grant, name);
}

static enum err permanent_identifier(const char *text, const struct grant *grant, GENERAL_NAME *out)
{
	AUTO(buf_free) struct buf value = BUF(1024);

	TRY(variables_expand(text, TEXT_PRINTABLE, grant, &value));
	return identifier_set(out, buf_text(&value));
}

static enum err hardware_module_name(
	const struct template_hardware *hardware, const struct grant *grant, GENERAL_NAME *out)
{
	AUTO(buf_free) struct buf serial = BUF(1024);

	TRY(variables_expand(hardware->serial, TEXT_PRINTABLE, grant, &serial));
	return hardware_set(out, hardware->type, buf_text(&serial));
}

/* A dNSName or a URI: `type` says which, to OpenSSL and to us. */
static enum err plain(const char *text, int type, const struct grant *grant, GENERAL_NAME *out)
{
	AUTO(buf_free) struct buf value = BUF(1024);
	ASN1_IA5STRING *string;

	TRY(variables_expand(text, type == GEN_DNS ? TEXT_DNS : TEXT_URI, grant, &value));
	string = ASN1_IA5STRING_new();
	if (string == NULL || ASN1_STRING_set(string, value.p, (int)value.n) != 1) {
		ASN1_IA5STRING_free(string);
		return no_memory();
	}
	GENERAL_NAME_set0_value(out, type, string);
	return OK;
}

static enum err name_build(
	const struct template_name *template, const struct grant *grant, GENERAL_NAME *out)
{
	if (template->permanent_identifier != NULL)
		return permanent_identifier(template->permanent_identifier, grant, out);
	if (template->hardware_module_name.type != NULL)
		return hardware_module_name(&template->hardware_module_name, grant, out);
	if (template->dns_name != NULL)
		return plain(template->dns_name, GEN_DNS, grant, out);
	if (template->uri != NULL)
		return plain(template->uri, GEN_URI, grant, out);
	return directory_name(template, grant, out);
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
		TRY(name_build(&each[i], grant, name));
		if (is_empty(name))
			continue;
		if (sk_GENERAL_NAME_push(names, name) <= 0)
			return no_memory();
		name = NULL;
	}
	*out = MOVE(names);
	return OK;
}
