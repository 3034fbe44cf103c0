#include "enroll/agent/tss2key.h"

#include "ca/base/ossl.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

#define PEM_NAME "TSS2 PRIVATE KEY"
#define LOADABLE_KEY "2.23.133.10.1.3"

struct tss2key {
	ASN1_OBJECT *type;
	ASN1_BOOLEAN empty_auth;
	ASN1_INTEGER *parent;
	ASN1_OCTET_STRING *public;
	ASN1_OCTET_STRING *private;
};

/* clang-format off */
ASN1_SEQUENCE(tss2key) = {
	ASN1_SIMPLE(struct tss2key, type, ASN1_OBJECT),
	ASN1_EXP_OPT(struct tss2key, empty_auth, ASN1_FBOOLEAN, 0),
	ASN1_SIMPLE(struct tss2key, parent, ASN1_INTEGER),
	ASN1_SIMPLE(struct tss2key, public, ASN1_OCTET_STRING),
	ASN1_SIMPLE(struct tss2key, private, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct tss2key, tss2key);
/* clang-format on */

static void key_free(struct tss2key **key)
{
	ASN1_item_free((ASN1_VALUE *)*key, ASN1_ITEM_rptr(tss2key));
	*key = NULL;
}

static enum err bad_file(const char *what)
{
	ERR_clear_error();
	return fail(ERR_INTERNAL, "key-file", "not a key file that endorse wrote: %s", what);
}

static bool fill(struct tss2key *key, struct view public, struct view private)
{
	ASN1_OBJECT_free(key->type);
	key->type = OBJ_txt2obj(LOADABLE_KEY, 1);
	key->empty_auth = 0xff; /* TRUE in DER (X.690 11.1); OpenSSL writes the byte as it is */
	return key->type != NULL &&
	       ASN1_INTEGER_set_uint64(key->parent, TSS2KEY_PARENT_OWNER) == 1 &&
	       ASN1_OCTET_STRING_set(key->public, public.p, (int)public.n) == 1 &&
	       ASN1_OCTET_STRING_set(key->private, private.p, (int)private.n) == 1;
}

enum err tss2key_encode(struct view public, struct view private, struct buf *pem)
{
	AUTO(key_free)
	struct tss2key *key = (struct tss2key *)ASN1_item_new(ASN1_ITEM_rptr(tss2key));
	AUTO(ossl_free) unsigned char *der = NULL;
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	int n;

	if (public.n > TSS2KEY_PART_MAX || private.n > TSS2KEY_PART_MAX)
		return fail(
			ERR_INTERNAL, "key-file", "a key of more than %d bytes", TSS2KEY_PART_MAX);
	if (key == NULL || bio == NULL || !fill(key, public, private) ||
		(n = ASN1_item_i2d((ASN1_VALUE *)key, &der, ASN1_ITEM_rptr(tss2key))) <= 0 ||
		PEM_write_bio(bio, PEM_NAME, "", der, n) <= 0)
		return fail(ERR_INTERNAL, "out-of-memory", "tss2key_encode");
	n = (int)BIO_get_mem_data(bio, &text);
	buf_add(pem, (struct view){(const uint8_t *)text, (size_t)n});
	return buf_ok(pem);
}

static bool is_ours(const struct tss2key *key)
{
	char type[64];
	uint64_t parent = 0;

	return OBJ_obj2txt(type, sizeof(type), key->type, 1) > 0 &&
	       strcmp(type, LOADABLE_KEY) == 0 && key->empty_auth != 0 &&
	       ASN1_INTEGER_get_uint64(&parent, key->parent) == 1 && parent == TSS2KEY_PARENT_OWNER;
}

static enum err take(const ASN1_OCTET_STRING *from, struct buf *out)
{
	buf_add(out, (struct view){ASN1_STRING_get0_data(from), (size_t)ASN1_STRING_length(from)});
	return buf_ok(out);
}

static enum err parse_der(struct view der, struct buf *public, struct buf *private)
{
	AUTO(key_free) struct tss2key *key = NULL;
	const unsigned char *p = der.p;

	key = (struct tss2key *)ASN1_item_d2i(NULL, &p, (long)der.n, ASN1_ITEM_rptr(tss2key));
	if (key == NULL || p != der.p + der.n)
		return bad_file("its ASN.1 is something else");
	if (!is_ours(key))
		return bad_file("another type of key, another parent, or a password");
	TRY(take(key->public, public));
	return take(key->private, private);
}

enum err tss2key_parse(struct view pem, struct buf *public, struct buf *private)
{
	AUTO(bio_free) BIO *bio = NULL;
	AUTO(ossl_free) unsigned char *der = NULL;
	AUTO(ossl_text_free) char *name = NULL;
	AUTO(ossl_text_free) char *header = NULL;
	long n = 0;

	if (pem.n == 0 || pem.n > TSS2KEY_MAX || (bio = BIO_new_mem_buf(pem.p, (int)pem.n)) == NULL)
		return bad_file("its length");
	if (PEM_read_bio(bio, &name, &header, &der, &n) != 1 || strcmp(name, PEM_NAME) != 0 ||
		header[0] != '\0')
		return bad_file("no PEM of the kind " PEM_NAME);
	return parse_der((struct view){der, (size_t)n}, public, private);
}
