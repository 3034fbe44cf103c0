#include "enroll/trust/trust.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/trust/pki.h"

static void nothing(struct world *world)
{
	(void)world;
}

static void intermediate_sent(struct world *world)
{
	stack_empty(world->hints);
	stack_add(world->sent, world->ca);
}

static void root_sent_too(struct world *world)
{
	intermediate_sent(world);
	stack_add(world->sent, world->root);
}

static void signed_by_the_root(struct world *world)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->root, world->root_key);

	world_leaf(world, &recipe);
}

/* Two CAs of one name, each with its own key; `first` is the one that signed. */
static void one_name_two_cas(struct world *world, bool first)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_ca("Intermediate", key, world->root, world->root_key);
	X509 *other = world_add(world->hints, &recipe);

	recipe = recipe_ek(world->ek_key, first ? world->ca : other, first ? world->ca_key : key);
	world_leaf(world, &recipe);
}

static void by_the_first_of_one_name(struct world *world)
{
	one_name_two_cas(world, true);
}

static void by_the_second_of_one_name(struct world *world)
{
	one_name_two_cas(world, false);
}

static void by_a_second_root_of_one_name(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Root", key);
	X509 *other = world_add(world->roots, &recipe);

	recipe = recipe_ek(world->ek_key, other, key);
	world_leaf(world, &recipe);
}

/* The intermediate is a root of the service; the one above it is not. */
static void pinned_anchor(struct world *world)
{
	stack_empty(world->roots);
	stack_empty(world->hints);
	stack_add(world->roots, world->ca);
}

static void four_above(struct world *world)
{
	world_deep(world, 3);
}

static void five_above(struct world *world)
{
	world_deep(world, 4);
}

static void a_good_chain_verifies(void **state)
{
	static const struct world_row rows[] = {
		{"base", nothing, OK, "", ""},
		{"intermediate-sent", intermediate_sent, OK, "", ""},
		{"root-sent-too", root_sent_too, OK, "", ""},
		{"signed-by-the-root", signed_by_the_root, OK, "", ""},
		{"one-name-first", by_the_first_of_one_name, OK, "", ""},
		{"one-name-second", by_the_second_of_one_name, OK, "", ""},
		{"one-name-roots", by_a_second_root_of_one_name, OK, "", ""},
		{"pinned-anchor", pinned_anchor, OK, "", ""},
		{"four-above", four_above, OK, "", ""},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void other_root(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Other", key);

	world_root(world, &recipe);
}

static void root_of_the_same_name(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Root", key);

	world_root(world, &recipe);
}

static void root_only_sent(struct world *world)
{
	root_sent_too(world);
	other_root(world);
}

static void no_intermediate(struct world *world)
{
	stack_empty(world->hints);
}

/* A hint leads to roots; it is none, though its own issuer is not known here. */
static void intermediate_is_no_anchor(struct world *world)
{
	other_root(world);
}

static void change_ca(struct world *world, const char *constraints, const char *usage)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.constraints = constraints;
	recipe.key_usage = usage;
	world_ca(world, &recipe);
	intermediate_sent(world); /* a directory's would not even be taken */
}

static void intermediate_without_ca(struct world *world)
{
	change_ca(world, "critical,CA:FALSE", NULL);
}

static void intermediate_without_constraints(struct world *world)
{
	change_ca(world, NULL, "critical,keyCertSign");
}

static void intermediate_that_may_not_sign(struct world *world)
{
	change_ca(world, "critical,CA:TRUE", "critical,cRLSign");
}

static void bad_signature(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, key);

	world_leaf(world, &recipe);
}

static void bad_signature_above(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_ca("Intermediate", world->ca_key, world->root, key);

	world_ca(world, &recipe);
}

static void path_too_long(struct world *world)
{
	struct recipe recipe = recipe_root("Root", world->root_key);

	recipe.constraints = "critical,CA:TRUE,pathlen:0";
	world_root(world, &recipe);
}

static void unknown_critical_extension(struct world *world)
{
	static const uint8_t null[] = {0x05, 0x00};
	ASN1_OBJECT *type = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(value, null, sizeof(null));
	extension = X509_EXTENSION_create_by_OBJ(NULL, type, 1, value);
	assert_int_equal(1, X509_add_ext(world->leaf, extension, -1));
	assert_true(X509_sign(world->leaf, world->ca_key, EVP_sha256()) > 0);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(type);
}

#define UNTRUSTED ERR_REJECTED, "ek-untrusted", "RFC 5280 6.1"
#define SIGNATURE ERR_REJECTED, "ek-signature", "RFC 5280 6.1.3 (a)(1)"
#define OTHER_KEY ERR_REJECTED, "ek-untrusted", "RFC 5280 4.2.1.1"
#define FAULTY(clause) ERR_REJECTED, "ek-chain", clause

static void a_chain_to_no_root_of_ours_is_untrusted(void **state)
{
	static const struct world_row rows[] = {
		{"ek-unknown-root", other_root, UNTRUSTED},
		{"root-only-sent", root_only_sent, UNTRUSTED},
		{"no-intermediate", no_intermediate, UNTRUSTED},
		{"intermediate-is-no-anchor", intermediate_is_no_anchor, UNTRUSTED},
		{"root-of-the-same-name", root_of_the_same_name, OTHER_KEY},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void a_signature_is_by_the_ca_that_is_known_and_no_other(void **state)
{
	static const struct world_row rows[] = {
		{"bad-signature", bad_signature, SIGNATURE},
		{"bad-signature-above", bad_signature_above, SIGNATURE},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void each_certificate_of_a_chain_is_as_it_must_be(void **state)
{
	static const struct world_row rows[] = {
		{"intermediate-without-ca", intermediate_without_ca, FAULTY("RFC 5280 4.2.1.9")},
		{"intermediate-without-constraints", intermediate_without_constraints,
			FAULTY("RFC 5280 4.2.1.9")},
		{"intermediate-may-not-sign", intermediate_that_may_not_sign,
			FAULTY("RFC 5280 4.2.1.3")},
		{"path-length", path_too_long, FAULTY("RFC 5280 4.2.1.9")},
		{"five-above", five_above, FAULTY("PROTOCOL limits")},
		{"critical-extension", unknown_critical_extension, FAULTY("RFC 5280 4.2")},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void old_leaf(struct world *world)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);

	recipe.until = NOW - 1;
	world_leaf(world, &recipe);
}

static void early_leaf(struct world *world)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);

	recipe.from = NOW + 60;
	world_leaf(world, &recipe);
}

static void old_intermediate(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.until = NOW - 1;
	world_ca(world, &recipe);
}

static void old_root(struct world *world)
{
	struct recipe recipe = recipe_root("Root", world->root_key);

	recipe.until = NOW - 1;
	world_root(world, &recipe);
}

#define EXPIRED ERR_REJECTED, "ek-expired", "RFC 5280 6.1.3 (a)(2)"
#define NOT_YET ERR_REJECTED, "ek-not-yet-valid", "RFC 5280 6.1.3 (a)(2)"

static void each_certificate_of_a_chain_must_be_in_its_time(void **state)
{
	static const struct world_row rows[] = {
		{"leaf", old_leaf, EXPIRED},
		{"leaf-not-yet", early_leaf, NOT_YET},
		{"intermediate", old_intermediate, EXPIRED},
		{"root", old_root, EXPIRED},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void send_twice(struct world *world)
{
	intermediate_sent(world);
	stack_add(world->sent, world->ca);
}

static void send_with_key(struct world *world, EVP_PKEY *key)
{
	struct recipe recipe = recipe_ca("Odd", key, world->root, world->root_key);

	recipe.key = key;
	world_add(world->sent, &recipe);
	EVP_PKEY_free(key);
}

static void send_rsa_1024(struct world *world)
{
	send_with_key(world, rsa_of_bits(1024, 65537));
}

static void send_rsa_16384(struct world *world)
{
	send_with_key(world, rsa_of_bits(16384, 65537));
}

static void send_exponent(struct world *world)
{
	send_with_key(world, rsa_of_bits(2048, 3));
}

static void send_curve(struct world *world)
{
	send_with_key(world, EVP_EC_gen("secp256k1"));
}

#define CHAIN ERR_REJECTED, "ek-chain", "PROTOCOL limits"

static void sent_intermediates_are_looked_at_before_they_are_used(void **state)
{
	static const struct world_row rows[] = {
		{"twice", send_twice, CHAIN},
		{"rsa-1024", send_rsa_1024, CHAIN},
		{"rsa-16384", send_rsa_16384, CHAIN},
		{"exponent-3", send_exponent, CHAIN},
		{"secp256k1", send_curve, CHAIN},
	};
	AUTO(world_free) struct world world;
	AUTO(trust_free) struct trust *trust = NULL;
	const struct view garbage[] = {view_str("garbage")};
	struct trust_verdict verdict;

	(void)state;
	world_check(rows, COUNT(rows));
	world_make(&world);
	trust = world_trust(&world);
	assert_ok(trust_verify(trust, &QUESTION(world.leaf), &verdict));
	assert_refused(trust_verify(trust,
			       &(struct trust_question){.leaf = world.leaf,
				       .sent = garbage,
				       .sent_n = 1,
				       .manufacturer = "id:00001014",
				       .version = "id:20191023",
				       .now = NOW},
			       &verdict),
		ERR_REJECTED, "ek-chain");
}

static void a_verdict_says_what_the_chain_led_to(void **state)
{
	AUTO(world_free) struct world world;
	struct trust_verdict verdict;

	(void)state;
	world_make(&world);
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(TRUST_OPERATOR_IMPORT, verdict.class);
	assert_string_equal("unit", verdict.source);
	assert_string_equal("CN=Intermediate\nCN=Root", verdict.chain);
	pinned_anchor(&world);
	assert_ok(world_verify(&world, &verdict));
	assert_string_equal("CN=Intermediate", verdict.chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_chain_verifies),
		cmocka_unit_test(a_chain_to_no_root_of_ours_is_untrusted),
		cmocka_unit_test(a_signature_is_by_the_ca_that_is_known_and_no_other),
		cmocka_unit_test(each_certificate_of_a_chain_is_as_it_must_be),
		cmocka_unit_test(each_certificate_of_a_chain_must_be_in_its_time),
		cmocka_unit_test(sent_intermediates_are_looked_at_before_they_are_used),
		cmocka_unit_test(a_verdict_says_what_the_chain_led_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
