#include "tests/flow/maker.h"

#include "tests/flow/process.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static void must_ssl(bool good, const char *what)
{
	must(good, "%s: %s", what, ERR_error_string(ERR_peek_last_error(), NULL));
}

static void extend(X509 *certificate, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_nconf_nid(ctx->db, ctx, nid, value);

	must_ssl(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
	X509_EXTENSION_free(extension);
}

/* A certificate without extensions whose serial is random. */
static X509 *start(EVP_PKEY *key, int64_t not_after)
{
	X509 *certificate = X509_new();
	BIGNUM *serial = BN_new();
	const int64_t forever = 253402300799; /* 9999-12-31T23:59:59Z */
	ASN1_TIME *end = ASN1_TIME_set(NULL, (time_t)(not_after != 0 ? not_after : forever));

	must_ssl(certificate != NULL && serial != NULL && end != NULL &&
			 X509_set_version(certificate, X509_VERSION_3) == 1 &&
			 BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
			 BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL &&
			 X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL &&
			 X509_set1_notAfter(certificate, end) == 1 &&
			 X509_set_pubkey(certificate, key) == 1,
		"certificate");
	ASN1_TIME_free(end);
	BN_free(serial);
	return certificate;
}

static void name_it(X509_NAME *name, const char *common_name)
{
	must_ssl(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
			 (const unsigned char *)"Example TPM maker", -1, -1, 0) == 1 &&
			 X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				 (const unsigned char *)common_name, -1, -1, 0) == 1,
		"name");
}

static X509 *make_authority(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *signer)
{
	X509 *certificate = start(key, 0);
	X509V3_CTX ctx = {0};

	name_it(X509_get_subject_name(certificate), name);
	X509_set_issuer_name(
		certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
	X509V3_set_ctx(&ctx, issuer != NULL ? issuer : certificate, certificate, NULL, NULL, 0);
	extend(certificate, &ctx, NID_basic_constraints, "critical,CA:TRUE");
	extend(certificate, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign");
	extend(certificate, &ctx, NID_subject_key_identifier, "hash");
	extend(certificate, &ctx, NID_authority_key_identifier, "keyid:always");
	must_ssl(X509_sign(certificate, signer, EVP_sha384()) > 0, "X509_sign");
	return certificate;
}

static void write_pem(const char *dir, const char *name, X509 *certificate, EVP_PKEY *key)
{
	AUTO(mem_free) char *path = text("%s/%s", dir, name);
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long n;

	if (certificate != NULL)
		must_ssl(PEM_write_bio_X509(bio, certificate) == 1, path);
	if (key != NULL)
		must_ssl(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, path);
	n = BIO_get_mem_data(bio, &bytes);
	write_file(path, key != NULL ? 0600 : 0644, (struct view){(uint8_t *)bytes, (size_t)n});
	BIO_free(bio);
}

static void write_config(const char *dir, const char *name, char *content)
{
	AUTO(mem_free) char *owned = content;
	AUTO(mem_free) char *path = text("%s/%s", dir, name);

	write_file(path, 0644, view_str(owned));
}

static void write_setup(const char *dir)
{
	write_config(dir, "setup.conf",
		text("create_certs_tool=/usr/bin/swtpm_localca\n"
		     "create_certs_tool_config=%s/localca.conf\n"
		     "create_certs_tool_options=%s/localca.options\n"
		     "active_pcr_banks=sha256\n",
			dir, dir));
	write_config(dir, "localca.conf",
		text("statedir=%s/localca\nsigningkey=%s/intermediate.key\n"
		     "issuercert=%s/intermediates/intermediate.pem\ncertserial=%s/serial\n",
			dir, dir, dir, dir));
	write_config(dir, "localca.options",
		text("--platform-manufacturer Example\n--platform-version 1\n--platform-model "
		     "test\n"));
}

void maker_init(struct maker *maker, const char *dir, const char *name)
{
	AUTO(mem_free) char *roots = text("%s/roots", dir);
	AUTO(mem_free) char *intermediates = text("%s/intermediates", dir);
	AUTO(mem_free) char *localca = text("%s/localca", dir);
	AUTO(mem_free) char *root_name = text("%s root", name);
	AUTO(mem_free) char *intermediate_name = text("%s intermediate", name);
	EVP_PKEY *root_key = EVP_EC_gen("P-384");

	must(mkdir(dir, 0755) == 0 && mkdir(roots, 0755) == 0 && mkdir(intermediates, 0755) == 0 &&
			mkdir(localca, 0755) == 0,
		"%s", dir);
	maker->dir = text("%s", dir);
	maker->key = EVP_EC_gen("P-384");
	maker->root = make_authority(root_key, root_name, NULL, root_key);
	maker->intermediate = make_authority(maker->key, intermediate_name, maker->root, root_key);
	EVP_PKEY_free(root_key);
	write_pem(roots, "root.pem", maker->root, NULL);
	write_pem(intermediates, "intermediate.pem", maker->intermediate, NULL);
	write_pem(dir, "intermediate.key", NULL, maker->key);
	write_setup(dir);
}

void maker_free(struct maker *maker)
{
	free(maker->dir);
	EVP_PKEY_free(maker->key);
	X509_free(maker->root);
	X509_free(maker->intermediate);
	*maker = (struct maker){0};
}

static const char *or_else(const char *wish, const char *usual)
{
	return wish != NULL ? wish : usual;
}

/* The subjectAltName has a directoryName with three RDNs: TCG EK Credential Profile 3.2.9. */
static CONF *names(const struct ek_wish *wish)
{
	/* OpenSSL drops what is left of the first dot in a name: hence the letters. */
	AUTO(mem_free)
	char *section = text("[tpm]\na.2.23.133.2.1=%s\nb.2.23.133.2.2=%s\n"
			     "c.2.23.133.2.3=%s\n",
		or_else(wish->manufacturer, "id:00001014"), or_else(wish->model, "swtpm"),
		or_else(wish->version, "id:00020191"));
	BIO *bio = BIO_new_mem_buf(section, -1);
	CONF *conf = NCONF_new(NULL);

	must_ssl(NCONF_load_bio(conf, bio, NULL) == 1, "configuration");
	BIO_free(bio);
	return conf;
}

static void name_bytes(X509_NAME *name, const char *oid, struct view value)
{
	must_ssl(X509_NAME_add_entry_by_txt(
			 name, oid, V_ASN1_UTF8STRING, value.p, (int)value.n, -1, 0) == 1,
		oid);
}

/* What OpenSSL's own syntax cannot say; it reads none of it. */
static void extend_names(X509 *certificate, const struct ek_wish *wish)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	X509_NAME *tpm = X509_NAME_new();

	name_bytes(tpm, "2.23.133.2.1", view_str(or_else(wish->manufacturer, "id:00001014")));
	name_bytes(tpm, "2.23.133.2.2", wish->model_bytes);
	name_bytes(tpm, "2.23.133.2.3", view_str(or_else(wish->version, "id:00020191")));
	GENERAL_NAME_set0_value(name, GEN_DIRNAME, tpm);
	must_ssl(sk_GENERAL_NAME_push(names, name) == 1 &&
			 X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 1,
				 X509V3_ADD_APPEND) == 1,
		"subjectAltName");
	GENERAL_NAMES_free(names);
}

static void add_extensions(
	X509 *certificate, const struct maker *maker, const struct ek_wish *wish, bool rsa)
{
	X509V3_CTX ctx = {0};
	CONF *conf = names(wish);

	X509V3_set_ctx(&ctx, maker->intermediate, certificate, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	if (wish->model_bytes.n > 0)
		extend_names(certificate, wish);
	else if (!wish->without_names)
		extend(certificate, &ctx, NID_subject_alt_name, "critical,dirName:tpm");
	extend(certificate, &ctx, NID_basic_constraints,
		or_else(wish->basic_constraints, "critical,CA:FALSE"));
	extend(certificate, &ctx, NID_key_usage,
		or_else(wish->key_usage,
			rsa ? "critical,keyEncipherment" : "critical,keyAgreement"));
	extend(certificate, &ctx, NID_ext_key_usage,
		or_else(wish->extended_key_usage, "2.23.133.8.1"));
	extend(certificate, &ctx, NID_subject_key_identifier, "hash");
	extend(certificate, &ctx, NID_authority_key_identifier, "keyid:always");
	NCONF_free(conf);
}

void maker_certify(struct maker *maker, EVP_PKEY *ek, const struct ek_wish *wish, struct buf *der)
{
	static const struct ek_wish usual;
	X509 *certificate = start(ek, wish == NULL ? 0 : wish->not_after);
	unsigned char *bytes = NULL;
	int n;

	if (wish == NULL)
		wish = &usual;
	X509_set_issuer_name(certificate, X509_get_subject_name(maker->intermediate));
	if (wish->common_name != NULL)
		name_it(X509_get_subject_name(certificate), wish->common_name);
	add_extensions(certificate, maker, wish, EVP_PKEY_is_a(ek, "RSA"));
	must_ssl(X509_sign(certificate, wish->signer != NULL ? wish->signer : maker->key,
			 EVP_sha384()) > 0,
		"X509_sign");
	n = i2d_X509(certificate, &bytes);
	must_ssl(n > 0, "i2d_X509");
	buf_add(der, (struct view){bytes, (size_t)n});
	OPENSSL_free(bytes);
	X509_free(certificate);
}
