#include "enroll/tpm/skae.h"

#include "ca/base/crypt.h"
#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/witness.h"

#define EKU_AK "2.23.133.8.3"
#define EKU_PROPERTY "1.2.840.113556.1.8000.2554.11678.54212.13990.18118.39851.7049480.9573563.1.1"

static struct witness home, other;
static EVP_PKEY *ca;

static int make(void **state)
{
	(void)state;
	witness_make(SOFT_P256, false, &home);
	witness_make(SOFT_P256, false, &other);
	ca = key_pair(KEY_P256);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	witness_free(&home);
	witness_free(&other);
	pkey_free(&ca);
	return 0;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

/* A certificate for `key`, by `signer`; extensions that are NULL are left out. */
static X509 *certificate(EVP_PKEY *key, EVP_PKEY *signer, const char *constraints, const char *eku)
{
	X509 *cert = X509_new();

	assert_int_equal(1, X509_set_version(cert, 2));
	assert_int_equal(1, ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_int_equal(1, X509_set_pubkey(cert, key));
	if (constraints != NULL)
		add_extension(cert, NID_basic_constraints, constraints);
	if (eku != NULL)
		add_extension(cert, NID_ext_key_usage, eku);
	assert_true(X509_sign(cert, signer, EVP_sha256()) > 0);
	return cert;
}

static X509 *ak_certificate(const struct witness *of)
{
	return certificate(of->signer.pkey, ca, "critical,CA:FALSE", EKU_AK);
}

/* What a CA's certificate for the key of `of` carries: said by its AK, for some ticket. */
static void carried_by_ca(const struct witness *of, struct testimony *out)
{
	testify(&of->signer, &of->key, view_str("a ticket's digest"), out);
}

static struct certify_evidence bare(const struct testimony *testimony)
{
	struct certify_evidence evidence = testimony_view(testimony);

	evidence.public = (struct view){evidence.public.p + 2, evidence.public.n - 2};
	evidence.attest = (struct view){evidence.attest.p + 2, evidence.attest.n - 2};
	return evidence;
}

static enum err judge(X509 *cert, X509 *ak, const struct testimony *testimony, enum skae_kind kind)
{
	struct certify_evidence evidence = bare(testimony);

	return skae_judge(cert, ak, &evidence, kind);
}

static void evidence_of_its_own_key_by_its_ak_holds(void **state)
{
	for (enum soft_ak kind = 0; kind < SOFT_AKS; kind++) {
		AUTO(witness_free) struct witness of;
		AUTO(testimony_free) struct testimony testimony;
		AUTO(x509_free) X509 *cert = NULL, *ak = NULL;

		(void)state;
		witness_make(kind, kind == SOFT_RSAPSS_2048, &of);
		carried_by_ca(&of, &testimony);
		cert = certificate(of.key.pkey, ca, NULL, NULL);
		ak = ak_certificate(&of);
		assert_refused_in(
			soft_ak_text(kind), judge(cert, ak, &testimony, SKAE_BY_CA), OK, "");
	}
}

/* The certificate is signed by its CA, the evidence is good, and they are about two keys. */
static void a_swapped_key_is_found(void **state)
{
	AUTO(x509_free) X509 *cert = certificate(other.key.pkey, ca, NULL, NULL);
	AUTO(x509_free) X509 *ak = ak_certificate(&home);
	AUTO(testimony_free) struct testimony testimony;

	(void)state;
	carried_by_ca(&home, &testimony);
	assert_refused(judge(cert, ak, &testimony, SKAE_BY_CA), ERR_REJECTED, "skae-key");
}

/* ... and with the public area swapped too, it is not the one whose Name was signed. */
static void a_swapped_key_and_area_are_found(void **state)
{
	AUTO(x509_free) X509 *cert = certificate(other.key.pkey, ca, NULL, NULL);
	AUTO(x509_free) X509 *ak = ak_certificate(&home);
	AUTO(testimony_free) struct testimony testimony;

	(void)state;
	carried_by_ca(&home, &testimony);
	buf_free(&testimony.public);
	assert_true(soft_key_public(&other.key, &testimony.public));
	assert_refused(judge(cert, ak, &testimony, SKAE_BY_CA), ERR_REJECTED, "certify-name");
}

static void another_ak_did_not_say_it(void **state)
{
	AUTO(x509_free) X509 *cert = certificate(home.key.pkey, ca, NULL, NULL);
	AUTO(x509_free) X509 *ak = ak_certificate(&other);
	AUTO(testimony_free) struct testimony testimony;

	(void)state;
	carried_by_ca(&home, &testimony);
	assert_refused(judge(cert, ak, &testimony, SKAE_BY_CA), ERR_REJECTED, "attest-signature");
}

/* Whoever has any other certificate for its key could sign statements as a TPM makes them. */
static void only_an_ak_certificate_vouches(void **state)
{
	static const struct {
		const char *name, *constraints, *eku;
		enum err err;
	} rows[] = {
		{"base", "critical,CA:FALSE", EKU_AK, OK},
		{"two usages", "critical,CA:FALSE", EKU_AK ",clientAuth", OK},
		{"no constraints", NULL, EKU_AK, OK},
		{"tls", "critical,CA:FALSE", "serverAuth,clientAuth", ERR_REJECTED},
		{"property", "critical,CA:FALSE", EKU_PROPERTY, ERR_REJECTED},
		{"ek", "critical,CA:FALSE", "2.23.133.8.1", ERR_REJECTED},
		{"any", "critical,CA:FALSE", "anyExtendedKeyUsage", ERR_REJECTED},
		{"none", "critical,CA:FALSE", NULL, ERR_REJECTED},
		{"ca", "critical,CA:TRUE", EKU_AK, ERR_REJECTED},
	};
	AUTO(x509_free) X509 *cert = certificate(home.key.pkey, ca, NULL, NULL);
	AUTO(testimony_free) struct testimony testimony;

	(void)state;
	carried_by_ca(&home, &testimony);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free)
		X509 *ak = certificate(home.signer.pkey, ca, rows[i].constraints, rows[i].eku);

		assert_refused_in(rows[i].name, judge(cert, ak, &testimony, SKAE_BY_CA),
			rows[i].err, "skae-ak-certificate");
	}
}

static void a_key_that_signs_certificates_is_no_ak(void **state)
{
	AUTO(x509_free) X509 *cert = certificate(home.key.pkey, ca, NULL, NULL);
	AUTO(x509_free) X509 *ak = ak_certificate(&home);
	AUTO(testimony_free) struct testimony testimony;

	(void)state;
	carried_by_ca(&home, &testimony);
	add_extension(ak, NID_key_usage, "critical,digitalSignature,keyCertSign");
	assert_true(X509_sign(ak, ca, EVP_sha256()) > 0);
	assert_refused(
		judge(cert, ak, &testimony, SKAE_BY_CA), ERR_REJECTED, "skae-ak-certificate");
}

/* One alteration of evidence that a CA should never have let in. */
static void the_statement_is_judged_again(void **state)
{
	static const struct {
		const char *name;
		uint32_t flip; /* attributes of the key */
		uint32_t magic;
		uint16_t type;
		const char *code;
	} rows[] = {
		{"base", 0, TPM2_GENERATED_VALUE, TPM2_ST_ATTEST_CERTIFY, ""},
		{"decrypts", TPMA_OBJECT_DECRYPT, TPM2_GENERATED_VALUE, TPM2_ST_ATTEST_CERTIFY, ""},
		{"software key", TPMA_OBJECT_FIXEDTPM, TPM2_GENERATED_VALUE, TPM2_ST_ATTEST_CERTIFY,
			"key-attributes"},
		{"magic", 0, 0xff544346, TPM2_ST_ATTEST_CERTIFY, "attest-magic"},
		{"quote", 0, TPM2_GENERATED_VALUE, TPM2_ST_ATTEST_QUOTE, "attest-type"},
	};
	AUTO(x509_free) X509 *cert = certificate(home.key.pkey, ca, NULL, NULL);
	AUTO(x509_free) X509 *ak = ak_certificate(&home);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(testimony_free) struct testimony testimony;
		AUTO(soft_key_free) struct soft_key key;
		TPMT_PUBLIC area = home.key.public.publicArea;
		TPMS_ATTEST said;

		area.objectAttributes ^= rows[i].flip;
		assert_true(soft_key_make(&area, home.key.pkey, &key));
		statement_of(&home.signer, &key, view_str("x"), &said);
		said.magic = rows[i].magic;
		if (rows[i].type != said.type)
			said.attested = (TPMU_ATTEST){0};
		said.type = rows[i].type;
		testify_of(&home.signer, &key, &said, &testimony);
		assert_refused_in(rows[i].name, judge(cert, ak, &testimony, SKAE_BY_CA),
			rows[i].code[0] == '\0' ? OK : ERR_REJECTED, rows[i].code);
	}
}

static void nothing_may_follow_what_is_carried(void **state)
{
	AUTO(x509_free) X509 *cert = certificate(home.key.pkey, ca, NULL, NULL);
	AUTO(x509_free) X509 *ak = ak_certificate(&home);
	AUTO(testimony_free) struct testimony testimony;

	(void)state;
	carried_by_ca(&home, &testimony);
	for (size_t part = 0; part < 3; part++) {
		struct certify_evidence evidence = bare(&testimony);
		struct view *views[] = {&evidence.public, &evidence.attest, &evidence.signature};
		uint8_t bytes[1024] = {0};

		memcpy(bytes, views[part]->p, views[part]->n);
		*views[part] = (struct view){bytes, views[part]->n + 1};
		assert_refused(skae_judge(cert, ak, &evidence, SKAE_BY_CA), ERR_MALFORMED,
			part == 0 ? "tpm-public" : "attest");
		views[part]->n = 0;
		assert_refused(skae_judge(cert, ak, &evidence, SKAE_BY_CA), ERR_MALFORMED,
			part == 0 ? "tpm-public" : "attest");
		*views[part] = (struct view){bytes, sizeof(bytes)};
		assert_refused(skae_judge(cert, ak, &evidence, SKAE_BY_CA), ERR_MALFORMED,
			part == 0 ? "tpm-public" : "attest");
	}
}

/* A self-signed certificate of the home's key, and the evidence for it. */
static X509 *self_signed(EVP_PKEY *signer, struct testimony *testimony)
{
	X509 *cert = certificate(home.key.pkey, signer, NULL, "serverAuth");
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_PUBKEY(home.key.pkey, &der);
	uint8_t digest[32], told[32];

	assert_true(n > 0);
	assert_ok(SHA256_OF(digest, ((struct view){der, (size_t)n})));
	assert_ok(skae_qualifying(cert, told));
	assert_memory_equal(digest, told, 32);
	testify(&home.signer, &home.key, VIEW(digest), testimony);
	return cert;
}

static void a_self_signed_certificate_names_itself_in_the_statement(void **state)
{
	AUTO(testimony_free) struct testimony testimony, for_ticket;
	AUTO(x509_free) X509 *cert = self_signed(home.key.pkey, &testimony);
	AUTO(x509_free) X509 *ak = ak_certificate(&home);

	(void)state;
	assert_ok(judge(cert, ak, &testimony, SKAE_SELF_SIGNED));
	carried_by_ca(&home, &for_ticket);
	assert_refused(judge(cert, ak, &for_ticket, SKAE_SELF_SIGNED), ERR_REJECTED,
		"attest-qualifying-data");
}

/* The evidence is public: whoever takes it into a certificate of its own has not the key. */
static void a_self_signed_certificate_is_signed_with_its_key(void **state)
{
	AUTO(testimony_free) struct testimony testimony;
	AUTO(x509_free) X509 *cert = self_signed(other.key.pkey, &testimony);
	AUTO(x509_free) X509 *ak = ak_certificate(&home);

	(void)state;
	assert_refused(
		judge(cert, ak, &testimony, SKAE_SELF_SIGNED), ERR_REJECTED, "skae-self-signed");
	assert_ok(judge(cert, ak, &testimony, SKAE_BY_CA));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_of_its_own_key_by_its_ak_holds),
		cmocka_unit_test(a_swapped_key_is_found),
		cmocka_unit_test(a_swapped_key_and_area_are_found),
		cmocka_unit_test(another_ak_did_not_say_it),
		cmocka_unit_test(only_an_ak_certificate_vouches),
		cmocka_unit_test(a_key_that_signs_certificates_is_no_ak),
		cmocka_unit_test(the_statement_is_judged_again),
		cmocka_unit_test(nothing_may_follow_what_is_carried),
		cmocka_unit_test(a_self_signed_certificate_names_itself_in_the_statement),
		cmocka_unit_test(a_self_signed_certificate_is_signed_with_its_key),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, make, unmake);
}
