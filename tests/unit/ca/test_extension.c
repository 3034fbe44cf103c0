#include "ca/extension.h"

#include "ca/base/crypt.h"
#include "ca/base/ossl.h"
#include "ca/usage.h"
#include "tests/unit/check.h"

#include <openssl/x509v3.h>

/* The one extension of a certificate is this: critical or not, and these bytes of DER. */
static void assert_extension(const X509 *cert, int nid, int critical, const char *hex)
{
	AUTO(buf_free) struct buf wanted = BUF(256);
	X509_EXTENSION *extension = X509_get_ext(cert, 0);
	const ASN1_OCTET_STRING *value;

	assert_int_equal(1, X509_get_ext_count(cert));
	assert_int_equal(nid, OBJ_obj2nid(X509_EXTENSION_get_object(extension)));
	assert_int_equal(critical, X509_EXTENSION_get_critical(extension));
	value = X509_EXTENSION_get_data(extension);
	add_hex(&wanted, hex);
	assert_view_equal(buf_view(&wanted),
		((struct view){ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)}));
}

static void basic_constraints_are_critical_and_der(void **state)
{
	static const struct {
		bool is_ca;
		long path_length;
		const char *hex;
	} rows[] = {{false, 0, "3000"}, {false, 7, "3000"}, {true, 0, "30060101ff020100"},
		{true, 1, "30060101ff020101"}, {true, 200, "30070101ff020200c8"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = X509_new();

		assert_ok(extension_basic_constraints(cert, rows[i].is_ca, rows[i].path_length));
		assert_extension(cert, NID_basic_constraints, 1, rows[i].hex);
	}
}

static void certificate_policies_are_not_critical_and_in_their_order(void **state)
{
	static const char *const oids[] = {"1.2.3.2", "1.2.3.1"};
	AUTO(x509_free) X509 *one = X509_new(), *two = X509_new(), *none = X509_new();
	static const char *const wrong[] = {"no-oid"};

	(void)state;
	assert_ok(extension_certificate_policies(one, oids, 1));
	assert_extension(one, NID_certificate_policies, 0, "3007300506032a0302");
	assert_ok(extension_certificate_policies(two, oids, 2));
	assert_extension(two, NID_certificate_policies, 0, "300e300506032a0302300506032a0301");
	assert_refused(extension_certificate_policies(none, wrong, 1), ERR_INTERNAL, "crypto");
	assert_int_equal(0, X509_get_ext_count(none));
}

static void key_usage_is_critical_and_has_no_zero_bits_at_its_end(void **state)
{
	static const struct {
		const char *names[3];
		size_t n;
		const char *hex;
	} rows[] = {{{"digitalSignature"}, 1, "03020780"},
		{{"keyCertSign", "cRLSign"}, 2, "03020106"},
		{{"cRLSign", "keyCertSign", "digitalSignature"}, 3, "03020186"},
		{{"decipherOnly"}, 1, "0303070080"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = X509_new();
		int bits[3];

		for (size_t j = 0; j < rows[i].n; j++)
			bits[j] = usage_bit(rows[i].names[j]);
		assert_ok(extension_key_usage(cert, bits, rows[i].n));
		assert_extension(cert, NID_key_usage, 1, rows[i].hex);
	}
}

static void extended_key_usages_keep_their_order(void **state)
{
	char ak[] = "2.23.133.8.3", client[] = "1.3.6.1.5.5.7.3.2", nonsense[] = "serverAuth";
	char *oids[] = {ak, client}, *reversed[] = {client, ak}, *bad[] = {ak, nonsense};
	AUTO(x509_free) X509 *first = X509_new(), *second = X509_new(), *third = X509_new();

	(void)state;
	assert_ok(extension_extended_key_usage(first, oids, 2, false));
	assert_extension(first, NID_ext_key_usage, 0, "30110605678105080306082b06010505070302");
	assert_ok(extension_extended_key_usage(second, reversed, 2, false));
	assert_extension(second, NID_ext_key_usage, 0, "301106082b0601050507030206056781050803");
	assert_refused(extension_extended_key_usage(third, bad, 2, false), ERR_INTERNAL, "crypto");
	assert_int_equal(0, X509_get_ext_count(third));
}

static void the_identifiers_are_160_bits_of_sha_256_over_the_key(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new(), *issued = X509_new();
	AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	ASN1_OCTET_STRING *subject;
	AUTHORITY_KEYID *authority;
	const ASN1_BIT_STRING *bits;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	assert_int_equal(1, X509_set_pubkey(cert, key));
	bits = X509_get0_pubkey_bitstr(cert);
	assert_int_equal(65, bits->length);
	assert_ok(SHA256_OF(digest, ((struct view){bits->data, 65})));
	assert_ok(extension_subject_key_identifier(cert));
	subject = X509_get_ext_d2i(cert, NID_subject_key_identifier, NULL, NULL);
	assert_view_equal(((struct view){digest, 20}),
		((struct view){subject->data, (size_t)subject->length}));
	assert_ok(extension_authority_key_identifier(issued, cert));
	authority = X509_get_ext_d2i(issued, NID_authority_key_identifier, NULL, NULL);
	assert_non_null(authority);
	assert_int_equal(0, ASN1_OCTET_STRING_cmp(subject, authority->keyid));
	assert_null(authority->issuer);
	assert_null(authority->serial);
	assert_int_equal(0, X509_EXTENSION_get_critical(X509_get_ext(cert, 0)));
	assert_int_equal(0, X509_EXTENSION_get_critical(X509_get_ext(issued, 0)));
	ASN1_OCTET_STRING_free(subject);
	AUTHORITY_KEYID_free(authority);
}

static void an_identifier_of_nothing_cannot_be_made(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new(), *empty = X509_new();

	(void)state;
	assert_refused(extension_authority_key_identifier(cert, empty), ERR_INTERNAL, "crypto");
	assert_int_equal(0, X509_get_ext_count(cert));
}

static void an_extended_key_usage_can_be_critical(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new();
	char *oids[] = {(char *)"1.3.6.1.5.5.7.3.1"};

	(void)state;
	assert_ok(extension_extended_key_usage(cert, oids, 1, true));
	assert_int_equal(1, X509_EXTENSION_get_critical(X509_get_ext(cert, 0)));
}

/* RFC 5280 4.2.2.1, byte by byte: what there is of the two, in this order. */
static void authority_information_has_a_url_of_each_kind(void **state)
{
	static const struct {
		const char *ca_issuers, *ocsp, *der;
	} rows[] = {
		{"a:b", NULL, "3011300f06082b060105050730028603613a62"},
		{NULL, "c:d", "3011300f06082b060105050730018603633a64"},
		{"a:b", "c:d",
			"3022300f06082b060105050730028603613a62300f06082b060105050730018603633a64"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = X509_new();
		AUTO(buf_free) struct buf wanted = BUF(64);
		const ASN1_OCTET_STRING *value;

		assert_ok(extension_authority_information(cert, rows[i].ca_issuers, rows[i].ocsp));
		add_hex(&wanted, rows[i].der);
		assert_int_equal(0, X509_get_ext_by_NID(cert, NID_info_access, -1));
		assert_int_equal(0, X509_EXTENSION_get_critical(X509_get_ext(cert, 0)));
		value = X509_EXTENSION_get_data(X509_get_ext(cert, 0));
		assert_view_equal(buf_view(&wanted), ((struct view){ASN1_STRING_get0_data(value),
							     (size_t)ASN1_STRING_length(value)}));
	}
}

/* RFC 5280 4.2.1.13, byte by byte: a fullName, and neither reasons nor another issuer. */
static void a_distribution_point_is_one_url(void **state)
{
	AUTO(x509_free) X509 *cert = X509_new();

	(void)state;
	assert_ok(extension_crl_distribution_point(cert, "a:b"));
	assert_extension(cert, NID_crl_distribution_points, 0, "300b3009a007a0058603613a62");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_extended_key_usage_can_be_critical),
		cmocka_unit_test(authority_information_has_a_url_of_each_kind),
		cmocka_unit_test(a_distribution_point_is_one_url),
		cmocka_unit_test(basic_constraints_are_critical_and_der),
		cmocka_unit_test(certificate_policies_are_not_critical_and_in_their_order),
		cmocka_unit_test(key_usage_is_critical_and_has_no_zero_bits_at_its_end),
		cmocka_unit_test(extended_key_usages_keep_their_order),
		cmocka_unit_test(the_identifiers_are_160_bits_of_sha_256_over_the_key),
		cmocka_unit_test(an_identifier_of_nothing_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
