/* test_tpmkey.c - keys for TLS and OpenSSH, made in a TPM, and what its AK says of them. */
#include "enroll/agent/tpmkey.h"

#include "ca/base/ossl.h"
#include "tests/flow/chip.h"
#include "tests/flow/cluster.h"
#include "tests/flow/process.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SERVICE "https://ca.example.test"

static struct maker maker;
static struct chip chips[2]; /* the second one did not make the first one's keys */

static int make(void **state)
{
	AUTO(mem_free) char *dir = text("%s/maker", supervise_dir());

	(void)state;
	maker_init(&maker, dir, "Maker");
	chips_make(&maker, supervise_dir(), chips, COUNT(chips));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(chips); i++)
		chip_free(&chips[i]);
	maker_free(&maker);
	return 0;
}

static void open_chip(size_t i, struct tpm **out)
{
	must(tpm_open(&(struct tpm_access){.tcti = chips[i].tcti}, out) == OK, "%s",
		why()->sentence);
}

static void assert_signed(const struct tpmkey_statement *s, const struct device_ak *ak)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	TPMT_SIGNATURE signature;

	assert_true(TPM_READ(TPMT_SIGNATURE, buf_view(&s->signature), &signature));
	assert_int_equal(TPM2_ALG_RSASSA, signature.sigAlg);
	assert_int_equal(
		1, EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, ak_pkey(ak->judged)));
	assert_int_equal(
		1, EVP_DigestVerify(ctx, signature.signature.rsassa.sig.buffer,
			   signature.signature.rsassa.sig.size, s->attest.p + 2, s->attest.n - 2));
}

/* The statement is about this very key, and for who sent `qualifying`. */
static void assert_says(
	const struct tpmkey_statement *s, const struct tpmkey *key, struct view qualifying)
{
	struct view bytes = {s->attest.p + 2, s->attest.n - 2};
	uint8_t name[2 + EVP_MAX_MD_SIZE];
	TPM2B_PUBLIC public;
	TPMS_ATTEST attest;
	unsigned n = 0;

	assert_true(TPM_READ(TPMS_ATTEST, bytes, &attest));
	assert_int_equal(TPM2_GENERATED_VALUE, attest.magic);
	assert_int_equal(TPM2_ST_ATTEST_CERTIFY, attest.type);
	assert_true(view_equal(
		qualifying, (struct view){attest.extraData.buffer, attest.extraData.size}));
	assert_true(TPM_READ(TPM2B_PUBLIC, buf_view(&key->public), &public));
	name[0] = (uint8_t)(public.publicArea.nameAlg >> 8);
	name[1] = (uint8_t) public.publicArea.nameAlg;
	assert_int_equal(1,
		EVP_Digest(key->public.p + 2, key->public.n - 2, name + 2, &n,
			public.publicArea.nameAlg == TPM2_ALG_SHA384 ? EVP_sha384() : EVP_sha256(),
			NULL));
	assert_true(view_equal(
		(struct view){name, 2 + n}, (struct view){attest.attested.certify.name.name,
						    attest.attested.certify.name.size}));
}

static void every_kind_of_key_is_certified_by_aks_everywhere(void **state)
{
	static const enum ak_hierarchy places[] = {
		AK_BELOW_OWNER, AK_BELOW_ENDORSEMENT, AK_BELOW_EK};
	static const char *const kinds[] = {"p256", "p384", "rsa2048"};
	const struct view qualifying = view_str("0123456789abcdef0123456789abcdef");
	AUTO(tpm_close) struct tpm *tpm = NULL;
	AUTO(device_ek_free) struct device_ek *ek = NULL;

	(void)state;
	open_chip(0, &tpm);
	must(device_ek_find(tpm, "rsa2048", EK_CERTIFICATE_AUTO, &ek) == OK, "%s", why()->sentence);
	for (size_t i = 0; i < COUNT(places); i++) {
		AUTO(device_ak_free) struct device_ak *ak = NULL;

		must(device_ak_create(
			     tpm, ak_recipe_find("rsa2048"), places[i], ek, SERVICE, &ak) == OK,
			"%s", why()->sentence);
		for (size_t k = 0; k < COUNT(kinds); k++) {
			AUTO(tpmkey_free) struct tpmkey *key = NULL;
			AUTO(tpmkey_statement_free) struct tpmkey_statement statement;
			enum key_kind kind;

			tpmkey_statement_init(&statement);
			assert_true(tpmkey_kind_read(kinds[k], &kind));
			must(tpmkey_make(tpm, kind, &key) == OK, "%s", why()->sentence);
			assert_string_equal(kinds[k], tpmkey_kind_text(key));
			must(tpmkey_certify(tpm, key, ak, ek, qualifying, &statement) == OK, "%s",
				why()->sentence);
			assert_says(&statement, key, qualifying);
			assert_signed(&statement, ak);
		}
	}
	tpm_close(&tpm);
	assert_nothing_left(chips[0].tcti);
}

/* As nginx, curl and the rest of them use it. */
static void openssl_signs_with_the_key_file(void **state)
{
	static const enum key_kind kinds[] = {KEY_P256, KEY_P384, KEY_RSA_2048};
	const char *dir = supervise_dir(), *tcti = chips[0].tcti;
	AUTO(mem_free) char *path = text("%s/use.pem", dir);

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO(tpm_close) struct tpm *tpm = NULL;
		AUTO(tpmkey_free) struct tpmkey *key = NULL;

		open_chip(0, &tpm);
		must(tpmkey_make(tpm, kinds[i], &key) == OK, "%s", why()->sentence);
		must(tpmkey_write(key, path) == OK, "%s", why()->sentence);
		tpm_close(&tpm);
		free(tpmtool_must(tcti, dir, "openssl", "pkey", "-provider", "tpm2", "-provider",
			"default", "-in", "use.pem", "-pubout", "-out", "use.pub", NULL));
		free(tpmtool_must(tcti, dir, "openssl", "dgst", "-provider", "tpm2", "-provider",
			"default", "-propquery", "?provider=tpm2", "-sha256", "-sign", "use.pem",
			"-out", "use.sig", "use.pub", NULL));
		free(tpmtool_must(tcti, dir, "openssl", "dgst", "-sha256", "-verify", "use.pub",
			"-signature", "use.sig", "use.pub", NULL));
	}
}

static void a_key_file_is_of_use_to_its_tpm_only(void **state)
{
	AUTO(mem_free) char *path = text("%s/key.pem", supervise_dir());
	AUTO(tpm_close) struct tpm *tpm = NULL, *other = NULL;
	AUTO(tpmkey_free) struct tpmkey *made = NULL, *read = NULL;
	struct stat st;

	(void)state;
	open_chip(0, &tpm);
	must(tpmkey_make(tpm, KEY_P256, &made) == OK, "%s", why()->sentence);
	must(tpmkey_write(made, path) == OK, "%s", why()->sentence);
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	must(tpmkey_read(path, &read) == OK, "%s", why()->sentence);
	assert_int_equal(1, EVP_PKEY_eq(made->pkey, read->pkey));
	{
		AUTO(loaded_flush) struct loaded loaded = LOADED(tpm);

		must(tpmkey_load(tpm, read, &loaded) == OK, "%s", why()->sentence);
	}
	open_chip(1, &other);
	{
		AUTO(loaded_flush) struct loaded loaded = LOADED(other);

		assert_int_equal(ERR_REJECTED, tpmkey_load(other, read, &loaded));
		assert_string_equal("tpm-key", why()->code);
	}
}

/* An AK's file has the same form; TLS with it would fail only at the first handshake. */
static void the_file_of_an_ak_is_no_key_for_everyday_use(void **state)
{
	AUTO(mem_free) char *path = text("%s/ak.pem", supervise_dir());
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(tpmkey_free) struct tpmkey *key = NULL;
	AUTO(tpm_close) struct tpm *tpm = NULL;

	(void)state;
	open_chip(0, &tpm);
	must(device_ak_create(tpm, ak_recipe_default, AK_BELOW_OWNER, NULL, SERVICE, &ak) == OK,
		"%s", why()->sentence);
	must(device_ak_write(ak, path) == OK, "%s", why()->sentence);
	assert_int_equal(ERR_REJECTED, tpmkey_read(path, &key));
	assert_string_equal("tpm-key", why()->code);
	assert_null(key);
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_is_certified_by_aks_everywhere),
		cmocka_unit_test(openssl_signs_with_the_key_file),
		cmocka_unit_test(a_key_file_is_of_use_to_its_tpm_only),
		cmocka_unit_test(the_file_of_an_ak_is_no_key_for_everyday_use),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}

int main(void)
{
	return supervise(run_all);
}
