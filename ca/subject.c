#include "ca/subject.h"

#include "ca/variable.h"

#include <openssl/err.h>
#include <openssl/objects.h>

/* One RDN for each attribute: verifiers exist that read only one of a multi-valued RDN. */
static enum err add_attribute(
	const struct template_attribute *attribute, const struct grant *grant, X509_NAME *out)
{
	AUTO(buf_free) struct buf value = BUF(1024);
	ASN1_OBJECT *type;
	bool added;

	TRY(variables_expand(attribute->value, TEXT_UTF8, grant, &value));
	type = OBJ_txt2obj(attribute->type, 1);
	added = type != NULL && X509_NAME_add_entry_by_OBJ(out, type, MBSTRING_UTF8, value.p,
					(int)value.n, -1, 0) == 1;
	ASN1_OBJECT_free(type);
	if (added)
		return OK;
	ERR_clear_error();
	return refuse(ERR_REJECTED, "template-value", "RFC 5280 A.1",
		"of this device, \"%.128s\" in the template \"%s\" would not be what the attribute "
		"%.64s can be: it is too long, or has other characters",
		attribute->value, grant->template, attribute->type);
}

enum err subject_build(const struct yaml_list *attributes, bool is_optional,
	const struct grant *grant, X509_NAME *out)
{
	const struct template_attribute *attribute = attributes->item;

	for (size_t i = 0; i < attributes->n; i++)
		if (!is_optional || !variables_unproven(attribute[i].value, grant))
			TRY(add_attribute(&attribute[i], grant, out));
	return OK;
}
