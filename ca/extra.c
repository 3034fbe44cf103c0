#include "ca/extra.h"

#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/variable.h"

#include <limits.h>
#include <openssl/objects.h>
#include <stdint.h>
#include <string.h>

const char *const extra_types[] = {
	"utf8", "printable", "ia5", "integer", "boolean", "oid", "null", NULL};

/* In the order of extra_types. */
static const struct type {
	int tag;
	enum text_type text;
} types[] = {
	{V_ASN1_UTF8STRING, TEXT_UTF8},
	{V_ASN1_PRINTABLESTRING, TEXT_PRINTABLE_STRING},
	{V_ASN1_IA5STRING, TEXT_IA5},
	{V_ASN1_INTEGER, TEXT_INTEGER},
	{V_ASN1_BOOLEAN, TEXT_BOOLEAN},
	{V_ASN1_OBJECT, TEXT_OID},
	{V_ASN1_NULL, TEXT_UTF8},
};

static const struct type *type_of(const struct template_extension *extension)
{
	size_t i = 0;

	while (strcmp(extra_types[i], extension->type) != 0)
		i++;
	return &types[i];
}

const char *extra_problem(const struct template_extension *extension)
{
	const struct type *type = type_of(extension);

	if (type->tag == V_ASN1_NULL)
		return extension->value == NULL ? NULL : "an extension of type null has no value";
	return extension->value == NULL ? "an extension of this type wants a value"
					: text_problem(extension->value, type->text);
}

static ASN1_INTEGER *integer_of(const char *text)
{
	AUTO(bn_free) BIGNUM *number = NULL;

	return BN_dec2bn(&number, text) == 0 ? NULL : BN_to_ASN1_INTEGER(number, NULL);
}

static ASN1_STRING *string_of(int tag, struct view text)
{
	ASN1_STRING *string = ASN1_STRING_type_new(tag);

	if (string != NULL && ASN1_STRING_set(string, text.p, (int)text.n) == 1)
		return string;
	ASN1_STRING_free(string);
	return NULL;
}

/* False when there is no memory. */
static bool set_value(int tag, const struct buf *text, ASN1_TYPE *out)
{
	void *value = NULL;
	/* All that OpenSSL asks of a TRUE, and of a NULL, is not to be a null pointer. */
	static char is_true;

	if (tag == V_ASN1_NULL)
		value = &is_true;
	else if (tag == V_ASN1_INTEGER)
		value = integer_of(buf_text(text));
	else if (tag == V_ASN1_OBJECT)
		value = OBJ_txt2obj(buf_text(text), 1);
	else if (tag == V_ASN1_BOOLEAN)
		value = strcmp(buf_text(text), "true") == 0 ? &is_true : NULL;
	else
		value = string_of(tag, buf_view(text));
	if (value == NULL && tag != V_ASN1_BOOLEAN)
		return false;
	ASN1_TYPE_set(out, tag, value);
	return true;
}

static enum err encode(int tag, const struct buf *text, struct buf *out)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	ASN1_TYPE *value = ASN1_TYPE_new();
	int n = -1;

	if (value != NULL && set_value(tag, text, value))
		n = i2d_ASN1_TYPE(value, &der);
	ASN1_TYPE_free(value);
	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode an extension's value");
	buf_add(out, (struct view){der, (size_t)n});
	return buf_ok(out);
}

enum err extra_add(
	X509 *cert, const struct template_extension *extension, const struct grant *grant)
{
	const struct type *type = type_of(extension);
	AUTO(buf_free) struct buf text = BUF(1024), der = BUF(2048);

	if (extension->value != NULL)
		TRY(variables_expand(extension->value, type->text, grant, &text));
	TRY(encode(type->tag, &text, &der));
	return extension_any(cert, extension->oid, extension->critical, buf_view(&der));
}
