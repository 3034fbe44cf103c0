#include "ca/extra.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#define OID "1.3.6.1.4.1.99999.7"

static const struct grant_label labels[] = {
	{"flag", "true"}, {"n", "-129"}, {"sly", "DER:300A,critical"}, {"zh", "\xe6\xa0\xaa"}};
static const struct grant grant = {
	.template = "it", .host = "web-01.example.org", .labels = labels, .labels_n = 4};

static enum err add(const char *type, const char *value, bool critical, X509 *cert)
{
	const struct template_extension extension = {.oid = (char *)OID,
		.critical = critical,
		.type = (char *)(uintptr_t)type,
		.value = (char *)(uintptr_t)value};

	return extra_add(cert, &extension, &grant);
}

/* Each value is one DER element (X.690), whatever the text says. */
static void a_value_is_one_element_of_its_type(void **state)
{
	static const struct {
		const char *type, *value, *der;
	} rows[] = {
		{"utf8", "${label.zh}", "0c03e6a0aa"},
		{"utf8", "${label.sly}", "0c114445523a333030412c637269746963616c"},
		{"printable", "rack 7", "13067261636b2037"},
		{"ia5", "a@b", "1603614062"},
		{"integer", "0", "020100"},
		{"integer", "127", "02017f"},
		{"integer", "128", "02020080"},
		{"integer", "-1", "0201ff"},
		{"integer", "${label.n}", "0202ff7f"},
		{"integer", "340282366920938463463374607431768211456",
			"02110100000000000000000000000000000000"},
		{"boolean", "${label.flag}", "0101ff"},
		{"boolean", "false", "010100"},
		{"oid", "2.23.133.8.3", "06056781050803"},
		{"null", NULL, "0500"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = X509_new();
		AUTO(buf_free) struct buf wanted = BUF(64);
		const ASN1_OCTET_STRING *value;
		X509_EXTENSION *made;
		char oid[64];

		add_hex(&wanted, rows[i].der);
		assert_ok(add(rows[i].type, rows[i].value, i % 2 == 1, cert));
		assert_int_equal(1, X509_get_ext_count(cert));
		made = X509_get_ext(cert, 0);
		assert_int_equal(i % 2 == 1, X509_EXTENSION_get_critical(made));
		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(made), 1);
		assert_string_equal(OID, oid);
		value = X509_EXTENSION_get_data(made);
		assert_view_equal(buf_view(&wanted), ((struct view){ASN1_STRING_get0_data(value),
							     (size_t)ASN1_STRING_length(value)}));
	}
}

static void a_value_of_another_type_is_refused_and_nothing_added(void **state)
{
	static const struct {
		const char *type, *value;
		const char *code;
	} rows[] = {
		{"integer", "${label.sly}", "template-value"},
		{"integer", "${host}", "template-value"},
		{"boolean", "${label.n}", "template-value"},
		{"oid", "${label.n}", "template-value"},
		{"printable", "${label.zh}", "template-value"},
		{"ia5", "${label.zh}", "template-value"},
		{"utf8", "${label.rack}", "template-needs-label"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(x509_free) X509 *cert = X509_new();

		assert_refused_in(rows[i].value, add(rows[i].type, rows[i].value, true, cert),
			ERR_REJECTED, rows[i].code);
		assert_int_equal(0, X509_get_ext_count(cert));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_one_element_of_its_type),
		cmocka_unit_test(a_value_of_another_type_is_refused_and_nothing_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
