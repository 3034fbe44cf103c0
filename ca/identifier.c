#include "ca/identifier.h"

#include "ca/base/mem.h"

#include <openssl/asn1t.h>
#include <string.h>

#define OID "1.3.6.1.5.5.7.8.3"

/* RFC 4043 2: PermanentIdentifier ::= SEQUENCE { identifierValue UTF8String OPTIONAL, assigner
 * OBJECT IDENTIFIER OPTIONAL } */
struct identifier {
	ASN1_UTF8STRING *value;
	ASN1_OBJECT *assigner;
};

/* clang-format off */
ASN1_SEQUENCE(identifier) = {
	ASN1_OPT(struct identifier, value, ASN1_UTF8STRING),
	ASN1_OPT(struct identifier, assigner, ASN1_OBJECT),
} static_ASN1_SEQUENCE_END_name(struct identifier, identifier);
/* clang-format on */

static void identifier_free(struct identifier **identifier)
{
	ASN1_item_free((ASN1_VALUE *)*identifier, ASN1_ITEM_rptr(identifier));
	*identifier = NULL;
}

static ASN1_TYPE *pack(const char *text)
{
	ASN1_UTF8STRING *value = ASN1_UTF8STRING_new();
	struct identifier identifier = {.value = value};
	ASN1_TYPE *type = NULL;

	if (value != NULL && ASN1_STRING_set(value, text, -1) == 1)
		type = ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(identifier), &identifier, NULL);
	ASN1_UTF8STRING_free(value);
	return type;
}

enum err identifier_set(GENERAL_NAME *out, const char *value)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID, 1);
	ASN1_TYPE *type = pack(value);

	if (oid != NULL && type != NULL && GENERAL_NAME_set0_othername(out, oid, type) == 1)
		return OK;
	ASN1_OBJECT_free(oid);
	ASN1_TYPE_free(type);
	return fail(ERR_INTERNAL, "out-of-memory", "identifier_set");
}

bool is_identifier(const GENERAL_NAME *name)
{
	char oid[64] = "";

	if (name->type != GEN_OTHERNAME)
		return false;
	OBJ_obj2txt(oid, sizeof(oid), name->d.otherName->type_id, 1);
	return strcmp(oid, OID) == 0;
}

bool identifier_says(const GENERAL_NAME *name, const char *value)
{
	AUTO(identifier_free) struct identifier *identifier = NULL;
	const ASN1_TYPE *type;

	if (!is_identifier(name))
		return false;
	type = name->d.otherName->value;
	if (type->type != V_ASN1_SEQUENCE)
		return false;
	identifier = ASN1_item_unpack(type->value.sequence, ASN1_ITEM_rptr(identifier));
	return identifier != NULL && identifier->value != NULL &&
	       view_equal(view_str(value), ((struct view){ASN1_STRING_get0_data(identifier->value),
						   (size_t)ASN1_STRING_length(identifier->value)}));
}
