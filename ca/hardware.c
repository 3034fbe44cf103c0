#include "ca/hardware.h"

#include "ca/base/mem.h"

#include <openssl/asn1t.h>
#include <string.h>

#define OID "1.3.6.1.5.5.7.8.4"

/* RFC 4108 5: HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } */
struct hardware {
	ASN1_OBJECT *type;
	ASN1_OCTET_STRING *serial;
};

/* clang-format off */
ASN1_SEQUENCE(hardware) = {
	ASN1_SIMPLE(struct hardware, type, ASN1_OBJECT),
	ASN1_SIMPLE(struct hardware, serial, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct hardware, hardware);
/* clang-format on */

static void hardware_free(struct hardware **hardware)
{
	ASN1_item_free((ASN1_VALUE *)*hardware, ASN1_ITEM_rptr(hardware));
	*hardware = NULL;
}

static ASN1_TYPE *pack(const char *type, const char *serial)
{
	struct hardware hardware = {OBJ_txt2obj(type, 1), ASN1_OCTET_STRING_new()};
	ASN1_TYPE *packed = NULL;

	if (hardware.type != NULL && hardware.serial != NULL &&
		ASN1_STRING_set(hardware.serial, serial, -1) == 1)
		packed = ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(hardware), &hardware, NULL);
	ASN1_OBJECT_free(hardware.type);
	ASN1_OCTET_STRING_free(hardware.serial);
	return packed;
}

enum err hardware_set(GENERAL_NAME *out, const char *type, const char *serial)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID, 1);
	ASN1_TYPE *packed = pack(type, serial);

	if (oid != NULL && packed != NULL && GENERAL_NAME_set0_othername(out, oid, packed) == 1)
		return OK;
	ASN1_OBJECT_free(oid);
	ASN1_TYPE_free(packed);
	return fail(ERR_INTERNAL, "out-of-memory", "hardware_set");
}

static bool is_oid(const ASN1_OBJECT *object, const char *dotted)
{
	char oid[128] = "";

	OBJ_obj2txt(oid, sizeof(oid), object, 1);
	return strcmp(oid, dotted) == 0;
}

bool hardware_says(const GENERAL_NAME *name, const char *type, const char *serial)
{
	AUTO(hardware_free) struct hardware *hardware = NULL;
	const ASN1_TYPE *value;

	if (name->type != GEN_OTHERNAME || !is_oid(name->d.otherName->type_id, OID))
		return false;
	value = name->d.otherName->value;
	if (value->type != V_ASN1_SEQUENCE)
		return false;
	hardware = ASN1_item_unpack(value->value.sequence, ASN1_ITEM_rptr(hardware));
	return hardware != NULL && is_oid(hardware->type, type) &&
	       view_equal(view_str(serial), ((struct view){ASN1_STRING_get0_data(hardware->serial),
						    (size_t)ASN1_STRING_length(hardware->serial)}));
}
