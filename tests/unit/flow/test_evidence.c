#include "enroll/flow/evidence.h"

#include "ca/base/ossl.h"
#include "ca/sshkey.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/weak.h"
#include "tests/unit/tpm/witness.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdio.h>

#define TICKET view_str("a ticket")

/* What a signer of the shipped templates judges a request by, with a TPM beside it. */
static struct issuer issuer;
static struct service service;
static struct witness witness;

static int make(void **state)
{
	AUTO(mem_free) char *templates = source_path("templates");
	AUTO(problems_free) struct problems problems;
	struct issuer_recipe recipe = issuer_good();

	(void)state;
	problems_init(&problems);
	issuer_make(&recipe, &issuer);
	assert_ok(signer_open(&(struct signer_files){.certificate = issuer.certificate,
				      .key = issuer.key,
				      .passphrase = issuer.passphrase,
				      .templates = templates},
		&problems, &service.signer));
	witness_make(SOFT_P256, false, &witness);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	signer_close(&service.signer);
	issuer_free(&issuer);
	witness_free(&witness);
	return 0;
}

static void ask(struct request *request, size_t i, const char *template)
{
	snprintf(request->keys[i].template, sizeof(request->keys[i].template), "%s", template);
	request->keys_n = i + 1;
}

static enum err judge(const struct request *request, struct evidence_list *out)
{
	*out = (struct evidence_list){.n = 0};
	return evidence_judge(&service, witness.ak, TICKET, request, out);
}

static enum err judge_spki_bytes(struct view der)
{
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;

	request_init(&request);
	ask(&request, 0, "ssh-host");
	buf_add(&request.keys[0].spki, der);
	return judge(&request, &list);
}

static void spki_of(EVP_PKEY *key, struct buf *der)
{
	AUTO(ossl_free) uint8_t *bytes = NULL;
	int n = i2d_PUBKEY(key, &bytes);

	assert_true(key != NULL && n > 0);
	buf_add(der, (struct view){bytes, (size_t)n});
	EVP_PKEY_free(key);
}

static enum err judge_spki(EVP_PKEY *key)
{
	AUTO(buf_free) struct buf der = BUF(LIMIT_SPKI);

	spki_of(key, &der);
	return judge_spki_bytes(buf_view(&der));
}

static EVP_PKEY *rsa_with_exponent_3(void)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	AUTO(bn_free) BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	assert_true(BN_set_word(e, 3) == 1 && EVP_PKEY_keygen_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
		    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1 &&
		    EVP_PKEY_keygen(ctx, &key) == 1);
	return key;
}

static void a_key_that_nobody_speaks_for_is_of_a_kind_that_is_certified(void **state)
{
	(void)state;
	assert_ok(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")));
	assert_ok(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384")));
	assert_ok(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521")));
	assert_ok(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)));
	assert_ok(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")));
	assert_refused(
		judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224")), ERR_MALFORMED, "spki");
	assert_refused(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1")), ERR_MALFORMED,
		"spki");
	assert_refused(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)),
		ERR_MALFORMED, "spki");
	assert_refused(judge_spki(EVP_PKEY_Q_keygen(NULL, NULL, "X25519")), ERR_MALFORMED, "spki");
	assert_refused(judge_spki(rsa_with_exponent_3()), ERR_MALFORMED, "spki");
	assert_refused(judge_spki(weak_key()), ERR_MALFORMED, "spki");
}

static EVP_PKEY *p256_as(const char *parameter, const char *value)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	assert_int_equal(1, EVP_PKEY_set_utf8_string_param(key, parameter, value));
	return key;
}

static void a_key_has_one_encoding(void **state)
{
	AUTO(buf_free) struct buf der = BUF(LIMIT_SPKI);

	(void)state;
	assert_refused(
		judge_spki(p256_as(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed")),
		ERR_MALFORMED, "spki");
	assert_refused(judge_spki(p256_as(OSSL_PKEY_PARAM_EC_ENCODING, "explicit")), ERR_MALFORMED,
		"spki");
	spki_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), &der);
	for (size_t n = 1; n < der.n; n++)
		assert_refused(judge_spki_bytes((struct view){der.p, n}), ERR_MALFORMED, "spki");
	buf_u8(&der, 0);
	assert_refused(judge_spki_bytes(buf_view(&der)), ERR_MALFORMED, "spki");
	der.p[der.n - 2] ^= 1; /* off the curve */
	assert_refused(judge_spki_bytes((struct view){der.p, der.n - 1}), ERR_MALFORMED, "spki");
}

static void an_openssh_key_is_the_same_key(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	ask(&request, 0, "ssh-host");
	assert_ok(sshkey_blob_of(key, &request.keys[0].ssh));
	assert_ok(judge(&request, &list));
	assert_string_equal("ED25519", list.item[0].key.curve);
	/* And as the same key it is not certified twice. */
	ask(&request, 1, "ssh-host");
	EVP_PKEY_up_ref(key);
	spki_of(key, &request.keys[1].spki);
	evidence_free(&list);
	assert_refused(judge(&request, &list), ERR_MALFORMED, "request-keys");
	assert_int_equal(2, list.n);
	assert_memory_equal(list.item[0].key_sha256, list.item[1].key_sha256, SHA256_SIZE);
	request.keys[0].ssh.n--;
	evidence_free(&list);
	assert_refused(judge(&request, &list), ERR_MALFORMED, "ssh-key");
}

static void weak_keys_of_openssh_are_refused_as_well(void **state)
{
	AUTO(pkey_free) EVP_PKEY *weak = weak_key();
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	ask(&request, 0, "ssh-host");
	assert_ok(sshkey_blob_of(weak, &request.keys[0].ssh));
	assert_refused(judge(&request, &list), ERR_MALFORMED, "ssh-key");
}

static void certify(struct request_key *key, struct view ticket, const struct soft_key *of)
{
	struct testimony said;
	uint8_t extra[32];

	assert_ok(certify_qualifying(ticket, extra));
	testify(&witness.signer, of, VIEW(extra), &said);
	buf_add(&key->public, buf_view(&said.public));
	buf_add(&key->attest, buf_view(&said.attest));
	buf_add(&key->signature, buf_view(&said.signature));
	testimony_free(&said);
}

static void the_ak_and_a_key_that_it_certified_are_judged_in_their_order(void **state)
{
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	ask(&request, 0, "tls-server");
	certify(&request.keys[0], TICKET, &witness.key);
	ask(&request, 1, "ak");
	ask(&request, 2, "nobody");
	assert_ok(judge(&request, &list));
	assert_int_equal(3, list.n);
	assert_non_null(list.item[0].certified);
	assert_string_equal("tls-server", list.item[0].tmpl->name);
	assert_null(list.item[1].certified);
	assert_true(makes_ak_certificates(list.item[1].tmpl));
	assert_false(makes_ak_certificates(list.item[0].tmpl));
	assert_null(list.item[2].tmpl);
	assert_memory_not_equal(list.item[0].key_sha256, list.item[1].key_sha256, SHA256_SIZE);
}

static void only_aks_have_aks_certificates(void **state)
{
	static const struct {
		const char *name;
		bool does;
	} rows[] = {{"ak", true}, {"ak-named", true}, {"ak-step", true}, {"ak-private", true},
		{"iak", true}, {"platform-property", false}, {"tls-client", false},
		{"ldevid", false}, {"ssh-host", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(rows[i].does,
			makes_ak_certificates(signer_template_named(service.signer, rows[i].name)));
}

static void a_statement_is_for_one_ticket(void **state)
{
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	ask(&request, 0, "tls-server");
	certify(&request.keys[0], view_str("another ticket"), &witness.key);
	assert_refused(judge(&request, &list), ERR_REJECTED, "attest-qualifying-data");
}

/* A host's key may be in the TPM; what is said of it is then judged as for a template that insists on it. */
static void any_key_may_be_one_that_the_ak_certified(void **state)
{
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;

	(void)state;
	request_init(&request);
	ask(&request, 0, "ssh-host");
	certify(&request.keys[0], TICKET, &witness.key);
	assert_ok(judge(&request, &list));
	assert_non_null(list.item[0].certified);
	evidence_free(&list);
	request.keys[0].attest.p[request.keys[0].attest.n - 1] ^= 1;
	assert_refused(judge(&request, &list), ERR_REJECTED, "attest-signature");
}

static void a_key_that_also_decrypts_is_for_templates_that_say_so(void **state)
{
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;
	struct soft_key key;
	TPMT_PUBLIC area;

	(void)state;
	soft_tls_area(false, &area);
	area.objectAttributes |= TPMA_OBJECT_DECRYPT;
	assert_true(soft_key_make(&area, NULL, &key));
	request_init(&request);
	ask(&request, 0, "tls-server");
	certify(&request.keys[0], TICKET, &key);
	assert_refused(judge(&request, &list), ERR_REJECTED, "key-decrypts");
	soft_key_free(&key);
}

static void each_class_has_its_members(void **state)
{
	enum { PUBLIC = 1, ATTEST = 2, SIGNATURE = 4, SPKI = 8, SSH = 16 };
	static const struct {
		const char *template;
		unsigned members;
	} rows[] = {{"ak", PUBLIC}, {"ak", ATTEST}, {"ak", SIGNATURE}, {"ak", SPKI}, {"ak", SSH},
		{"ak", PUBLIC | ATTEST | SIGNATURE}, {"tls-server", 0},
		{"tls-server", ATTEST | SIGNATURE}, {"tls-server", PUBLIC | SIGNATURE},
		{"tls-server", PUBLIC | ATTEST}, {"tls-server", SPKI},
		{"tls-server", PUBLIC | ATTEST | SIGNATURE | SPKI},
		{"tls-server", PUBLIC | ATTEST | SIGNATURE | SSH}, {"ssh-host", 0},
		{"ssh-host", SPKI | SSH}, {"ssh-host", SSH | PUBLIC}, {"ssh-host", PUBLIC | ATTEST},
		{"ssh-host", PUBLIC | ATTEST | SIGNATURE | SSH}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(evidence_free) struct evidence_list list;
		AUTO(request_free) struct request request;
		struct buf *members[] = {&request.keys[0].public, &request.keys[0].attest,
			&request.keys[0].signature, &request.keys[0].spki, &request.keys[0].ssh};

		request_init(&request);
		ask(&request, 0, rows[i].template);
		for (size_t k = 0; k < COUNT(members); k++)
			if ((rows[i].members >> k & 1) != 0)
				buf_u8(members[k], 1);
		assert_refused(judge(&request, &list), ERR_MALFORMED, "request-key");
	}
}

static void the_ak_is_not_any_key(void **state)
{
	AUTO(evidence_free) struct evidence_list list;
	AUTO(request_free) struct request request;
	AUTO(buf_free) struct buf der = BUF(LIMIT_SPKI);

	(void)state;
	EVP_PKEY_up_ref(ak_pkey(witness.ak));
	spki_of(ak_pkey(witness.ak), &der);
	assert_refused(judge_spki_bytes(buf_view(&der)), ERR_MALFORMED, "request-key");
	request_init(&request);
	ask(&request, 0, "ssh-host");
	assert_ok(sshkey_blob_of(ak_pkey(witness.ak), &request.keys[0].ssh));
	assert_refused(judge(&request, &list), ERR_MALFORMED, "request-key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_nobody_speaks_for_is_of_a_kind_that_is_certified),
		cmocka_unit_test(a_key_has_one_encoding),
		cmocka_unit_test(an_openssh_key_is_the_same_key),
		cmocka_unit_test(weak_keys_of_openssh_are_refused_as_well),
		cmocka_unit_test(the_ak_and_a_key_that_it_certified_are_judged_in_their_order),
		cmocka_unit_test(only_aks_have_aks_certificates),
		cmocka_unit_test(a_statement_is_for_one_ticket),
		cmocka_unit_test(any_key_may_be_one_that_the_ak_certified),
		cmocka_unit_test(a_key_that_also_decrypts_is_for_templates_that_say_so),
		cmocka_unit_test(each_class_has_its_members),
		cmocka_unit_test(the_ak_is_not_any_key),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
