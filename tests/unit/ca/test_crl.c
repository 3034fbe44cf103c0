#include "ca/crl.h"

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

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define URL "http://ca.example.org/crl/0123456789abcdef-0.crl"

/* An issuing CA below a root, as files for other programs; and one certificate of it, leaf.pem. */
struct site {
	char *dir, *root, *ca, *leaf, *crl, *pem;
	struct authority *authority;
	struct issued issued;
};

static void put_leaf(struct site *site)
{
	const uint8_t *p = site->issued.der.p;
	AUTO(x509_free) X509 *cert = d2i_X509(NULL, &p, (long)site->issued.der.n);
	STACK_OF(X509) *one = sk_X509_new_null();

	sk_X509_push(one, cert);
	scratch_pem(site->dir, "leaf.pem", one);
	sk_X509_free(one);
}

static void issue_leaf(struct site *site)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	AUTO(granted_free) struct granted granted;

	granted_make_by("templates", "ak-named", key, &granted);
	granted.grant.publication.crl = URL;
	assert_ok(certificate_issue(
		site->authority, granted.tmpl, &granted.grant, clock_now(), &site->issued));
	put_leaf(site);
}

static void site_make(enum key_type type, struct site *out)
{
	AUTO(mem_free) char *key = NULL, *passphrase = NULL;

	*out = (struct site){.dir = scratch_make()};
	assert_ok(hierarchy_make(out->dir, "Unit tests", type));
	key = path_join(out->dir, "issuing.key");
	passphrase = path_join(out->dir, "issuing.passphrase");
	out->root = path_join(out->dir, "root.pem");
	out->ca = path_join(out->dir, "issuing.pem");
	out->leaf = path_join(out->dir, "leaf.pem");
	out->crl = path_join(out->dir, "shard.crl");
	out->pem = path_join(out->dir, "shard.pem");
	assert_ok(authority_load(out->ca, key, passphrase, &out->authority));
	issue_leaf(out);
}

static void site_free(struct site *site)
{
	authority_free(&site->authority);
	issued_free(&site->issued);
	free(site->root);
	free(site->ca);
	free(site->leaf);
	free(site->crl);
	free(site->pem);
	scratch_remove(&site->dir);
}

static struct revoked entry_of(const struct issued *issued, enum revoked_reason reason)
{
	struct revoked entry = {
		.serial_n = issued->serial_n, .at = clock_now() - 10, .reason = reason};

	memcpy(entry.serial, issued->serial, issued->serial_n);
	return entry;
}

/* Good for an hour. */
static struct crl_content content_of(const char *url, const struct revoked *entries, size_t n)
{
	const int64_t now = clock_now();

	return (struct crl_content){.url = url,
		.number = 1,
		.this_update = now,
		.next_update = now + HOUR,
		.entries = entries,
		.n = n};
}

static X509_CRL *parse(const struct buf *der)
{
	X509_CRL *crl = crl_from_bytes(buf_view(der));

	assert_non_null(crl);
	return crl;
}

static void put_pem(const struct site *site, const struct buf *der)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	AUTO(crl_free) X509_CRL *crl = parse(der);
	uint8_t *text;
	long n;

	assert_int_equal(1, PEM_write_bio_X509_CRL(bio, crl));
	n = BIO_get_mem_data(bio, &text);
	scratch_put(site->dir, "shard.pem", (struct view){text, (size_t)n});
}

/* DER, as it is fetched; and PEM, which certtool wants beside a CA in PEM. */
static void put_crl(
	const struct site *site, const char *url, const struct revoked *entries, size_t n)
{
	AUTO(buf_free) struct buf der = BUF(1 << 20);
	const struct crl_content content = content_of(url, entries, n);

	assert_ok(crl_build(site->authority, &content, &der));
	scratch_put(site->dir, "shard.crl", buf_view(&der));
	put_pem(site, &der);
}

/* One of each reason, as RFC 5280 has them, with what OpenSSL and GnuTLS say of it. */
static const struct {
	enum revoked_reason reason;
	const char *said;
} reasons[] = {{REVOKED_UNSPECIFIED, NULL}, {REVOKED_KEY_COMPROMISE, "Key Compromise"},
	{REVOKED_CA_COMPROMISE, "CA Compromise"},
	{REVOKED_AFFILIATION_CHANGED, "Affiliation Changed"}, {REVOKED_SUPERSEDED, "Superseded"},
	{REVOKED_CESSATION_OF_OPERATION, "Cessation Of Operation"},
	{REVOKED_CERTIFICATE_HOLD, "Certificate Hold"},
	{REVOKED_PRIVILEGE_WITHDRAWN, "Privilege Withdrawn"}};

#define AT 1790000000 /* 2026-09-21T14:13:20Z */

/* The last one is the first that a CRL has. */
static void reasons_fill(struct revoked out[static COUNT(reasons)])
{
	for (size_t i = 0; i < COUNT(reasons); i++) {
		out[i] = (struct revoked){
			.serial_n = ISSUED_SERIAL_SIZE, .at = AT, .reason = reasons[i].reason};
		memset(out[i].serial, 0x11, ISSUED_SERIAL_SIZE);
		out[i].serial[0] = (uint8_t)(0x7f - i);
	}
}

static void assert_openssl_reads(const struct site *site)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);
	const char *at;

	assert_int_equal(0, PROGRAM_RUN(&said, "openssl", "crl", "-inform", "DER", "-in", site->crl,
				    "-CAfile", site->ca, "-noout", "-text"));
	at = strstr(buf_text(&said), "verify OK");
	assert_non_null(at);
	assert_non_null(strstr(buf_text(&said), "Version 2 (0x1)"));
	assert_non_null(strstr(buf_text(&said), "Issuer: O = Unit tests, CN = Endorse Issuing CA"));
	assert_non_null(strstr(buf_text(&said), "X509v3 Issuing Distribution Point: critical\n"));
	assert_non_null(strstr(buf_text(&said), "  URI:" URL));
	assert_non_null(strstr(buf_text(&said), "Only User Certificates\n"));
	assert_non_null(strstr(buf_text(&said), "X509v3 CRL Number: \n                1\n"));
	assert_non_null(strstr(buf_text(&said), "X509v3 Authority Key Identifier: \n"));
	for (size_t i = COUNT(reasons); i-- > 0;) {
		AUTO(buf_free) struct buf entry = BUF(512);

		buf_fmt(&entry,
			"    Serial Number: %02zX111111111111111111111111111111\n"
			"        Revocation Date: Sep 21 14:13:20 2026 GMT\n%s%s",
			0x7f - i,
			reasons[i].said == NULL ? ""
						: "        CRL entry extensions:\n"
						  "            X509v3 CRL Reason Code: \n"
						  "                ",
			reasons[i].said == NULL ? "    Signature" : reasons[i].said);
		at = strstr(at, buf_text(&entry));
		if (at == NULL)
			fail_msg("wanted %s in %s", buf_text(&entry), buf_text(&said));
	}
}

static void assert_gnutls_reads(const struct site *site)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16);

	assert_int_equal(0, PROGRAM_RUN(&said, "certtool", "--verify-crl", "--infile", site->pem,
				    "--load-ca-certificate", site->ca));
	assert_non_null(strstr(buf_text(&said), "Verification output: Verified."));
	buf_free(&said);
	assert_int_equal(
		0, PROGRAM_RUN(&said, "certtool", "--crl-info", "--inder", "--infile", site->crl));
	assert_non_null(strstr(buf_text(&said), "CRL Number (not critical): 01"));
	assert_non_null(strstr(buf_text(&said), "Revoked certificates (8):"));
	assert_non_null(
		strstr(buf_text(&said), "Serial Number (hex): 7f111111111111111111111111111111"));
}

static void other_programs_read_and_verify_what_each_kind_of_ca_signs(void **state)
{
	struct revoked entries[COUNT(reasons)];

	(void)state;
	reasons_fill(entries);
	for (enum key_type type = KEY_TYPE_P256; type <= KEY_TYPE_ED25519; type++) {
		AUTO(site_free) struct site site;

		site_make(type, &site);
		put_crl(&site, URL, entries, COUNT(entries));
		assert_openssl_reads(&site);
		assert_gnutls_reads(&site);
	}
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
	struct revoked entry;

	(void)state;
	site_make(KEY_TYPE_P256, &site);
	put_crl(&site, URL, NULL, 0);
	if (verify(&site, &said) != 0)
		fail_msg("%s", buf_text(&said));
	for (size_t i = 0; i < COUNT(others); i++) {
		put_crl(&site, others[i], NULL, 0);
		assert_not_verified(&site, "different CRL scope");
	}
	entry = entry_of(&site.issued, REVOKED_KEY_COMPROMISE);
	put_crl(&site, URL, &entry, 1);
	assert_not_verified(&site, "certificate revoked");
	/* The whole one is of every scope. */
	put_crl(&site, NULL, NULL, 0);
	assert_int_equal(0, verify(&site, &said));
	put_crl(&site, NULL, &entry, 1);
	assert_not_verified(&site, "certificate revoked");
}

static void gnutls_refuses_what_is_listed_too(void **state)
{
	AUTO(buf_free) struct buf said = BUF(1 << 16), pem = BUF(1 << 16);
	AUTO(mem_free) char *chain = NULL;
	AUTO(site_free) struct site site;
	struct revoked entry;

	(void)state;
	site_make(KEY_TYPE_P256, &site);
	chain = path_join(site.dir, "chain.pem");
	assert_ok(file_read(site.leaf, &pem));
	assert_ok(file_read(site.ca, &pem));
	scratch_put(site.dir, "chain.pem", buf_view(&pem));
	for (int listed = 0; listed <= 1; listed++) {
		entry = entry_of(&site.issued, REVOKED_UNSPECIFIED);
		put_crl(&site, URL, &entry, (size_t)listed);
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
	const uint8_t *p;
	ISSUING_DIST_POINT *scope;
	CRL_DIST_POINTS *points;
	struct crl_content content;
	int critical = 0, n;

	(void)state;
	site_make(KEY_TYPE_P256, &site);
	content = content_of(URL, NULL, 0);
	assert_ok(crl_build(site.authority, &content, &der));
	crl = parse(&der);
	p = site.issued.der.p;
	cert = d2i_X509(NULL, &p, (long)site.issued.der.n);
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

static void times_until_2049_are_utc_and_later_ones_generalized(void **state)
{
	static const struct {
		int64_t when;
		int type;
	} rows[] = {{2524607999, V_ASN1_UTCTIME}, {2524608000, V_ASN1_GENERALIZEDTIME}};
	struct issuer_recipe recipe = issuer_good();
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(issuer_free) struct issuer issuer;

	(void)state;
	issuer_make(&recipe, &issuer);
	assert_ok(issuer_load(&issuer, &authority));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct revoked entry = {.serial = {7}, .serial_n = 1, .at = rows[i].when};
		struct crl_content content = content_of(URL, &entry, 1);
		AUTO(buf_free) struct buf der = BUF(1 << 16);
		AUTO(crl_free) X509_CRL *crl = NULL;
		const ASN1_TIME *times[3];

		content.this_update = content.next_update = rows[i].when;
		assert_ok(crl_build(authority, &content, &der));
		crl = parse(&der);
		times[0] = X509_CRL_get0_lastUpdate(crl);
		times[1] = X509_CRL_get0_nextUpdate(crl);
		times[2] = X509_REVOKED_get0_revocationDate(
			sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0));
		for (size_t k = 0; k < COUNT(times); k++) {
			assert_int_equal(rows[i].type, times[k]->type);
			assert_int_equal(0, ASN1_TIME_cmp_time_t(times[k], (time_t)rows[i].when));
		}
	}
}

/* Serial numbers as certificate_issue() makes them, revoked when times take the most room. */
static struct revoked *many_entries(size_t n)
{
	struct revoked *entries = calloc(n, sizeof(*entries));

	assert_non_null(entries);
	for (size_t i = 0; i < n; i++) {
		entries[i] = (struct revoked){.serial_n = ISSUED_SERIAL_SIZE,
			.at = 2524608000,
			.reason = REVOKED_KEY_COMPROMISE};
		entries[i].serial[0] = 0x7f;
		entries[i].serial[13] = (uint8_t)(i >> 16);
		entries[i].serial[14] = (uint8_t)(i >> 8);
		entries[i].serial[15] = (uint8_t)i;
	}
	return entries;
}

/* Whatever is revoked, its last place too, and nearly all of the room is used. */
static void assert_bounded(const struct authority *authority, const char *url, size_t bytes)
{
	const size_t n = crl_capacity(authority, strlen(url), bytes);
	AUTO(mem_free) struct revoked *entries = many_entries(n);
	AUTO(buf_free) struct buf der = BUF(bytes);
	struct crl_content content = content_of(url, entries, n);

	content.number = UINT64_MAX;
	content.this_update = content.next_update = 2524608000;
	assert_ok(crl_build(authority, &content, &der));
	assert_in_range(der.n, bytes - 256, bytes);
}

static void no_shard_has_more_bytes_than_its_bound_whatever_is_revoked(void **state)
{
	static const size_t bounds[] = {4096, 102400, 1 << 20};
	char long_url[512] = URL;

	(void)state;
	memset(long_url + strlen(URL), 'a', sizeof(long_url) - strlen(URL) - 1);
	long_url[sizeof(long_url) - 1] = '\0';
	for (enum key_type type = KEY_TYPE_P256; type <= KEY_TYPE_ED25519; type++) {
		struct issuer_recipe recipe = issuer_good();
		AUTO(authority_free) struct authority *authority = NULL;
		AUTO(issuer_free) struct issuer issuer;

		assert_ok(key_generate(type, &recipe.key));
		issuer_make(&recipe, &issuer);
		EVP_PKEY_free(recipe.key);
		assert_ok(issuer_load(&issuer, &authority));
		assert_bounded(authority, URL, 4096);
		assert_bounded(authority, long_url, 4096);
		for (size_t i = 0; type == KEY_TYPE_P256 && i < COUNT(bounds); i++)
			assert_bounded(authority, URL, bounds[i]);
		assert_int_equal(0, crl_capacity(authority, strlen(URL), 256));
	}
}

static void what_makes_no_crl_is_an_error(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(buf_free) struct buf der = BUF(1 << 16), small = BUF(64);
	AUTO(issuer_free) struct issuer issuer;
	struct revoked entries[] = {{.serial = {1}, .serial_n = 1}, {.serial = {2}, .serial_n = 1},
		{.serial = {0, 1}, .serial_n = 2}};
	struct crl_content content = content_of(URL, entries, 2);

	(void)state;
	issuer_make(&recipe, &issuer);
	assert_ok(issuer_load(&issuer, &authority));
	assert_refused(crl_build(authority, &content, &small), ERR_TOO_LARGE, "too-large");
	/* The third one is the first again, with a zero in front. */
	content.n = 3;
	assert_refused(crl_build(authority, &content, &der), ERR_INTERNAL, "crl-entry");
	content.n = 2;
	entries[1].serial_n = 0;
	assert_refused(crl_build(authority, &content, &der), ERR_INTERNAL, "crl-entry");
	entries[1].serial_n = REVOKED_SERIAL_MAX + 1;
	assert_refused(crl_build(authority, &content, &der), ERR_INTERNAL, "crl-entry");
	assert_int_equal(0, der.n);
	entries[1].serial_n = REVOKED_SERIAL_MAX;
	assert_ok(crl_build(authority, &content, &der));
}

/* Nobody would believe it, so it is not made; a CA without any key usage may do all. */
static void a_ca_without_the_key_usage_signs_none(void **state)
{
	struct issuer_recipe recipe = issuer_good();
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	AUTO(issuer_free) struct issuer issuer;
	AUTO(x509_free) X509 *none = X509_new();
	const struct crl_content content = content_of(URL, NULL, 0);

	(void)state;
	recipe.key_usage = "critical,keyCertSign";
	issuer_make(&recipe, &issuer);
	assert_ok(issuer_load(&issuer, &authority));
	assert_refused(crl_build(authority, &content, &der), ERR_INTERNAL, "ca-crl-sign");
	assert_int_equal(0, der.n);
	assert_true(crl_may_sign(none));
}

static void put_and_read(const struct site *site, struct view bytes, enum err wanted)
{
	AUTO(buf_free) struct buf read = BUF(CRL_FILE_MAX);

	scratch_put(site->dir, "read.crl", bytes);
	{
		AUTO(mem_free) char *path = path_join(site->dir, "read.crl");

		assert_refused(crl_above_read(site->authority, path, &read), wanted, "ca-crl");
	}
	assert_int_equal(wanted == OK, read.n > 0);
}

static void the_crl_of_the_root_is_read_in_either_form_and_no_other(void **state)
{
	AUTO(authority_free) struct authority *root = NULL;
	AUTO(mem_free) char *key = NULL, *passphrase = NULL;
	AUTO(buf_free) struct buf der = BUF(1 << 16), pem = BUF(1 << 16), own = BUF(1 << 16);
	AUTO(crl_free) X509_CRL *crl = NULL;
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	AUTO(site_free) struct site site;
	const struct crl_content content = content_of(NULL, NULL, 0);
	uint8_t *text;
	long n;

	(void)state;
	site_make(KEY_TYPE_P256, &site);
	key = path_join(site.dir, "offline/root.key");
	passphrase = path_join(site.dir, "offline/root.passphrase");
	assert_ok(authority_load(site.root, key, passphrase, &root));
	assert_ok(crl_build(root, &content, &der));
	assert_ok(crl_build(site.authority, &content, &own));
	crl = parse(&der);
	assert_int_equal(1, PEM_write_bio_X509_CRL(bio, crl));
	n = BIO_get_mem_data(bio, &text);
	put_and_read(&site, buf_view(&der), OK);
	put_and_read(&site, (struct view){text, (size_t)n}, OK);
	put_and_read(&site, buf_view(&own), ERR_INTERNAL);
	buf_u8(&der, 0);
	put_and_read(&site, buf_view(&der), ERR_INTERNAL);
	put_and_read(&site, (struct view){der.p, der.n - 2}, ERR_INTERNAL);
	put_and_read(&site, view_str("no CRL"), ERR_INTERNAL);
	put_and_read(&site, view_str(""), ERR_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_programs_read_and_verify_what_each_kind_of_ca_signs),
		cmocka_unit_test(a_shard_speaks_of_the_certificates_that_name_it_and_of_no_others),
		cmocka_unit_test(gnutls_refuses_what_is_listed_too),
		cmocka_unit_test(distribution_points_of_certificate_and_crl_are_the_same_bytes),
		cmocka_unit_test(times_until_2049_are_utc_and_later_ones_generalized),
		cmocka_unit_test(no_shard_has_more_bytes_than_its_bound_whatever_is_revoked),
		cmocka_unit_test(what_makes_no_crl_is_an_error),
		cmocka_unit_test(a_ca_without_the_key_usage_signs_none),
		cmocka_unit_test(the_crl_of_the_root_is_read_in_either_form_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
