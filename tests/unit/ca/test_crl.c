#include "ca/crl.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/issue.h"
#include "ca/key.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/ca/program.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define URL "http://ca.example.org/crl/0123456789abcdef-0.crl"

/* A CA as files for other programs, and where they find its CRL. */
struct site {
	char *dir, *ca, *crl, *pem;
	struct authority *authority;
};

/* A CA of each type of key that a CA can have, made once: RSA takes its time. */
static struct issuer kinds[KEY_TYPE_ED25519 + 1];

static int kinds_make(void **state)
{
	(void)state;
	for (enum key_type type = KEY_TYPE_P256; type <= KEY_TYPE_ED25519; type++) {
		struct issuer_recipe recipe = issuer_good();

		assert_ok(key_generate(type, &recipe.key));
		issuer_make(&recipe, &kinds[type]);
		EVP_PKEY_free(recipe.key);
	}
	return 0;
}

static int kinds_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++)
		issuer_free(&kinds[i]);
	return 0;
}

static void site_of(const struct issuer *issuer, struct site *out)
{
	*out = (struct site){.dir = scratch_make()};
	out->ca = strdup(issuer->certificate);
	out->crl = path_join(out->dir, "shard.crl");
	out->pem = path_join(out->dir, "shard.pem");
	assert_ok(issuer_load(issuer, &out->authority));
}

static void site_free(struct site *site)
{
	authority_free(&site->authority);
	free(site->ca);
	free(site->crl);
	free(site->pem);
	scratch_remove(&site->dir);
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
	assert_non_null(strstr(buf_text(&said), "Issuer: CN = Unit CA\n"));
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
	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO(site_free) struct site site;

		site_of(&kinds[i], &site);
		put_crl(&site, URL, entries, COUNT(entries));
		assert_openssl_reads(&site);
		assert_gnutls_reads(&site);
	}
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
	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO(authority_free) struct authority *authority = NULL;

		assert_ok(issuer_load(&kinds[i], &authority));
		assert_bounded(authority, URL, 4096);
		assert_bounded(authority, long_url, 4096);
		for (size_t k = 0; i == 0 && k < COUNT(bounds); k++)
			assert_bounded(authority, URL, bounds[k]);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_programs_read_and_verify_what_each_kind_of_ca_signs),
		cmocka_unit_test(times_until_2049_are_utc_and_later_ones_generalized),
		cmocka_unit_test(no_shard_has_more_bytes_than_its_bound_whatever_is_revoked),
		cmocka_unit_test(what_makes_no_crl_is_an_error),
		cmocka_unit_test(a_ca_without_the_key_usage_signs_none),
	};

	return cmocka_run_group_tests(tests, kinds_make, kinds_free);
}
