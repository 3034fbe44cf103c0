#include "ca/san.h"

#include "ca/base/ossl.h"

#include "tests/unit/check.h"

static struct template_attribute attributes[] = {
	{.type = (char *)"2.23.133.2.1", .value = (char *)"${tpm.manufacturer}"},
	{.type = (char *)"2.23.133.2.2", .value = (char *)"${tpm.model}"},
	{.type = (char *)"2.23.133.2.3", .value = (char *)"${tpm.version}"},
};
static struct template_name names[] = {
	{.directory_name = {.item = attributes, .n = COUNT(attributes)}},
	{.permanent_identifier = (char *)"${device.id}"},
};
static const struct template_san san = {
	.critical = true, .names = {.item = names, .n = COUNT(names)}};

static const struct grant good = {.template = "ak",
	.host = "web-01.example.org",
	.device_id = "0123456789abcdef0123456789abcdef",
	.tpm_manufacturer = "id:00001014",
	.tpm_model = "swtpm",
	.tpm_version = "id:20191023"};

static void assert_text(const ASN1_STRING *string, const char *wanted)
{
	assert_int_equal(V_ASN1_UTF8STRING, ASN1_STRING_type(string));
	assert_view_equal(view_str(wanted),
		((struct view){ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)}));
}

static void a_directory_name_has_one_rdn_for_each_attribute(void **state)
{
	static const char *const oids[] = {"2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"};
	static const char *const values[] = {"id:00001014", "swtpm", "id:20191023"};
	AUTO(san_free) GENERAL_NAMES *made = NULL;
	const X509_NAME *name;

	(void)state;
	assert_ok(san_build(&san, &good, &made));
	assert_int_equal(2, sk_GENERAL_NAME_num(made));
	assert_int_equal(GEN_DIRNAME, sk_GENERAL_NAME_value(made, 0)->type);
	name = sk_GENERAL_NAME_value(made, 0)->d.directoryName;
	assert_int_equal(3, X509_NAME_entry_count(name));
	for (int i = 0; i < 3; i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		char oid[64];

		OBJ_obj2txt(oid, sizeof(oid), X509_NAME_ENTRY_get_object(entry), 1);
		assert_string_equal(oids[i], oid);
		assert_int_equal(i, X509_NAME_ENTRY_set(entry));
		assert_text(X509_NAME_ENTRY_get_data(entry), values[i]);
	}
}

/* otherName 1.3.6.1.5.5.7.8.3 [0] SEQUENCE { UTF8String }: RFC 4043 2. */
static void a_permanent_identifier_is_an_other_name(void **state)
{
	AUTO(san_free) GENERAL_NAMES *made = NULL;
	AUTO(buf_free) struct buf wanted = BUF(64);
	ASN1_OBJECT *type = NULL;
	ASN1_TYPE *value = NULL;
	char oid[64];

	(void)state;
	assert_ok(san_build(&san, &good, &made));
	assert_int_equal(
		1, GENERAL_NAME_get0_otherName(sk_GENERAL_NAME_value(made, 1), &type, &value));
	OBJ_obj2txt(oid, sizeof(oid), type, 1);
	assert_string_equal("1.3.6.1.5.5.7.8.3", oid);
	assert_int_equal(V_ASN1_SEQUENCE, value->type);
	add_hex(&wanted, "30220c20");
	buf_str(&wanted, good.device_id);
	assert_view_equal(buf_view(&wanted), ((struct view){value->value.sequence->data,
						     (size_t)value->value.sequence->length}));
}

/* A template with the host's name, or a plain text, as the only attribute. */
static enum err build_one(const char *text, const struct grant *grant)
{
	AUTO(san_free) GENERAL_NAMES *made = NULL;
	char copy[200];
	struct template_attribute attribute = {.type = (char *)"2.5.4.3", .value = copy};
	struct template_name name = {.directory_name = {.item = &attribute, .n = 1}};
	const struct template_san one = {.critical = true, .names = {.item = &name, .n = 1}};

	snprintf(copy, sizeof(copy), "%s", text);
	TRY(san_build(&one, grant, &made));
	assert_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(
			    sk_GENERAL_NAME_value(made, 0)->d.directoryName, 0)),
		text[0] == '$' ? grant->organization : text);
	return OK;
}

static void values_go_in_as_they_are(void **state)
{
	static const char *const texts[] = {
		"plain text", "DER:300A", "a,b=c+d\\#<>;\"", "@section", "email:copy", " x "};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct grant grant = good;

		assert_ok(build_one(texts[i], &good));
		grant.organization = texts[i];
		assert_ok(build_one("${organization}", &grant));
	}
}

static void what_the_grant_lacks_or_has_too_long_or_unprintable_is_refused(void **state)
{
	struct grant rows[] = {good, good, good, good, good, good};
	char longest[129], longer[130];
	GENERAL_NAMES *made = NULL;

	(void)state;
	memset(longest, 'a', 128);
	longest[128] = '\0';
	memset(longer, 'a', 129);
	longer[129] = '\0';
	rows[0].device_id = NULL;
	rows[1].tpm_model = "a\nb";
	rows[2].tpm_model = "\xc3\x84";
	rows[3].tpm_model = longer;
	rows[4].device_id = "\x7f";
	rows[5].tpm_version = "id\n";
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_refused(san_build(&san, &rows[i], &made),
			i == 0 ? ERR_INTERNAL : ERR_REJECTED, "template-value");
		assert_null(made);
	}
	rows[0] = good;
	rows[0].tpm_model = longest;
	assert_ok(san_build(&san, &rows[0], &made));
	san_free(&made);
	assert_refused(build_one("${organization}", &rows[0]), ERR_INTERNAL, "template-value");
}

/* Six ways to lack what a manufacturer's certificate says. */
static struct grant lacking(size_t way)
{
	struct grant grant = good;
	const char **facts[] = {&grant.tpm_manufacturer, &grant.tpm_model, &grant.tpm_version};

	*facts[way % 3] = way < 3 ? NULL : "";
	return grant;
}

static void what_no_manufacturer_has_proven_is_refused_where_it_is_not_optional(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		const struct grant grant = lacking(i);
		GENERAL_NAMES *made = NULL;

		assert_refused(
			san_build(&san, &grant, &made), ERR_REJECTED, "template-needs-tpm-facts");
		assert_null(made);
	}
}

static void an_optional_name_does_without_what_is_not_proven(void **state)
{
	(void)state;
	names[0].optional = true;
	for (size_t i = 0; i < 6; i++) {
		AUTO(san_free) GENERAL_NAMES *made = NULL;
		const struct grant grant = lacking(i);

		assert_ok(san_build(&san, &grant, &made));
		assert_int_equal(2, sk_GENERAL_NAME_num(made));
		assert_int_equal(
			2, X509_NAME_entry_count(sk_GENERAL_NAME_value(made, 0)->d.directoryName));
	}
	names[0].optional = false;
}

static void an_optional_name_of_which_nothing_is_proven_is_left_out(void **state)
{
	AUTO(san_free) GENERAL_NAMES *made = NULL, *known = NULL, *plain = NULL;
	AUTO(ossl_free) uint8_t *of_known = NULL, *of_plain = NULL;
	const struct grant grant = {.host = good.host, .device_id = good.device_id};
	int n, m;

	(void)state;
	assert_ok(san_build(&san, &good, &plain));
	names[0].optional = true;
	assert_ok(san_build(&san, &grant, &made));
	assert_ok(san_build(&san, &good, &known));
	names[0].optional = false;
	assert_int_equal(1, sk_GENERAL_NAME_num(made));
	assert_int_equal(GEN_OTHERNAME, sk_GENERAL_NAME_value(made, 0)->type);
	/* What is proven is stated, byte for byte as without the word. */
	n = i2d_GENERAL_NAMES(plain, &of_plain);
	m = i2d_GENERAL_NAMES(known, &of_known);
	assert_view_equal(
		((struct view){of_plain, (size_t)n}), ((struct view){of_known, (size_t)m}));
}

/* That the service forgot the name or the id is not for a template to forgive. */
static void optional_is_only_what_a_manufacturer_says(void **state)
{
	struct template_attribute attribute = {
		.type = (char *)"2.5.4.3", .value = (char *)"${host}"};
	struct template_name name = {
		.directory_name = {.item = &attribute, .n = 1}, .optional = true};
	const struct template_san one = {.critical = true, .names = {.item = &name, .n = 1}};
	struct grant grant = good;
	GENERAL_NAMES *made = NULL;

	(void)state;
	grant.host = NULL;
	assert_refused(san_build(&one, &grant, &made), ERR_INTERNAL, "template-value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_name_has_one_rdn_for_each_attribute),
		cmocka_unit_test(a_permanent_identifier_is_an_other_name),
		cmocka_unit_test(values_go_in_as_they_are),
		cmocka_unit_test(what_the_grant_lacks_or_has_too_long_or_unprintable_is_refused),
		cmocka_unit_test(
			what_no_manufacturer_has_proven_is_refused_where_it_is_not_optional),
		cmocka_unit_test(an_optional_name_does_without_what_is_not_proven),
		cmocka_unit_test(an_optional_name_of_which_nothing_is_proven_is_left_out),
		cmocka_unit_test(optional_is_only_what_a_manufacturer_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
