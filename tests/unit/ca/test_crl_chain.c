/* test_crl_chain.c - CRLs as relying parties use them, of a leaf and of the CA above it. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/crl.h"
#include "ca/hierarchy.h"
#include "ca/hierarchy_crl.h"
#include "ca/issue.h"
#include "tests/unit/ca/granted.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define URL "http://ca.example.org/crl/0123456789abcdef-0.crl"

/* A root, its CRL, the issuing CA below it, and one certificate of that, which names a shard. */
struct site {
	char *dir, *root, *root_crl, *ca, *leaf, *crl, *pem;
	struct authority *authority;
	struct issued issued;
};

static X509 *leaf_of(const struct site *site)
{
	const uint8_t *p = site->issued.der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)site->issued.der.n);

	assert_non_null(cert);
	return cert;
}

static void issue_leaf(struct site *site)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	AUTO(granted_free) struct granted granted;
	AUTO(x509_free) X509 *cert = NULL;
	STACK_OF(X509) *one = sk_X509_new_null();

	granted_make_by("templates", "ak-named", key, &granted);
	granted.grant.publication.crl = URL;
	assert_ok(certificate_issue(
		site->authority, granted.tmpl, &granted.grant, clock_now(), &site->issued));
	cert = leaf_of(site);
	sk_X509_push(one, cert);
	scratch_pem(site->dir, "leaf.pem", one);
	sk_X509_free(one);
}

static void site_make(struct site *out)
{
	AUTO(mem_free) char *key = NULL, *passphrase = NULL;
	struct hierarchy_crl made;

	*out = (struct site){.dir = scratch_make()};
	assert_ok(hierarchy_make(out->dir, "Unit tests", KEY_TYPE_P256));
	key = path_join(out->dir, "issuing.key");
	passphrase = path_join(out->dir, "issuing.passphrase");
	out->root = path_join(out->dir, "root.pem");
	out->root_crl = path_join(out->dir, "root.crl");
	out->ca = path_join(out->dir, "issuing.pem");
	out->leaf = path_join(out->dir, "leaf.pem");
	out->crl = path_join(out->dir, "shard.crl");
	out->pem = path_join(out->dir, "shard.pem");
	assert_ok(authority_load(out->ca, key, passphrase, &out->authority));
	assert_ok(hierarchy_crl_make(out->dir, NULL, REVOKED_UNSPECIFIED, 1, out->root_crl, &made));
	issue_leaf(out);
}

static void site_free(struct site *site)
{
	char *const paths[] = {
		site->root, site->root_crl, site->ca, site->leaf, site->crl, site->pem};

	authority_free(&site->authority);
	issued_free(&site->issued);
	for (size_t i = 0; i < COUNT(paths); i++)
		free(paths[i]);
	scratch_remove(&site->dir);
}

/* One that the issuing CA signs, for an hour, and that takes the leaf back or nothing. */
static void build(const struct site *site, const char *url, bool takes_back, struct buf *der)
{
	const int64_t now = clock_now();
	struct revoked entry = {.serial_n = site->issued.serial_n, .at = now - 10};

	memcpy(entry.serial, site->issued.serial, entry.serial_n);
	assert_ok(crl_build(site->authority,
		&(struct crl_content){.url = url,
			.number = 1,
			.this_update = now,
			.next_update = now + HOUR,
			.entries = &entry,
			.n = takes_back ? 1 : 0},
		der));
}

/* As DER, as it is fetched, and as PEM, which certtool wants beside a CA in PEM. */
static void put_crl(const struct site *site, const char *url, bool takes_back)
{
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	AUTO(crl_free) X509_CRL *crl = NULL;
	uint8_t *text;
	long n;

	build(site, url, takes_back, &der);
	scratch_put(site->dir, "shard.crl", buf_view(&der));
	crl = crl_from_bytes(buf_view(&der));
	assert_int_equal(1, PEM_write_bio_X509_CRL(bio, crl));
	n = BIO_get_mem_data(bio, &text);
	scratch_put(site->dir, "shard.pem", (struct view){text, (size_t)n});
}

/* `openssl verify -crl_check` of the leaf by that one CRL. */
static int verify(const struct site *site, struct buf *said)
{
	buf_free(said);
	return PROGRAM_RUN(said, "openssl", "verify", "-x509_strict", "-crl_check", "-CRLfile",
		site->crl, "-CAfile", site->root, "-untrusted", site->ca, site->leaf);
}

static void assert_not_verified(const struct site *site, const char *wanted)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	assert_int_not_equal(0, verify(site, &said));
	if (strstr(buf_text(&said), wanted) == NULL)
		fail_msg("wanted \"%s\": %s", wanted, buf_text(&said));
}

static void a_shard_speaks_of_the_certificates_that_name_it_and_of_no_others(void **state)
{
	static const char *const others[] = {"http://ca.example.org/crl/0123456789abcdef-1.crl",
		"http://ca.example.org/crl/0123456789abcdef-0.crl/",
		"http://CA.example.org/crl/0123456789abcdef-0.crl",
		"http://ca.example.org/crl/0123456789abcdef-0.cr"};
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	put_crl(&site, URL, false);
	if (verify(&site, &said) != 0)
		fail_msg("%s", buf_text(&said));
	for (size_t i = 0; i < COUNT(others); i++) {
		put_crl(&site, others[i], false);
		assert_not_verified(&site, "different CRL scope");
	}
	put_crl(&site, URL, true);
	assert_not_verified(&site, "certificate revoked");
	/* The whole one is of every scope. */
	put_crl(&site, NULL, false);
	assert_int_equal(0, verify(&site, &said));
	put_crl(&site, NULL, true);
	assert_not_verified(&site, "certificate revoked");
}

static void gnutls_refuses_what_is_listed_too(void **state)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16), pem = BUF(1 << 16);
	AUTO(mem_free) char *chain = NULL;
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	chain = path_join(site.dir, "chain.pem");
	assert_ok(file_read(site.leaf, &pem));
	assert_ok(file_read(site.ca, &pem));
	scratch_put(site.dir, "chain.pem", buf_view(&pem));
	for (int listed = 0; listed <= 1; listed++) {
		put_crl(&site, URL, listed == 1);
		buf_free(&said);
		assert_int_equal(
			listed, PROGRAM_RUN(&said, "certtool", "--verify", "--load-ca-certificate",
					site.root, "--load-crl", site.pem, "--infile", chain));
		assert_true(listed == (strstr(buf_text(&said), "revoked") != NULL));
	}
}

/* RFC 5280 6.3.3 (b)(2): what verifiers compare is the encoded name. */
static void distribution_points_of_certificate_and_crl_are_the_same_bytes(void **state)
{
	AUTO(ossl_free) uint8_t *in_crl = NULL, *in_cert = NULL;
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	AUTO(crl_free) X509_CRL *crl = NULL;
	AUTO(x509_free) X509 *cert = NULL;
	AUTO(site_free) struct site site;
	ISSUING_DIST_POINT *scope;
	CRL_DIST_POINTS *points;
	int critical = 0, n;

	(void)state;
	site_make(&site);
	build(&site, URL, false, &der);
	crl = crl_from_bytes(buf_view(&der));
	assert_non_null(crl);
	cert = leaf_of(&site);
	points = X509_get_ext_d2i(cert, NID_crl_distribution_points, &critical, NULL);
	assert_int_equal(0, critical);
	assert_int_equal(1, sk_DIST_POINT_num(points));
	scope = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
	assert_int_equal(1, critical);
	assert_int_equal(0xff, scope->onlyuser);
	assert_int_equal(0, scope->onlyCA);
	assert_int_equal(0, scope->indirectCRL);
	assert_int_equal(0, scope->onlyattr);
	n = i2d_DIST_POINT_NAME(sk_DIST_POINT_value(points, 0)->distpoint, &in_cert);
	assert_int_equal(n, i2d_DIST_POINT_NAME(scope->distpoint, &in_crl));
	assert_memory_equal(in_cert, in_crl, (size_t)n);
	assert_non_null(memmem(in_crl, (size_t)n, URL, strlen(URL)));
	CRL_DIST_POINTS_free(points);
	ISSUING_DIST_POINT_free(scope);
}

static void read_it(const struct site *site, struct view bytes, enum err wanted)
{
	AUTO(buf_free) struct buf der = BUF(CRL_FILE_MAX);
	AUTO(mem_free) char *path = path_join(site->dir, "read.crl");

	scratch_put(site->dir, "read.crl", bytes);
	assert_refused(crl_above_read(site->authority, path, &der), wanted, "ca-crl");
	assert_int_equal(wanted == OK, der.n > 0);
	if (wanted == OK)
		assert_int_equal(0x30, der.p[0]);
}

static void the_crl_of_the_root_is_read_in_either_form_and_no_other_is(void **state)
{
	AUTO(buf_free) struct buf pem = BUF(1 << 16), der = BUF(1 << 16), own = BUF(1 << 16);
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	assert_ok(file_read(site.root_crl, &pem));
	read_it(&site, buf_view(&pem), OK);
	assert_ok(crl_above_read(site.authority, site.root_crl, &der));
	read_it(&site, buf_view(&der), OK);
	build(&site, NULL, false, &own);
	read_it(&site, buf_view(&own), ERR_INTERNAL);
	read_it(&site, (struct view){der.p, der.n - 1}, ERR_INTERNAL);
	buf_u8(&der, 0);
	read_it(&site, buf_view(&der), ERR_INTERNAL);
	read_it(&site, view_str("no CRL"), ERR_INTERNAL);
	read_it(&site, view_str(""), ERR_INTERNAL);
}

/* Each certificate of the chain by its CRL: the leaf by its shard, the CA by the root's. */
static bool is_verified(const struct site *site, const char *root_crl, struct buf *said)
{
	buf_free(said);
	return PROGRAM_RUN(said, "openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile",
		       site->crl, "-CRLfile", root_crl, "-CAfile", site->root, "-untrusted",
		       site->ca, site->leaf) == 0;
}

static void a_whole_chain_is_checked_by_the_shard_and_the_roots_crl(void **state)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	AUTO(site_free) struct site site;
	struct hierarchy_crl made;

	(void)state;
	site_make(&site);
	put_crl(&site, URL, false);
	if (!is_verified(&site, site.root_crl, &said))
		fail_msg("%s", buf_text(&said));
	/* The shard says nothing of CAs. */
	assert_false(is_verified(&site, site.crl, &said));
	assert_ok(hierarchy_crl_make(
		site.dir, site.ca, REVOKED_KEY_COMPROMISE, 1, site.root_crl, &made));
	assert_false(is_verified(&site, site.root_crl, &said));
	assert_non_null(strstr(buf_text(&said), "error 23 at 1 depth lookup: certificate revoked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shard_speaks_of_the_certificates_that_name_it_and_of_no_others),
		cmocka_unit_test(gnutls_refuses_what_is_listed_too),
		cmocka_unit_test(distribution_points_of_certificate_and_crl_are_the_same_bytes),
		cmocka_unit_test(the_crl_of_the_root_is_read_in_either_form_and_no_other_is),
		cmocka_unit_test(a_whole_chain_is_checked_by_the_shard_and_the_roots_crl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
