#include "ca/variable.h"

#include "tests/unit/check.h"

static const uint8_t digest[32] = {0xfb, 0xff, 0xfe, 0x01};
static const struct grant_label labels[] = {
	{"city", "Z\xc3\xbcrich"}, {"empty", ""}, {"rack", "r-7"}, {"sly", "${host}"}};
static const struct grant good = {.template = "it",
	.host = "web-01.example.org",
	.device_id = "0123456789abcdef0123456789abcdef",
	.trust_class = "manufacturer",
	.tpm_manufacturer = "id:49465800",
	.tpm_model = "SLB9670",
	.tpm_version = "id:00010002",
	.organization = "\xc3\x84rger GmbH",
	.ek_digest = digest,
	.ek_serial = "00c0ffee",
	.labels = labels,
	.labels_n = COUNT(labels)};

#define DIGEST_HEX                                                                                 \
	"fbfffe01"                                                                                 \
	"00000000000000000000000000000000000000000000000000000000"
#define DIGEST_BASE64 "+//+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void each_variable_is_what_the_grant_says(void **state)
{
	static const struct {
		const char *text;
		enum text_type type;
		const char *wanted;
	} rows[] = {
		{"plain", TEXT_PRINTABLE, "plain"},
		{"${host}", TEXT_DNS, "web-01.example.org"},
		{"api.${host.domain}", TEXT_DNS, "api.example.org"},
		{"${device.id}", TEXT_PRINTABLE, "0123456789abcdef0123456789abcdef"},
		{"${tpm.manufacturer} ${tpm.model} ${tpm.version}", TEXT_PRINTABLE,
			"id:49465800 SLB9670 id:00010002"},
		{"${ek.sha256}", TEXT_PRINTABLE, DIGEST_HEX},
		{"urn:ek:sha256:${ek.sha256.base64}", TEXT_URI, "urn:ek:sha256:" DIGEST_BASE64},
		{"${ek.serial}", TEXT_PRINTABLE, "00c0ffee"},
		{"${organization}", TEXT_UTF8, "\xc3\x84rger GmbH"},
		{"${trust.class}", TEXT_IA5, "manufacturer"},
		{"${label.rack}${label.rack}", TEXT_PRINCIPAL, "r-7r-7"},
		{"${label.city}", TEXT_UTF8, "Z\xc3\xbcrich"},
		{"urn:x:${label.rack}:${tpm.manufacturer}", TEXT_URI, "urn:x:r-7:id:49465800"},
		/* What a value says is no variable. */
		{"${label.sly}", TEXT_UTF8, "${host}"},
		{"${label.sly}", TEXT_IA5, "${host}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(1024);

		assert_refused_in(rows[i].text,
			variables_expand(rows[i].text, rows[i].type, &good, &out), OK, "");
		assert_string_equal(rows[i].wanted, buf_text(&out));
	}
}

/* Puts a value where devices, manufacturers and operators put theirs. */
static struct grant with(const char *variable, const char *value, struct grant_label *label)
{
	struct grant grant = good;

	*label = (struct grant_label){"x", value};
	grant.labels = label;
	grant.labels_n = 1;
	if (strcmp(variable, "${host}") == 0 || strcmp(variable, "${host.domain}") == 0)
		grant.host = value;
	if (strcmp(variable, "${tpm.model}") == 0)
		grant.tpm_model = value;
	if (strcmp(variable, "${ek.serial}") == 0)
		grant.ek_serial = value;
	if (strcmp(variable, "${organization}") == 0)
		grant.organization = value;
	return grant;
}

static char huge[1 << 16];

static int make_huge(void **state)
{
	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	return 0;
}

/* A value that is not of its variable's own type is refused wherever it stands. */
static void a_value_that_is_not_of_its_variables_type_is_refused(void **state)
{
	static const struct {
		const char *variable, *value;
	} rows[] = {
		{"${host}", "a.example.org,DNS:b.example.org"},
		{"${host}", "a.example.org\nb"},
		{"${host}", "a b.example.org"},
		{"${host}", "*.example.org"},
		{"${host}", "A.example.org"},
		{"${host}", "localhost"},
		{"${host}", huge},
		{"${host.domain}", "a.ex ample.org"},
		{"${host.domain}", "a.b,c"},
		{"${tpm.model}", "a\nb"},
		{"${tpm.model}", "\xc3\xa4"},
		{"${tpm.model}", "a\x01"},
		{"${tpm.model}", huge},
		{"${ek.serial}", "\x7f"},
		{"${organization}", "a\nb"},
		{"${organization}", "\xff"},
		{"${organization}", huge},
		{"${label.x}", "a\tb"},
		{"${label.x}", "a\xe2\x80\xae"
			       "b"},
		{"${label.x}", huge},
	};
	static const enum text_type types[] = {
		TEXT_PRINTABLE, TEXT_UTF8, TEXT_IA5, TEXT_DNS, TEXT_URI, TEXT_PRINCIPAL};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t k = 0; k < COUNT(types); k++) {
			AUTO(buf_free) struct buf out = BUF(1 << 17);
			struct grant_label label;
			struct grant grant = with(rows[i].variable, rows[i].value, &label);

			assert_refused_in(rows[i].variable,
				variables_expand(rows[i].variable, types[k], &grant, &out),
				ERR_REJECTED, "template-value");
			assert_non_null(strstr(why()->sentence, rows[i].variable));
			assert_int_equal(0, out.n);
		}
}

/* Each is a good label, and would begin something new in what it stands in. */
static void a_value_opens_nothing_where_it_stands(void **state)
{
	static const struct {
		const char *text;
		enum text_type type;
		const char *value;
	} rows[] = {
		{"${label.x}.example.org", TEXT_DNS, "a,DNS:b"},
		{"${label.x}.example.org", TEXT_DNS, "a."},
		{"${label.x}.example.org", TEXT_DNS, "a@b"},
		{"${label.x}.example.org", TEXT_DNS, "*"},
		{"${label.x}", TEXT_PRINCIPAL, "a,root"},
		{"${label.x}", TEXT_PRINCIPAL, "a root"},
		{"spiffe://example.org/${label.x}/host", TEXT_URI, "../admin"},
		{"spiffe://example.org/${label.x}/host", TEXT_URI, "admin?"},
		{"spiffe://example.org/${label.x}/host", TEXT_URI, "admin#"},
		{"spiffe://example.org/${label.x}/host", TEXT_URI, "%2e%2e"},
		{"spiffe://${label.x}.example.org/host", TEXT_URI, "evil.example/"},
		{"spiffe://${label.x}.example.org/host", TEXT_URI, "user@evil.example"},
		{"urn:x?a=${label.x}", TEXT_URI, "b&c=d"},
		{"urn:${label.x}", TEXT_URI, "SLB 9670"},
		{"${label.x}", TEXT_INTEGER, "0x10"},
		{"${label.x}", TEXT_INTEGER, "1,INTEGER:2"},
		{"${label.x}", TEXT_BOOLEAN, "true,false"},
		{"${label.x}", TEXT_OID, "1.2.3,2.5.29.17"},
		{"1.2.${label.x}", TEXT_OID, "3."},
		{"${label.x}", TEXT_PRINTABLE_STRING, "UTF8:x;"},
		{"${label.x}", TEXT_IA5, "\xc3\xa4"},
		{"${label.x}", TEXT_PRINTABLE, "\xc3\xa4"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(1024);
		struct grant_label label;
		struct grant grant = with("", rows[i].value, &label);

		assert_true(text_is(rows[i].value, TEXT_UTF8));
		assert_refused_in(rows[i].value,
			variables_expand(rows[i].text, rows[i].type, &grant, &out), ERR_REJECTED,
			"template-value");
		assert_int_equal(0, out.n);
	}
}

/* Where it can open nothing it stands as it is, whatever some program's configuration would make of it. */
static void syntax_of_others_is_only_text(void **state)
{
	static const char *const values[] = {"DER:300A", "@section", "email:copy",
		"a,b=c+d\\#<>;\"", "critical,CA:TRUE", "${ENV::HOME}", "$HOME", "`id`", "%s%n",
		"${label.x}", " x "};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		AUTO(buf_free) struct buf out = BUF(1024);
		struct grant_label label;
		struct grant grant = with("", values[i], &label);

		assert_ok(variables_expand("${label.x}", TEXT_UTF8, &grant, &out));
		assert_string_equal(values[i], buf_text(&out));
	}
}

static void what_the_grant_lacks_is_refused_by_whose_it_is(void **state)
{
	static const struct grant nothing = {.template = "it"};
	static const struct {
		const char *text;
		enum err err;
		const char *code;
	} rows[] = {
		{"${host}", ERR_INTERNAL, "template-value"},
		{"${host.domain}", ERR_INTERNAL, "template-value"},
		{"${device.id}", ERR_INTERNAL, "template-value"},
		{"${organization}", ERR_INTERNAL, "template-value"},
		{"${trust.class}", ERR_INTERNAL, "template-value"},
		{"${ek.sha256}", ERR_INTERNAL, "template-value"},
		{"${ek.sha256.base64}", ERR_INTERNAL, "template-value"},
		{"${tpm.manufacturer}", ERR_REJECTED, "template-needs-tpm-facts"},
		{"${tpm.model}", ERR_REJECTED, "template-needs-tpm-facts"},
		{"${tpm.version}", ERR_REJECTED, "template-needs-tpm-facts"},
		{"${ek.serial}", ERR_REJECTED, "template-needs-tpm-facts"},
		{"${label.rack}", ERR_REJECTED, "template-needs-label"},
		{"x ${label.rack}", ERR_REJECTED, "template-needs-label"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(1024);

		assert_refused_in(rows[i].text,
			variables_expand(rows[i].text, TEXT_UTF8, &nothing, &out), rows[i].err,
			rows[i].code);
		assert_int_equal(rows[i].err == ERR_REJECTED &&
					 strcmp(rows[i].code, "template-needs-tpm-facts") == 0,
			variables_unproven(rows[i].text, &nothing));
		assert_false(variables_unproven(rows[i].text, &good));
	}
}

/* A label that is there and says nothing is none, and one is not found by the beginning of its name. */
static void a_label_is_found_by_its_whole_name(void **state)
{
	static const char *const texts[] = {"${label.empty}", "${label.rac}", "${label.racks}"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(buf_free) struct buf out = BUF(1024);

		assert_refused(variables_expand(texts[i], TEXT_UTF8, &good, &out), ERR_REJECTED,
			"template-needs-label");
	}
}

static void texts_that_are_wrong_whatever_the_device_is_are_told(void **state)
{
	static const struct {
		const char *text;
		enum text_type type;
		const char *says; /* NULL: nothing is wrong */
	} rows[] = {
		{"plain", TEXT_UTF8, NULL},
		{"${host}", TEXT_DNS, NULL},
		{"${label.x}", TEXT_DNS, NULL},
		{"${tpm.model}.example.org", TEXT_DNS, NULL},
		{"${organization}", TEXT_PRINCIPAL, NULL},
		{"${hosts}", TEXT_UTF8, "no variable"},
		{"${}", TEXT_UTF8, "no variable"},
		{"${label.}", TEXT_UTF8, "no variable"},
		{"${label.a b}", TEXT_UTF8, "no variable"},
		{"${label.${host}}", TEXT_UTF8, "no variable"},
		{"${HOST}", TEXT_UTF8, "no variable"},
		{"${ host}", TEXT_UTF8, "no variable"},
		{"${host", TEXT_UTF8, "begins no variable"},
		{"5 $", TEXT_UTF8, "begins no variable"},
		{"$${host}", TEXT_UTF8, "begins no variable"},
		{"${tpm.manufacturer}.example.org", TEXT_DNS, "a host's name"},
		{"*.${host}", TEXT_DNS, "a host's name"},
		{"${host}", TEXT_INTEGER, "a whole number"},
		{"${host}", TEXT_URI, "a URI"},
		{"${tpm.version}", TEXT_PRINCIPAL, "letters, digits and"},
		{"${ek.sha256}${ek.sha256}x", TEXT_PRINTABLE, "1 to 128"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *told = text_problem(rows[i].text, rows[i].type);

		if ((told == NULL) != (rows[i].says == NULL) ||
			(told != NULL && strstr(told, rows[i].says) == NULL))
			fail_msg("%s: %s", rows[i].text, told == NULL ? "nothing" : told);
	}
	assert_null(variables_problem("${host} ${label.a.b-c}"));
	assert_non_null(variables_problem("${host} ${nobody}"));
}

static void what_a_text_uses_can_be_asked(void **state)
{
	(void)state;
	assert_true(variables_use("a ${ek.serial}", "ek.serial"));
	assert_false(variables_use("a ek.serial", "ek.serial"));
	assert_false(variables_use("${ek.sha256.base64}", "ek.sha256"));
	assert_true(variables_use("${label.rack}", "label."));
	assert_true(variables_use("${label.rack}", "label.rack"));
	assert_false(variables_use("${label.rack}", "label.rac"));
	assert_false(variables_use("${host}", "label."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_variable_is_what_the_grant_says),
		cmocka_unit_test(a_value_that_is_not_of_its_variables_type_is_refused),
		cmocka_unit_test(a_value_opens_nothing_where_it_stands),
		cmocka_unit_test(syntax_of_others_is_only_text),
		cmocka_unit_test(what_the_grant_lacks_is_refused_by_whose_it_is),
		cmocka_unit_test(a_label_is_found_by_its_whole_name),
		cmocka_unit_test(texts_that_are_wrong_whatever_the_device_is_are_told),
		cmocka_unit_test(what_a_text_uses_can_be_asked),
	};

	return cmocka_run_group_tests(tests, make_huge, NULL);
}
