#include "enroll/proto/answer.h"
#include "faults.h"

#define ANSWER                                                                                     \
	"{\"host\":\"web-01.example.org\",\"device_id\":\"00112233445566778899aabbccddeeff\","     \
	"\"tpm\":{\"manufacturer\":\"id:49465800\",\"model\":\"SLB 9670\","                        \
	"\"version\":\"id:00010002\"},"                                                            \
	"\"trust\":{\"class\":\"manufacturer\",\"source\":\"infineon\","                           \
	"\"chain\":[\"CN=Intermediate\",\"CN=Root, O=R\\u00e9\"]},"                                \
	"\"certificates\":[{\"template\":\"ak\",\"certificate\":\"Y2VydA==\"}],"                   \
	"\"ca\":{\"intermediates\":[\"b25l\",\"dHdv\"]}}"

static enum err parse(struct view json)
{
	AUTO(answer_free) struct answer *answer = NULL;
	enum err err = answer_parse(json, &answer);

	assert_true((err == OK) == (answer != NULL));
	return err;
}

static void an_answer_gives_what_was_sent(void **state)
{
	AUTO(answer_free) struct answer *answer = NULL;

	(void)state;
	assert_ok(answer_parse(view_str(ANSWER), &answer));
	assert_string_equal("web-01.example.org", answer->host);
	assert_string_equal("00112233445566778899aabbccddeeff", answer->device_id);
	assert_string_equal("id:49465800", answer->tpm_manufacturer);
	assert_string_equal("SLB 9670", answer->tpm_model);
	assert_string_equal("id:00010002", answer->tpm_version);
	assert_string_equal("manufacturer", answer->trust_class);
	assert_string_equal("infineon", answer->trust_source);
	assert_string_equal("CN=Intermediate\nCN=Root, O=R\xc3\xa9", answer->trust_chain);
	assert_int_equal(1, answer->certificates_n);
	assert_string_equal("ak", answer->certificates[0].template);
	assert_view_equal(view_str("cert"), answer->certificates[0].der);
	assert_int_equal(2, answer->intermediates_n);
	assert_view_equal(view_str("one"), answer->intermediates[0]);
	assert_view_equal(view_str("two"), answer->intermediates[1]);
}

static void an_answer_is_one_whole_json_object(void **state)
{
	(void)state;
	try_text(ANSWER, parse);
}

static void an_answer_with_an_unknown_key_is_refused(void **state)
{
	static const char *const paths[] = {"", "tpm", "trust", "certificates/0", "ca"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		try_unknown_key(&(struct place){ANSWER, paths[i], parse});
}

static void an_answer_brings_no_anchor(void **state)
{
	(void)state;
	try_value(&(struct place){ANSWER, "ca/anchors", parse}, json_array(), ERR_MALFORMED,
		"json-key-unknown");
}

static void an_answer_lacks_no_key_has_none_twice_and_each_with_its_type(void **state)
{
	static const struct {
		const char *path;
		json_type type;
		bool is_optional;
	} rows[] = {
		{"host", JSON_STRING, false},
		{"device_id", JSON_STRING, false},
		{"tpm", JSON_OBJECT, false},
		{"tpm/manufacturer", JSON_STRING, true},
		{"tpm/model", JSON_STRING, true},
		{"tpm/version", JSON_STRING, true},
		{"trust", JSON_OBJECT, false},
		{"trust/class", JSON_STRING, false},
		{"trust/source", JSON_STRING, false},
		{"trust/chain", JSON_ARRAY, false},
		{"certificates", JSON_ARRAY, false},
		{"certificates/0/template", JSON_STRING, false},
		{"certificates/0/certificate", JSON_STRING, false},
		{"ca", JSON_OBJECT, false},
		{"ca/intermediates", JSON_ARRAY, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		try_member(&(struct place){ANSWER, rows[i].path, parse}, rows[i].type,
			!rows[i].is_optional);
	try_entry(&(struct place){ANSWER, "trust/chain/0", parse}, JSON_STRING);
	try_entry(&(struct place){ANSWER, "certificates/0", parse}, JSON_OBJECT);
	try_entry(&(struct place){ANSWER, "ca/intermediates/1", parse}, JSON_STRING);
}

/* An EK that is on an allow-list, say: nobody vouches for who made it, and no chain leads anywhere. */
static void what_nothing_has_proven_of_a_tpm_is_left_out(void **state)
{
	const struct answer answer = {.host = "web-01.example.org",
		.device_id = "00112233445566778899aabbccddeeff",
		.tpm_manufacturer = "",
		.tpm_version = "",
		.trust_class = "allow-list",
		.trust_source = "factory",
		.trust_chain = ""};
	AUTO(answer_free) struct answer *parsed = NULL;
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_ok(answer_encode(&answer, &json));
	assert_non_null(strstr(buf_text(&json), "\"tpm\":{}"));
	assert_ok(answer_parse(buf_view(&json), &parsed));
	assert_string_equal("", parsed->tpm_manufacturer);
	assert_string_equal("", parsed->tpm_model);
	assert_string_equal("", parsed->tpm_version);
	assert_string_equal("", parsed->trust_chain);
}

static void the_strings_of_an_answer_have_their_limits(void **state)
{
	static const struct {
		const char *path;
		size_t max;
	} rows[] = {
		{"host", 253},
		{"device_id", 32},
		{"tpm/manufacturer", 512},
		{"tpm/model", 512},
		{"tpm/version", 512},
		{"trust/class", 512},
		{"trust/source", 512},
		{"certificates/0/template", 64},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		try_string(&(struct place){ANSWER, rows[i].path, parse}, rows[i].max);
}

static void the_bytes_of_an_answer_are_canonical_and_have_their_limits(void **state)
{
	(void)state;
	try_bytes(&(struct place){ANSWER, "certificates/0/certificate", parse}, 8192);
	try_bytes(&(struct place){ANSWER, "ca/intermediates/0", parse}, 8192);
}

static void the_lists_of_an_answer_have_their_limits(void **state)
{
	(void)state;
	try_length(&(struct place){ANSWER, "certificates", parse}, 8, "field-too-long");
	try_length(&(struct place){ANSWER, "ca/intermediates", parse}, 4, "field-too-long");
	try_value(&(struct place){ANSWER, "certificates", parse}, json_array(), OK, "");
	try_value(&(struct place){ANSWER, "trust/chain", parse}, json_array(), OK, "");
}

static void a_chain_of_names_has_room_for_8192_bytes(void **state)
{
	static char name[8194];
	const struct place place = {ANSWER, "trust/chain/0", parse};
	/* the other name, and the line end between them */
	const size_t rest = strlen("CN=Root, O=R\xc3\xa9") + 1;

	(void)state;
	memset(name, 'x', sizeof(name));
	try_value(&place, json_stringn(name, 8192 - rest), OK, "");
	try_value(&place, json_stringn(name, 8192 - rest + 1), ERR_TOO_LARGE, "too-large");
}

static void an_encoded_answer_is_the_text_that_is_parsed(void **state)
{
	AUTO(answer_free) struct answer *answer = NULL;
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);

	(void)state;
	assert_ok(answer_parse(view_str(ANSWER), &answer));
	assert_ok(answer_encode(answer, &json));
	/* JSON has two cases for hexadecimal digits */
	for (char *c = (char *)json.p; (c = strstr(c, "\\u00E9")) != NULL;)
		c[4] = 'e';
	assert_string_equal(ANSWER, buf_text(&json));
}

static struct answer plain(void)
{
	return (struct answer){.host = "h",
		.device_id = "d",
		.tpm_manufacturer = "m",
		.tpm_model = "n",
		.tpm_version = "v",
		.trust_class = "c",
		.trust_source = "s",
		.trust_chain = "a\nb",
		.certificates = {{"t", view_str("x")}},
		.certificates_n = 1};
}

static void an_answer_that_is_no_utf_8_anywhere_is_not_encoded(void **state)
{
	struct answer answer = plain();
	const char **const strings[] = {&answer.host, &answer.device_id, &answer.tpm_manufacturer,
		&answer.tpm_model, &answer.tpm_version, &answer.trust_class, &answer.trust_source,
		&answer.trust_chain, &answer.certificates[0].template};
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);

	(void)state;
	for (size_t i = 0; i < COUNT(strings); i++) {
		const char *before = *strings[i];

		*strings[i] = "a\nb\xff";
		assert_refused(answer_encode(&answer, &json), ERR_INTERNAL, "json-write");
		assert_int_equal(0, json.n);
		*strings[i] = before;
	}
	assert_ok(answer_encode(&answer, &json));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_gives_what_was_sent),
		cmocka_unit_test(an_answer_is_one_whole_json_object),
		cmocka_unit_test(an_answer_with_an_unknown_key_is_refused),
		cmocka_unit_test(an_answer_brings_no_anchor),
		cmocka_unit_test(an_answer_lacks_no_key_has_none_twice_and_each_with_its_type),
		cmocka_unit_test(what_nothing_has_proven_of_a_tpm_is_left_out),
		cmocka_unit_test(the_strings_of_an_answer_have_their_limits),
		cmocka_unit_test(the_bytes_of_an_answer_are_canonical_and_have_their_limits),
		cmocka_unit_test(the_lists_of_an_answer_have_their_limits),
		cmocka_unit_test(a_chain_of_names_has_room_for_8192_bytes),
		cmocka_unit_test(an_encoded_answer_is_the_text_that_is_parsed),
		cmocka_unit_test(an_answer_that_is_no_utf_8_anywhere_is_not_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
