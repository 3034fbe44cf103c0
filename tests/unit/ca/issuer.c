#include "tests/unit/ca/issuer.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "ca/validity.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/x509v3.h>

struct issuer_recipe issuer_good(void)
{
	return (struct issuer_recipe){.constraints = "critical,CA:TRUE,pathlen:0",
		.key_usage = "critical,keyCertSign,cRLSign",
		.identifier = "hash",
		.copies = 1,
		.subject = "Unit CA",
		.issuer = "Unit CA"};
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static void set_name(X509_NAME *name, const char *common_name)
{
	if (*common_name != '\0')
		assert_int_equal(1, X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					    (const uint8_t *)common_name, -1, -1, 0));
}

/* Also for keys that no CA of ours may have. */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "SM2"))
		return EVP_sm3();
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}

static X509 *make_certificate(const struct issuer_recipe *recipe, EVP_PKEY *key)
{
	int64_t now = clock_now(), until = recipe->until == 0 ? now + 3650 * 86400 : recipe->until;
	X509 *cert = X509_new();

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
	set_name(X509_get_subject_name(cert), recipe->subject);
	set_name(X509_get_issuer_name(cert), recipe->issuer);
	assert_ok(validity_set(cert, now - 86400 * 2, until));
	assert_int_equal(1, X509_set_pubkey(cert, key));
	add_extension(cert, NID_basic_constraints, recipe->constraints);
	add_extension(cert, NID_key_usage, recipe->key_usage);
	add_extension(cert, NID_subject_key_identifier, recipe->identifier);
	add_extension(cert, NID_name_constraints, recipe->names);
	assert_true(X509_sign(cert, key, digest_for(key)) > 0);
	return cert;
}

void issuer_make(const struct issuer_recipe *recipe, struct issuer *out)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	*out = (struct issuer){.dir = scratch_make()};
	out->certificate = path_join(out->dir, "ca.pem");
	out->key = path_join(out->dir, "ca.key");
	out->passphrase = path_join(out->dir, "ca.passphrase");
	out->pkey = recipe->key;
	if (recipe->key != NULL)
		EVP_PKEY_up_ref(recipe->key);
	else
		assert_ok(key_generate(KEY_TYPE_P256, &out->pkey));
	out->cert = make_certificate(recipe, out->pkey);
	for (size_t i = 0; i < recipe->copies; i++)
		sk_X509_push(certs, out->cert);
	scratch_pem(out->dir, "ca.pem", certs);
	sk_X509_free(certs);
	assert_ok(key_save(out->pkey, out->key, out->passphrase));
}

void issuer_free(struct issuer *issuer)
{
	X509_free(issuer->cert);
	EVP_PKEY_free(issuer->pkey);
	free(issuer->certificate);
	free(issuer->key);
	free(issuer->passphrase);
	scratch_remove(&issuer->dir);
}

enum err issuer_load(const struct issuer *issuer, struct authority **out)
{
	return authority_load(issuer->certificate, issuer->key, issuer->passphrase, out);
}

char *source_path(const char *path)
{
	return path_join(ENDORSE_SOURCE_DIR, path);
}

static char *copy_closed(const char *dir, const char *name)
{
	AUTO(mem_free) char *data = source_path("tests/data"), *from = path_join(data, name);
	AUTO(buf_free) struct buf bytes = BUF(1 << 16);
	char *to = path_join(dir, name);

	assert_ok(file_read(from, &bytes));
	assert_ok(file_replace(to, 0600, buf_view(&bytes)));
	return to;
}

struct authority *issuer_of_fixture(void)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *certificate = copy_closed(dir, "ca-only-for-tests.pem");
	AUTO(mem_free) char *key = copy_closed(dir, "ca-only-for-tests.key");
	AUTO(mem_free) char *passphrase = copy_closed(dir, "ca-only-for-tests.passphrase");
	struct authority *authority = NULL;

	assert_ok(authority_load(certificate, key, passphrase, &authority));
	return authority;
}
