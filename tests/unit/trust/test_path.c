/* test_path.c - which of many certificates lead to a root, and what is said when none does. */
#include "ca/base/ossl.h"
#include "enroll/trust/path.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/trust/pki.h"

#define UNTRUSTED ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1"
#define OTHER_KEY ERR_REJECTED, "ek-untrusted", "RFC 5280 4.2.1.1"
#define SIGNATURE ERR_REJECTED, "ek-signature", "RFC 5280 6.1.3 (a)(1)"
#define LIMIT ERR_REJECTED, "ek-chain", "PROTOCOL limits"

/* An intermediate of the world's name with a key of its own, before or after the right one. */
static X509 *add_namesake(struct world *world, STACK_OF(X509) *stack, EVP_PKEY *key)
{
	struct recipe recipe = recipe_ca("Intermediate", key, world->root, world->root_key);

	return world_add(stack, &recipe);
}

/* AMD's way: one name, an RSA key and an ECC key. */
static void two_kinds_of_key(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *rsa = key_pair(KEY_RSA_2048);
	struct recipe recipe = recipe_root("Root", rsa);
	X509 *other = world_add(world->roots, &recipe);

	recipe = recipe_ca("Intermediate", world->ca_key, other, rsa);
	world_ca(world, &recipe);
}

/* The same CA certificate of another life; the one that has ended is tried and not used. */
static void one_key_two_lives(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.until = NOW - 1;
	recipe.serial = 2;
	world_add(world->hints, &recipe);
	recipe.from = NOW - 2 * YEAR;
	recipe.serial = 3;
	world_add(world->hints, &recipe);
}

/* A root that somebody else signed is an anchor; its signer is not known, and not asked for. */
static void cross_signed_root(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Elsewhere", key);
	AUTO(x509_free) X509 *elsewhere = certificate_made(&recipe);

	recipe = recipe_ca("Root", world->root_key, elsewhere, key);
	world_root(world, &recipe);
}

/* Both ways lead to the key: the anchor's own certificate, and one by another root of ours. */
static void cross_signed_beside(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Other root", key);
	X509 *other = world_add(world->roots, &recipe);

	recipe = recipe_ca("Root", world->root_key, other, key);
	world_add(world->hints, &recipe);
}

/* X.520: blanks in a row are one. Intel writes its CA's name with two. */
static void name_with_two_blanks(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Inter  mediate", world->ca_key, world->root, world->root_key);

	world_ca(world, &recipe);
	recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);
	recipe.issuer_name = "inter mediate";
	world_leaf(world, &recipe);
}

static void root_without_key_ids(struct world *world)
{
	struct recipe recipe = recipe_root("Root", world->root_key);

	recipe.lacks_authority_id = true;
	world_root(world, &recipe);
}

static void loop_beside(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Other", key);
	AUTO(x509_free) X509 *other = certificate_made(&recipe);

	recipe = recipe_ca("Other", key, world->ca, world->ca_key);
	world_add(world->hints, &recipe);
	recipe = recipe_ca("Intermediate", world->ca_key, other, key);
	world_add(world->hints, &recipe);
}

static void namesakes_sent(struct world *world)
{
	for (int i = 0; i < 8; i++) {
		AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);

		add_namesake(world, world->sent, key);
	}
}

/* The one that is good ends first, so that it is the last to be tried. */
static void many_lives_of_no_use(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.from = NOW + YEAR;
	recipe.until = NOW + INT64_C(20) * YEAR;
	for (recipe.serial = 2; recipe.serial < 8; recipe.serial++)
		world_add(world->hints, &recipe);
}

static void the_path_that_leads_to_a_root_is_found(void **state)
{
	static const struct world_row rows[] = {
		{"two-kinds-of-key", two_kinds_of_key, OK, "", ""},
		{"one-key-two-lives", one_key_two_lives, OK, "", ""},
		{"many-lives-of-no-use", many_lives_of_no_use, OK, "", ""},
		{"cross-signed-root", cross_signed_root, OK, "", ""},
		{"cross-signed-beside", cross_signed_beside, OK, "", ""},
		{"two-blanks", name_with_two_blanks, OK, "", ""},
		{"root-without-key-ids", root_without_key_ids, OK, "", ""},
		{"loop-beside", loop_beside, OK, "", ""},
		{"namesakes-sent", namesakes_sent, OK, "", ""},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

/* Leaf and CAs, without a root: each certifies the other. */
static void only_a_loop(struct world *world)
{
	loop_beside(world);
	X509_free(sk_X509_shift(world->hints));
}

static void key_id_of_nobody(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_ca("Intermediate", key, world->root, world->root_key);
	AUTO(x509_free) X509 *namesake = certificate_made(&recipe);

	recipe = recipe_ek(world->ek_key, namesake, key);
	world_leaf(world, &recipe);
}

/* As TPM 1.2 intermediates have it: issuer and serial number are the CA's own, not its issuer's. */
static void key_id_names_the_ca_itself(struct world *world)
{
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
	GENERAL_NAME *name = GENERAL_NAME_new();

	GENERAL_NAME_set0_value(name, GEN_DIRNAME, X509_NAME_dup(X509_get_subject_name(world->ca)));
	id->issuer = GENERAL_NAMES_new();
	assert_true(sk_GENERAL_NAME_push(id->issuer, name) > 0);
	id->serial = ASN1_INTEGER_dup(X509_get0_serialNumber(world->ca));
	assert_int_equal(1, X509_add1_ext_i2d(world->leaf, NID_authority_key_identifier, id, 0,
				    X509V3_ADD_REPLACE));
	assert_true(X509_sign(world->leaf, world->ca_key, EVP_sha256()) > 0);
	AUTHORITY_KEYID_free(id);
}

static void forged_leaf(struct world *world, bool lacks_authority_id)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, key);

	recipe.lacks_authority_id = lacks_authority_id;
	world_leaf(world, &recipe);
}

static void forged(struct world *world)
{
	forged_leaf(world, false);
}

/* Without a key identifier every CA of the name is tried; none signed it. */
static void forged_without_key_id(struct world *world)
{
	forged_leaf(world, true);
}

/* A bad signature is not excused by a CA of that name that might exist somewhere. */
static void forged_beside_a_namesake(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);

	add_namesake(world, world->hints, key);
	forged(world);
}

static void five_above(struct world *world)
{
	world_deep(world, 4);
}

/* Each has the right name and no key identifier that says otherwise, and each costs a signature. */
static void too_many_namesakes(struct world *world)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);

	recipe.lacks_authority_id = true;
	world_leaf(world, &recipe);
	stack_empty(world->hints);
	namesakes_sent(world);
	stack_add(world->sent, world->ca);
}

/* Seven certificates of one key that certify each other, and one of them leads to nobody. */
static void a_thicket_sent(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P521);
	AUTO(pkey_free) EVP_PKEY *unknown = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Thicket", key);
	AUTO(x509_free) X509 *self = certificate_made(&recipe);

	recipe = recipe_ca("Thicket", key, self, key);
	for (recipe.serial = 2; recipe.serial < 8; recipe.serial++)
		world_add(world->sent, &recipe);
	recipe = recipe_root("Nobody", unknown);
	X509 *nobody = certificate_made(&recipe);
	recipe = recipe_ca("Thicket", key, nobody, unknown);
	world_add(world->sent, &recipe);
	X509_free(nobody);
	recipe = recipe_ek(world->ek_key, self, key);
	world_leaf(world, &recipe);
}

/* A device cannot make an anchor of what it sends, nor an import of an intermediate. */
static void sent_and_imported_end_no_chain(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Unrelated", key);

	stack_add(world->sent, world->root);
	stack_add(world->hints, world->root);
	world_root(world, &recipe);
}

static void each_dead_end_has_its_reason(void **state)
{
	static const struct world_row rows[] = {
		{"only-a-loop", only_a_loop, UNTRUSTED},
		{"key-id-of-nobody", key_id_of_nobody, OTHER_KEY},
		{"key-id-names-the-ca-itself", key_id_names_the_ca_itself, OTHER_KEY},
		{"forged", forged, SIGNATURE},
		{"forged-without-key-id", forged_without_key_id, SIGNATURE},
		{"forged-beside-a-namesake", forged_beside_a_namesake, SIGNATURE},
		{"five-above", five_above, LIMIT},
		{"too-many-namesakes", too_many_namesakes, LIMIT},
		{"a-thicket-sent", a_thicket_sent, LIMIT},
		{"no-anchor-of-the-devices", sent_and_imported_end_no_chain, UNTRUSTED},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static enum err count_judged(void *ctx, const struct path *path, bool is_whole)
{
	unsigned *judged = ctx;

	(void)path, (void)is_whole;
	*judged += 1;
	return refuse(ERR_REJECTED, "ek-chain", "RFC 5280 6.1", "no");
}

/* It would be 37 here: each of them is four signatures once more. */
static void what_is_sent_does_not_make_many_paths_to_be_judged(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(trust_free) struct trust *trust = NULL;
	unsigned judged = 0;

	(void)state;
	world_make(&world);
	a_thicket_sent(&world);
	trust = world_trust(&world);
	assert_refused(path_search(trust, world.sent, world.leaf, count_judged, &judged),
		ERR_REJECTED, "ek-chain");
	assert_int_equal(judged, PATH_JUDGED);
}

static void unknown(struct world *world)
{
	stack_empty(world->hints);
}

static void unknown_and_ended(struct world *world)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);

	recipe.until = NOW - 1;
	world_leaf(world, &recipe);
	unknown(world);
}

static void unknown_and_no_ca(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Unrelated", key);

	world_root(world, &recipe);
	recipe = recipe_ca("Intermediate", world->ca_key, world->root, key);
	recipe.issuer_name = "Unknown";
	recipe.constraints = "critical,CA:FALSE";
	recipe.key_usage = NULL;
	world_ca(world, &recipe);
	stack_empty(world->hints);
	stack_add(world->sent, world->ca);
	recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);
	world_leaf(world, &recipe);
}

static void unknown_and_weak(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);

	world_ca(world, &recipe);
	recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);
	recipe.digest = EVP_sha1();
	world_leaf(world, &recipe);
	recipe = recipe_root("Unrelated", key);
	world_root(world, &recipe);
}

/* Only what has no other fault may wait for somebody to trust its root. */
static void an_unknown_root_is_no_excuse_for_another_fault(void **state)
{
	static const struct world_row rows[] = {
		{"unknown", unknown, UNTRUSTED},
		{"ended", unknown_and_ended, ERR_REJECTED, "ek-expired", "RFC 5280 6.1.3 (a)(2)"},
		{"no-ca", unknown_and_no_ca, ERR_REJECTED, "ek-chain", "RFC 5280 4.2.1.9"},
		{"weak", unknown_and_weak, ERR_REJECTED, "ek-weak", "RFC 5280 6.1.3 (a)(1)"},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void add_access(X509 *cert, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_info_access, value);

	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static void assert_says(const struct world *world, const char *const *words, size_t n)
{
	struct trust_verdict verdict;

	assert_int_equal(ERR_REJECTED, world_verify(world, &verdict));
	for (size_t i = 0; i < n; i++)
		if (strstr(why()->sentence, words[i]) == NULL)
			fail_msg("no \"%s\" in: %s", words[i], why()->sentence);
}

static void a_missing_issuer_is_named_with_key_and_address(void **state)
{
	static const char *const words[] = {"\"CN=Intermediate\"", "key id ", "the EK certificate",
		"endorsectl vendors import", "http://example.org/the%20ca.cer"};
	static const char *const root[] = {"\"CN=Root\"", "SHA-256 ", "endorsectl vendors import"};
	AUTO(world_free) struct world world;

	(void)state;
	world_make(&world);
	unknown(&world);
	add_access(world.leaf, "OCSP;URI:http://example.org/ocsp,"
			       "caIssuers;URI:http://example.org/the ca.cer");
	assert_true(X509_sign(world.leaf, world.ca_key, EVP_sha256()) > 0);
	assert_says(&world, words, COUNT(words));
	sent_and_imported_end_no_chain(&world);
	stack_add(world.hints, world.ca);
	assert_says(&world, root, COUNT(root));
}

static void an_address_that_is_no_plain_text_is_not_shown(void **state)
{
	static const char *const values[] = {
		"caIssuers;URI:http://example.org/\033[31m", "caIssuers;URI:ldap://example.org/x"};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		AUTO(world_free) struct world world;
		struct trust_verdict verdict;

		world_make(&world);
		unknown(&world);
		add_access(world.leaf, values[i]);
		assert_true(X509_sign(world.leaf, world.ca_key, EVP_sha256()) > 0);
		assert_refused(world_verify(&world, &verdict), ERR_REJECTED, "ek-untrusted");
		assert_null(strstr(why()->sentence, "example.org"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_path_that_leads_to_a_root_is_found),
		cmocka_unit_test(each_dead_end_has_its_reason),
		cmocka_unit_test(what_is_sent_does_not_make_many_paths_to_be_judged),
		cmocka_unit_test(an_unknown_root_is_no_excuse_for_another_fault),
		cmocka_unit_test(a_missing_issuer_is_named_with_key_and_address),
		cmocka_unit_test(an_address_that_is_no_plain_text_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
