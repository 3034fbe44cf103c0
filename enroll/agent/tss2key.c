#include "enroll/agent/tss2key.h"

#include "ca/base/ossl.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

#define PEM_NAME "TSS2 PRIVATE KEY"
#define LOADABLE_KEY "2.23.133.10.1.3"

struct keyfile {
	ASN1_OBJECT *type;
	ASN1_BOOLEAN empty_auth;
	ASN1_INTEGER *parent;
	ASN1_OCTET_STRING *public;
	ASN1_OCTET_STRING *private;
};

/* clang-format off */
ASN1_SEQUENCE(keyfile) = {
	ASN1_SIMPLE(struct keyfile, type, ASN1_OBJECT),
	ASN1_EXP_OPT(struct keyfile, empty_auth, ASN1_FBOOLEAN, 0),
	ASN1_SIMPLE(struct keyfile, parent, ASN1_INTEGER),
	ASN1_SIMPLE(struct keyfile, public, ASN1_OCTET_STRING),
	ASN1_SIMPLE(struct keyfile, private, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct keyfile, keyfile);
/* clang-format on */

static void keyfile_free(struct keyfile **key)
{
	ASN1_item_free((ASN1_VALUE *)*key, ASN1_ITEM_rptr(keyfile));
	*key = NULL;
}

static enum err bad_file(const char *what)
{
	ERR_clear_error();
	return fail(ERR_INTERNAL, "key-file", "not a key file that endorse wrote: %s", what);
}

static bool fill(struct keyfile *file, const struct tss2key *key)
{
	ASN1_OBJECT_free(file->type);
	file->type = OBJ_txt2obj(LOADABLE_KEY, 1);
	file->empty_auth = 0xff; /* TRUE in DER (X.690 11.1); OpenSSL writes the byte as it is */
	return file->type != NULL && ASN1_INTEGER_set_uint64(file->parent, key->parent) == 1 &&
	       ASN1_OCTET_STRING_set(file->public, key->public->p, (int)key->public->n) == 1 &&
	       ASN1_OCTET_STRING_set(file->private, key->private->p, (int)key->private->n) == 1;
}

enum err tss2key_encode(const struct tss2key *key, struct buf *pem)
{
	AUTO(keyfile_free)
	struct keyfile *file = (struct keyfile *)ASN1_item_new(ASN1_ITEM_rptr(keyfile));
	AUTO(ossl_free) unsigned char *der = NULL;
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	int n;

	if (key->public->n > TSS2KEY_PART_MAX || key->private->n > TSS2KEY_PART_MAX)
		return fail(
			ERR_INTERNAL, "key-file", "a key of more than %d bytes", TSS2KEY_PART_MAX);
	if (file == NULL || bio == NULL || !fill(file, key) ||
		(n = ASN1_item_i2d((ASN1_VALUE *)file, &der, ASN1_ITEM_rptr(keyfile))) <= 0 ||
		PEM_write_bio(bio, PEM_NAME, "", der, n) <= 0)
		return fail(ERR_INTERNAL, "out-of-memory", "tss2key_encode");
	n = (int)BIO_get_mem_data(bio, &text);
	buf_add(pem, (struct view){(const uint8_t *)text, (size_t)n});
	return buf_ok(pem);
}

static bool is_loadable_without_auth(const struct keyfile *file)
{
	char type[64];

	return OBJ_obj2txt(type, sizeof(type), file->type, 1) > 0 &&
	       strcmp(type, LOADABLE_KEY) == 0 && file->empty_auth != 0;
}

static enum err take(const ASN1_OCTET_STRING *from, struct buf *out)
{
	buf_add(out, (struct view){ASN1_STRING_get0_data(from), (size_t)ASN1_STRING_length(from)});
	return buf_ok(out);
}

static enum err parse_der(struct view der, struct tss2key *key)
{
	AUTO(keyfile_free) struct keyfile *file = NULL;
	const unsigned char *p = der.p;
	uint64_t parent = 0;

	file = (struct keyfile *)ASN1_item_d2i(NULL, &p, (long)der.n, ASN1_ITEM_rptr(keyfile));
	if (file == NULL || p != der.p + der.n)
		return bad_file("its ASN.1 is something else");
	if (!is_loadable_without_auth(file))
		return bad_file("another type of key, or a password");
	if (ASN1_INTEGER_get_uint64(&parent, file->parent) != 1 || parent > UINT32_MAX)
		return bad_file("its parent is no handle");
	key->parent = (uint32_t)parent;
	TRY(take(file->public, key->public));
	return take(file->private, key->private);
}

enum err tss2key_parse(struct view pem, struct tss2key *key)
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
	return parse_der((struct view){der, (size_t)n}, key);
}
