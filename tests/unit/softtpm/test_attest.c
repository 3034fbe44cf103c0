#include "tests/softtpm/attest.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#define SERVICE "https://ca.example.org"

static struct soft_key aks[SOFT_AKS];
static const struct soft_moment moment = {
	.clock = {.clock = 123456789, .resetCount = 3, .restartCount = 1, .safe = 1},
	.firmware = 0x2019102300163636};

static int make(void **state)
{
	(void)state;
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++) {
		EVP_PKEY *same = ak == SOFT_RSAPSS_2048	  ? aks[SOFT_RSASSA_2048].pkey
				 : ak == SOFT_RSAPSS_3072 ? aks[SOFT_RSASSA_3072].pkey
							  : NULL;

		assert_true(soft_ak_make(ak, SERVICE, same, &aks[ak]));
	}
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++)
		soft_key_free(&aks[ak]);
	return 0;
}

static void ecdsa_sig_free(ECDSA_SIG **sig)
{
	ECDSA_SIG_free(*sig);
}

/* OpenSSL's form of the signature. */
static void signature_bytes(const TPMT_SIGNATURE *signature, struct buf *out)
{
	const TPMS_SIGNATURE_ECC *ecc = &signature->signature.ecdsa;
	AUTO(ecdsa_sig_free) ECDSA_SIG *sig = ECDSA_SIG_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	if (signature->sigAlg != TPM2_ALG_ECDSA) {
		buf_add(out, VIEW_2B(&signature->signature.rsassa.sig, buffer));
		return;
	}
	ECDSA_SIG_set0(sig, BN_bin2bn(ecc->signatureR.buffer, ecc->signatureR.size, NULL),
		BN_bin2bn(ecc->signatureS.buffer, ecc->signatureS.size, NULL));
	n = i2d_ECDSA_SIG(sig, &der);
	buf_add(out, (struct view){der, (size_t)n});
}

static bool verifies(const struct soft_key *ak, const struct soft_attest *made)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	AUTO(buf_free) struct buf signature = BUF(1024);
	EVP_PKEY_CTX *key = NULL;

	signature_bytes(&made->signature, &signature);
	assert_int_equal(
		1, EVP_DigestVerifyInit(ctx, &key, soft_md(made->signature.signature.any.hashAlg),
			   NULL, ak->pkey));
	if (made->signature.sigAlg == TPM2_ALG_RSAPSS) {
		EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST);
	}
	return EVP_DigestVerify(ctx, signature.p, signature.n, made->attested.attestationData,
		       made->attested.size) == 1;
}

static void unmarshal(const struct soft_attest *made, TPMS_ATTEST *out)
{
	size_t n = 0;

	assert_int_equal(0, Tss2_MU_TPMS_ATTEST_Unmarshal(
				    made->attested.attestationData, made->attested.size, &n, out));
	assert_int_equal(n, made->attested.size);
}

static void assert_says(const struct soft_attest *made, const struct soft_key *ak,
	TPMI_ST_ATTEST type, TPMS_ATTEST *out)
{
	const TPMT_PUBLIC *area = &ak->public.publicArea;

	assert_int_equal(made->signature.sigAlg, area->type == TPM2_ALG_RSA
							 ? area->parameters.rsaDetail.scheme.scheme
							 : TPM2_ALG_ECDSA);
	unmarshal(made, out);
	assert_int_equal(out->magic, 0xff544347);
	assert_int_equal(out->type, type);
	assert_view_equal(VIEW_2B(&ak->qualified_name, name), VIEW_2B(&out->qualifiedSigner, name));
	assert_view_equal(view_str("a nonce"), VIEW_2B(&out->extraData, buffer));
	assert_int_equal(out->clockInfo.clock, 123456789);
	assert_int_equal(out->clockInfo.resetCount, 3);
	assert_int_equal(out->firmwareVersion, moment.firmware);
}

static void every_ak_signs_a_quote_that_openssl_verifies(void **state)
{
	struct soft_pcrs pcrs = {0};
	uint8_t digest[32] = {7};
	TPM2B_DIGEST wanted;

	(void)state;
	assert_true(soft_pcr_extend(&pcrs, 7, digest));
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++) {
		TPMS_ATTEST attest;
		struct soft_attest made;

		assert_true(soft_quote(&aks[ak], &pcrs, 0x81, view_str("a nonce"), &moment, &made));
		assert_says(&made, &aks[ak], TPM2_ST_ATTEST_QUOTE, &attest);
		assert_int_equal(attest.attested.quote.pcrSelect.count, 1);
		assert_int_equal(
			attest.attested.quote.pcrSelect.pcrSelections[0].pcrSelect[0], 0x81);
		assert_true(
			soft_pcr_digest(&pcrs, 0x81, aks[ak].public.publicArea.nameAlg, &wanted));
		assert_view_equal(VIEW_2B(&wanted, buffer),
			VIEW_2B(&attest.attested.quote.pcrDigest, buffer));
		if (!verifies(&aks[ak], &made))
			fail_msg("%s", soft_ak_text(ak));
		made.attested.attestationData[made.attested.size - 1] ^= 1;
		assert_false(verifies(&aks[ak], &made));
	}
}

static void every_ak_certifies_a_key_by_its_names(void **state)
{
	AUTO(soft_key_free) struct soft_key object;

	(void)state;
	assert_true(soft_ek_make(SOFT_L2, NULL, &object));
	for (enum soft_ak ak = 0; ak < SOFT_AKS; ak++) {
		TPMS_ATTEST attest;
		struct soft_attest made;

		assert_true(soft_certify(&aks[ak], &object, view_str("a nonce"), &moment, &made));
		assert_says(&made, &aks[ak], TPM2_ST_ATTEST_CERTIFY, &attest);
		assert_view_equal(
			VIEW_2B(&object.name, name), VIEW_2B(&attest.attested.certify.name, name));
		assert_view_equal(VIEW_2B(&object.qualified_name, name),
			VIEW_2B(&attest.attested.certify.qualifiedName, name));
		if (!verifies(&aks[ak], &made))
			fail_msg("%s", soft_ak_text(ak));
	}
}

static void a_key_that_does_not_sign_attests_nothing(void **state)
{
	AUTO(soft_key_free) struct soft_key ek;
	struct soft_attest made;

	(void)state;
	assert_true(soft_ek_make(SOFT_L2, NULL, &ek));
	assert_false(soft_certify(&ek, &ek, view_str("a nonce"), &moment, &made));
}

static void a_pcr_is_extended_as_the_specification_says(void **state)
{
	struct soft_pcrs pcrs = {0};
	uint8_t both[64] = {0}, digest[32] = {1};
	TPM2B_DIGEST wanted;

	(void)state;
	both[32] = 1;
	assert_true(soft_pcr_extend(&pcrs, 23, digest));
	assert_true(SOFT_HASH(TPM2_ALG_SHA256, &wanted, VIEW(both)));
	assert_view_equal(VIEW_2B(&wanted, buffer), VIEW(pcrs.value[23]));
	assert_false(soft_pcr_extend(&pcrs, 24, digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ak_signs_a_quote_that_openssl_verifies),
		cmocka_unit_test(every_ak_certifies_a_key_by_its_names),
		cmocka_unit_test(a_key_that_does_not_sign_attests_nothing),
		cmocka_unit_test(a_pcr_is_extended_as_the_specification_says),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
