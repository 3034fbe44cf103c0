#include "ca/subject.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static void name_free(X509_NAME **name)
{
	X509_NAME_free(*name);
	*name = NULL;
}

/* A name of one attribute, whose value is a label. */
static enum err build(const char *type, const char *value, X509_NAME *out)
{
	const struct grant_label label = {"x", value};
	const struct grant grant = {.template = "it", .labels = &label, .labels_n = 1};
	struct template_attribute attribute = {
		.type = (char *)(uintptr_t)type, .value = (char *)"${label.x}"};
	const struct yaml_list attributes = {.item = &attribute, .n = 1};

	return subject_build(&attributes, false, &grant, out);
}

static void an_attribute_has_the_string_type_of_its_kind(void **state)
{
	static const struct {
		const char *type, *value;
		int tag;
	} rows[] = {
		{"2.5.4.3", "web-01.example.org", V_ASN1_UTF8STRING},
		{"2.5.4.10", "\xc3\x84rger & S\xc3\xb6hne, K\xc3\xb6ln", V_ASN1_UTF8STRING},
		{"2.5.4.5", "0123456789abcdef", V_ASN1_PRINTABLESTRING},
		{"2.5.4.6", "CH", V_ASN1_PRINTABLESTRING},
		{"0.9.2342.19200300.100.1.25", "example", V_ASN1_IA5STRING},
		{"2.23.133.2.2", "a model", V_ASN1_UTF8STRING},
		{"1.3.6.1.4.1.99999.3", "a,b=c+d\\#<>;\"\xc3\xa4", V_ASN1_UTF8STRING},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(name_free) X509_NAME *name = X509_NAME_new();
		const ASN1_STRING *string;
		char oid[64];

		assert_ok(build(rows[i].type, rows[i].value, name));
		assert_int_equal(1, X509_NAME_entry_count(name));
		OBJ_obj2txt(oid, sizeof(oid),
			X509_NAME_ENTRY_get_object(X509_NAME_get_entry(name, 0)), 1);
		assert_string_equal(rows[i].type, oid);
		string = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0));
		assert_int_equal(rows[i].tag, ASN1_STRING_type(string));
		assert_view_equal(
			view_str(rows[i].value), ((struct view){ASN1_STRING_get0_data(string),
							 (size_t)ASN1_STRING_length(string)}));
	}
}

/* RFC 5280 A.1: what strict readers refuse is not issued. */
static void what_an_attribute_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *type, *value;
	} rows[] = {
		{"2.5.4.3", X64 "x"},
		{"2.5.4.10", X64 "x"},
		{"2.5.4.5", X64 "x"},
		{"2.5.4.5", "a@b"},
		{"2.5.4.6", "CHE"},
		{"2.5.4.6", "C"},
		{"2.5.4.6", "\xc3\xa4"},
		{"0.9.2342.19200300.100.1.25", "\xc3\xa4"},
		{"2.5.4.3", "a\nb"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(name_free) X509_NAME *name = X509_NAME_new();

		assert_refused_in(rows[i].value, build(rows[i].type, rows[i].value, name),
			ERR_REJECTED, "template-value");
		assert_int_equal(0, X509_NAME_entry_count(name));
	}
}

static void each_attribute_is_an_rdn_of_its_own_in_the_order_of_the_template(void **state)
{
	static struct template_attribute attribute[] = {
		{.type = (char *)"2.5.4.10", .value = (char *)"Example"},
		{.type = (char *)"2.5.4.3", .value = (char *)"b"},
		{.type = (char *)"2.5.4.3", .value = (char *)"a"},
	};
	static const struct yaml_list attributes = {.item = attribute, .n = COUNT(attribute)};
	static const struct grant grant = {.template = "it"};
	AUTO(name_free) X509_NAME *name = X509_NAME_new();
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	char text[64] = "";

	(void)state;
	assert_ok(subject_build(&attributes, false, &grant, name));
	assert_true(X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) > 0);
	assert_true(BIO_read(bio, text, sizeof(text) - 1) > 0);
	assert_string_equal("O=Example, CN=b, CN=a", text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attribute_has_the_string_type_of_its_kind),
		cmocka_unit_test(what_an_attribute_cannot_be_is_refused),
		cmocka_unit_test(each_attribute_is_an_rdn_of_its_own_in_the_order_of_the_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
