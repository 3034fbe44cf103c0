/* test_matrix.c - every kind of CA key with every kind of device key, as other programs judge it. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/hierarchy.h"
#include "ca/issue.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

static struct {
	const char *name, *group;
	size_t rsa_bits;
	EVP_PKEY *key;
} subjects[] = {{"RSA-2048", NULL, 2048, NULL}, {"RSA-3072", NULL, 3072, NULL},
	{"RSA-4096", NULL, 4096, NULL}, {"P-256", "P-256", 0, NULL}, {"P-384", "P-384", 0, NULL},
	{"P-521", "P-521", 0, NULL}, {"Ed25519", NULL, 0, NULL}};

static int make_subjects(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++) {
		subjects[i].key = subjects[i].group != NULL ? EVP_EC_gen(subjects[i].group)
				  : subjects[i].rsa_bits != 0
					  ? EVP_RSA_gen(subjects[i].rsa_bits)
					  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		assert_non_null(subjects[i].key);
	}
	return 0;
}

static EVP_PKEY *subject(const char *name)
{
	for (size_t i = 0; i < COUNT(subjects); i++)
		if (strcmp(subjects[i].name, name) == 0)
			return subjects[i].key;
	return NULL;
}

static int free_subjects(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++)
		EVP_PKEY_free(subjects[i].key);
	return 0;
}

static void print_head(void)
{
	printf("%-10s %-24s", "CA", "signature");
	for (size_t i = 0; i < COUNT(subjects); i++)
		printf(" %-9s", subjects[i].name);
	printf("(openssl verify -x509_strict, certtool --verify)\n");
}

/* An issued certificate as a file beside its CA's. */
static void issue(const struct authority *authority, void (*make)(EVP_PKEY *, struct granted *),
	EVP_PKEY *key, const char *dir)
{
	AUTO(granted_free) struct granted granted;
	AUTO(issued_free) struct issued issued = {0};
	AUTO(x509_free) X509 *cert = NULL;
	STACK_OF(X509) *one = sk_X509_new_null();
	const uint8_t *p;

	make(key, &granted);
	assert_ok(certificate_issue(authority, granted.tmpl, &granted.grant, clock_now(), &issued));
	p = issued.der.p;
	cert = d2i_X509(NULL, &p, (long)issued.der.n);
	assert_int_equal(1, EVP_PKEY_eq(X509_get0_pubkey(cert), key));
	sk_X509_push(one, cert);
	scratch_pem(dir, "leaf.pem", one);
	sk_X509_free(one);
}

/* A line of the matrix; `root` and `ca` are files, `signature` is how the CA has to sign. */
static void print_row(const char *name, const char *signature, const struct authority *authority,
	void (*make)(EVP_PKEY *, struct granted *), const char *root, const char *ca,
	const char *dir)
{
	AUTO(mem_free) char *leaf = path_join(dir, "leaf.pem");

	printf("%-10s %-24s", name, signature);
	for (size_t i = 0; i < COUNT(subjects); i++) {
		AUTO(buf_free) struct buf text = BUF(1 << 16);

		issue(authority, make, subjects[i].key, dir);
		assert_verified(root, ca, leaf);
		assert_int_equal(0, PROGRAM_RUN(&text, "openssl", "x509", "-noout", "-text",
					    "-certopt", "no_pubkey,no_extensions", "-in", leaf));
		assert_non_null(strstr(buf_text(&text), signature));
		printf(" %-9s", "ok");
		fflush(stdout);
	}
	printf("\n");
}

/* What `endorsectl ca init --key-type` makes, and the certificate of its edge. */
static void a_ca_of_each_type_issues_for_each_key_and_for_its_edge(void **state)
{
	static const struct {
		const char *name, *signature;
	} rows[] = {
		[KEY_TYPE_P256] = {"p256", "ecdsa-with-SHA256"},
		[KEY_TYPE_P384] = {"p384", "ecdsa-with-SHA384"},
		[KEY_TYPE_RSA2048] = {"rsa2048", "sha256WithRSAEncryption"},
		[KEY_TYPE_RSA3072] = {"rsa3072", "sha256WithRSAEncryption"},
		[KEY_TYPE_ED25519] = {"ed25519", "ED25519"},
	};
	const char *const names[] = {"ca.example.org"};

	(void)state;
	print_head();
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(mem_free) char *root = path_join(dir, "root.pem");
		AUTO(mem_free) char *ca = path_join(dir, "issuing.pem");
		AUTO(mem_free) char *key = path_join(dir, "issuing.key");
		AUTO(mem_free) char *passphrase = path_join(dir, "issuing.passphrase");
		AUTO(mem_free) char *edge_ca = path_join(dir, "edge-ca.pem");
		AUTO(mem_free) char *edge = path_join(dir, "edge.pem");
		AUTO(authority_free) struct authority *authority = NULL;

		assert_ok(hierarchy_make(dir, "Unit tests", (enum key_type)i));
		assert_ok(authority_load(ca, key, passphrase, &authority));
		print_row(rows[i].name, rows[i].signature, authority, granted_make, root, ca, dir);
		print_row(" all names", rows[i].signature, authority, granted_make_everything, root,
			ca, dir);
		assert_ok(hierarchy_edge(dir, names, COUNT(names), edge));
		assert_verified(root, edge_ca, edge);
	}
}

/* Keys that endorsectl does not make, and an operator may bring. */
static void a_ca_that_was_brought_issues_for_each_key(void **state)
{
	const struct {
		const char *name, *signature;
		EVP_PKEY *key;
	} rows[] = {{"P-521", "ecdsa-with-SHA512", subject("P-521")},
		{"RSA-4096", "sha256WithRSAEncryption", subject("RSA-4096")}};

	(void)state;
	print_head();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct issuer_recipe recipe = issuer_good();
		AUTO(issuer_free) struct issuer issuer;
		AUTO(authority_free) struct authority *authority = NULL;

		recipe.key = rows[i].key;
		issuer_make(&recipe, &issuer);
		assert_ok(issuer_load(&issuer, &authority));
		print_row(rows[i].name, rows[i].signature, authority, granted_make,
			issuer.certificate, issuer.certificate, issuer.dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ca_of_each_type_issues_for_each_key_and_for_its_edge),
		cmocka_unit_test(a_ca_that_was_brought_issues_for_each_key),
	};

	return cmocka_run_group_tests(tests, make_subjects, free_subjects);
}
