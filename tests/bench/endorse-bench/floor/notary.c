#include "tests/bench/endorse-bench/floor/notary.h"

#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

OSSL_FREE(conf_free, CONF, NCONF_free)

enum err part_openssl(const char *what)
{
	char text[200];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	ERR_clear_error();
	return fail(ERR_INTERNAL, "floor-openssl", "%s: %s", what, text);
}

static bool add_name(X509 *certificate, const char *common_name)
{
	return common_name == NULL ||
	       X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		       (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static bool fill(X509 *certificate, const struct paper *paper)
{
	X509 *issuer = paper->issuer != NULL ? paper->issuer : certificate;
	AUTO(bn_free) BIGNUM *serial = BN_new();

	return serial != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
	       BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	       BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(certificate), 3650L * 86400) != NULL &&
	       X509_set_pubkey(certificate, paper->key) == 1 &&
	       add_name(certificate, paper->common_name) &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1;
}

static bool extend(X509 *certificate, const struct paper *paper)
{
	AUTO(bio_free) BIO *text = BIO_new_mem_buf(paper->extensions, -1);
	AUTO(conf_free) CONF *conf = NCONF_new(NULL);
	X509V3_CTX ctx = {0};

	if (text == NULL || conf == NULL || NCONF_load_bio(conf, text, NULL) != 1)
		return false;
	X509V3_set_ctx(&ctx, paper->issuer != NULL ? paper->issuer : certificate, certificate, NULL,
		NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	return X509V3_EXT_add_nconf(conf, &ctx, "ext", certificate) == 1;
}

enum err notary_certify(const struct paper *paper, X509 **out)
{
	AUTO(x509_free) X509 *certificate = X509_new();
	EVP_PKEY *signer = paper->signer != NULL ? paper->signer : paper->key;

	if (certificate == NULL || !fill(certificate, paper) || !extend(certificate, paper) ||
		X509_sign(certificate, signer, EVP_sha256()) <= 0)
		return part_openssl("a certificate");
	*out = MOVE(certificate);
	return OK;
}

enum err notary_authority(
	const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer, X509 **out)
{
	return notary_certify(&(struct paper){.common_name = name,
				      .key = key,
				      .issuer = issuer,
				      .signer = signer,
				      .extensions = "[ext]\n"
						    "basicConstraints=critical,CA:TRUE\n"
						    "keyUsage=critical,keyCertSign,cRLSign\n"
						    "subjectKeyIdentifier=hash\n"
						    "authorityKeyIdentifier=keyid:always\n"},
		out);
}

/* TCG EK Credential Profile 3. OpenSSL drops what is left of the first dot: hence the letters. */
static const char ek_extensions[] = "[ext]\n"
				    "subjectAltName=critical,dirName:tpm\n"
				    "basicConstraints=critical,CA:FALSE\n"
				    "keyUsage=critical,keyEncipherment\n"
				    "extendedKeyUsage=2.23.133.8.1\n"
				    "subjectKeyIdentifier=hash\n"
				    "authorityKeyIdentifier=keyid:always\n"
				    "[tpm]\n"
				    "a.2.23.133.2.1=id:00001014\n"
				    "b.2.23.133.2.2=swtpm\n"
				    "c.2.23.133.2.3=id:00020191\n";

enum err notary_ek(struct notary_ek *out)
{
	AUTO(pkey_free) EVP_PKEY *root_key = EVP_RSA_gen(2048);
	AUTO(pkey_free) EVP_PKEY *key = EVP_RSA_gen(2048);
	AUTO(x509_free) X509 *leaf = NULL;

	out->key = EVP_RSA_gen(2048);
	if (root_key == NULL || key == NULL || out->key == NULL)
		return part_openssl("RSA keys");
	TRY(notary_authority("Floor root", root_key, NULL, NULL, &out->root));
	TRY(notary_authority("Floor intermediate", key, out->root, root_key, &out->intermediate));
	TRY(notary_certify(&(struct paper){.key = out->key,
				   .issuer = out->intermediate,
				   .signer = key,
				   .extensions = ek_extensions},
		&leaf));
	out->der_n = i2d_X509(leaf, &out->der);
	return out->der_n > 0 ? OK : part_openssl("i2d_X509");
}

void notary_ek_free(struct notary_ek *ek)
{
	X509_free(ek->root);
	X509_free(ek->intermediate);
	EVP_PKEY_free(ek->key);
	OPENSSL_free(ek->der);
	*ek = (struct notary_ek){0};
}
