#include "enroll/agent/anchor.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "maker.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct certifier ours, other;
	EVP_PKEY *key;
	char *dir;
	char *root, *mixed;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	AUTO(x509_free) X509 *leaf = NULL;

	assert_non_null(f);
	certifier_make(&f->ours);
	certifier_make(&f->other);
	f->key = made_key();
	f->dir = made_directory();
	leaf = certifier_issue(&f->ours, f->key, NULL, -60, 3600);
	pem_put(f->dir, "root", f->ours.root);
	pem_put(f->dir, "leaf", leaf);
	f->root = path_join(f->dir, "root");
	f->mixed = path_join(f->dir, "leaf");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	certifier_free(&f->ours);
	certifier_free(&f->other);
	EVP_PKEY_free(f->key);
	directory_remove(f->dir);
	free(f->dir);
	free(f->root);
	free(f->mixed);
	free(f);
	return 0;
}

static STACK_OF(X509) *stack_of(X509 *certificate)
{
	STACK_OF(X509) *stack = sk_X509_new_null();

	X509_up_ref(certificate);
	sk_X509_push(stack, certificate);
	return stack;
}

static enum err check(
	const struct anchors *anchors, struct certifier *by, EVP_PKEY *key, long until)
{
	AUTO(x509_free) X509 *leaf = certifier_issue(by, key, NULL, -60, until);
	AUTO(x509_stack_free) STACK_OF(X509) *chain = stack_of(by->intermediate);

	return anchors_check(anchors, leaf, chain);
}

static void only_what_leads_to_an_anchor_today_is_taken(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;

	assert_int_equal(OK, anchors_read(f->root, &anchors));
	assert_int_equal(OK, check(anchors, &f->ours, f->key, 3600));
	assert_int_equal(ERR_DENIED, check(anchors, &f->ours, f->key, -5));
	/* The same names, other keys. */
	assert_int_equal(ERR_DENIED, check(anchors, &f->other, f->key, 3600));
	assert_string_equal("service-not-trusted", why()->code);
}

/* A CA for TLS servers below the same root is none for AKs. */
static void a_ca_gives_no_usage_that_it_has_not(void **state)
{
	static const struct {
		const char *of_ca, *of_leaf;
		enum err err;
	} rows[] = {
		{NULL, AK_USAGE, OK},
		{"serverAuth," AK_USAGE, AK_USAGE, OK},
		{"anyExtendedKeyUsage", AK_USAGE, OK},
		{"serverAuth", "serverAuth", OK},
		{"serverAuth", NULL, OK},
		{"serverAuth", AK_USAGE, ERR_DENIED},
		{AK_USAGE, AK_USAGE "," PROPERTY_USAGE, ERR_DENIED},
		{AK_USAGE, "anyExtendedKeyUsage", ERR_DENIED},
	};
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;

	assert_int_equal(OK, anchors_read(f->root, &anchors));
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free)
		X509 *ca = made_certificate(&(struct recipe){.name = "TLS",
			.is_ca = true,
			.usage = rows[i].of_ca,
			.key = f->ours.key,
			.issuer = f->ours.root,
			.issuer_key = f->ours.root_key,
			.from = -60,
			.until = 3600});
		AUTO(x509_free)
		X509 *leaf = made_certificate(&(struct recipe){.name = "AK",
			.usage = rows[i].of_leaf,
			.key = f->key,
			.issuer = ca,
			.issuer_key = f->ours.key,
			.from = -60,
			.until = 3600});
		AUTO(x509_stack_free) STACK_OF(X509) *chain = stack_of(ca);

		assert_int_equal(rows[i].err, anchors_check(anchors, leaf, chain));
	}
}

static void an_anchor_that_comes_with_the_chain_counts_for_nothing(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(x509_free) X509 *leaf = certifier_issue(&f->other, f->key, NULL, -60, 3600);
	AUTO(x509_stack_free) STACK_OF(X509) *chain = stack_of(f->other.intermediate);

	X509_up_ref(f->other.root);
	sk_X509_push(chain, f->other.root);
	assert_int_equal(OK, anchors_read(f->root, &anchors));
	assert_int_equal(ERR_DENIED, anchors_check(anchors, leaf, chain));
}

static void a_certificate_that_is_no_cas_is_no_anchor(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;

	assert_int_equal(ERR_INTERNAL, anchors_read(f->mixed, &anchors));
	assert_string_equal("pem-file", why()->code);
	assert_null(anchors);
}

static void digest_of(X509 *certificate, char hex[static 65])
{
	uint8_t digest[32];
	unsigned n = 0;

	assert_int_equal(1, X509_digest(certificate, EVP_sha256(), digest, &n));
	hex_write(VIEW(digest), hex);
}

/* What TLS does with a chain that a server sent. */
static int verify_tls(struct anchors *anchors, X509 *leaf, STACK_OF(X509) *sent)
{
	AUTO(store_free) X509_STORE *store = X509_STORE_new();
	AUTO(store_ctx_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	assert_int_equal(1, X509_STORE_CTX_init(ctx, store, leaf, sent));
	return anchors_verify_tls(ctx, anchors);
}

static void a_pinned_anchor_is_found_in_the_chain_that_is_sent(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(x509_free) X509 *leaf = certifier_issue(&f->ours, f->key, NULL, -60, 3600);
	AUTO(x509_stack_free) STACK_OF(X509) *sent = stack_of(f->ours.intermediate);
	char digest[65];

	digest_of(f->ours.root, digest);
	assert_int_equal(OK, anchors_pinned(digest, "/nowhere/anchors.pem", &anchors));
	assert_false(anchors_are_known(anchors));
	assert_int_equal(0, verify_tls(anchors, leaf, sent)); /* the root is not sent */
	assert_string_not_equal("", anchors_tls_problem(anchors));
	X509_up_ref(f->ours.root);
	sk_X509_push(sent, f->ours.root);
	assert_int_equal(1, verify_tls(anchors, leaf, sent));
	assert_true(anchors_are_known(anchors));
	assert_string_equal("", anchors_tls_problem(anchors));
}

static void a_pinned_anchor_that_is_sent_beside_another_chain_does_not_help(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(x509_free) X509 *leaf = certifier_issue(&f->other, f->key, NULL, -60, 3600);
	AUTO(x509_stack_free) STACK_OF(X509) *sent = stack_of(f->other.intermediate);
	char digest[65];

	digest_of(f->ours.root, digest);
	X509_up_ref(f->ours.root);
	sk_X509_push(sent, f->ours.root);
	assert_int_equal(OK, anchors_pinned(digest, "/nowhere/anchors.pem", &anchors));
	assert_int_equal(0, verify_tls(anchors, leaf, sent));
}

static void a_pinned_leaf_is_no_anchor(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(x509_free) X509 *leaf = certifier_issue(&f->ours, f->key, NULL, -60, 3600);
	AUTO(x509_stack_free) STACK_OF(X509) *sent = stack_of(leaf);
	char digest[65];

	digest_of(leaf, digest);
	assert_int_equal(OK, anchors_pinned(digest, "/nowhere/anchors.pem", &anchors));
	assert_int_equal(0, verify_tls(anchors, leaf, sent));
}

static void a_pinned_anchor_that_was_kept_is_known_at_once(void **state)
{
	struct fixture *f = *state;
	AUTO(anchors_free) struct anchors *anchors = NULL;
	AUTO(anchors_free) struct anchors *others = NULL;
	char digest[65];

	digest_of(f->ours.root, digest);
	assert_int_equal(OK, anchors_pinned(digest, f->root, &anchors));
	assert_true(anchors_are_known(anchors));
	assert_int_equal(OK, check(anchors, &f->ours, f->key, 3600));
	digest_of(f->other.root, digest);
	assert_int_equal(OK, anchors_pinned(digest, f->root, &others));
	assert_false(anchors_are_known(others));
}

static void what_is_no_digest_is_no_pin(void **state)
{
	static const char *const texts[] = {"", "00",
		"zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(anchors_free) struct anchors *anchors = NULL;

		assert_int_equal(ERR_MALFORMED, anchors_pinned(texts[i], "/nowhere", &anchors));
		assert_string_equal("usage", why()->code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_leads_to_an_anchor_today_is_taken),
		cmocka_unit_test(a_ca_gives_no_usage_that_it_has_not),
		cmocka_unit_test(an_anchor_that_comes_with_the_chain_counts_for_nothing),
		cmocka_unit_test(a_certificate_that_is_no_cas_is_no_anchor),
		cmocka_unit_test(a_pinned_anchor_is_found_in_the_chain_that_is_sent),
		cmocka_unit_test(a_pinned_anchor_that_is_sent_beside_another_chain_does_not_help),
		cmocka_unit_test(a_pinned_leaf_is_no_anchor),
		cmocka_unit_test(a_pinned_anchor_that_was_kept_is_known_at_once),
		cmocka_unit_test(what_is_no_digest_is_no_pin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
