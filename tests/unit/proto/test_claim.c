#include "enroll/proto/claim.h"
#include "faults.h"

#define CLAIM                                                                                      \
	"{\"service\":\"https://ca.example.org\",\"host\":\"web-01.example.org\","                 \
	"\"ek\":{\"certificate\":\"Y2VydA==\",\"public\":\"ZWs=\",\"chain\":[\"b25l\",\"dHdv\"]}," \
	"\"ak\":{\"public\":\"YWs=\"}}"

static enum err parse(struct view json)
{
	AUTO(claim_free) struct claim *claim = NULL;
	enum err err = claim_parse(json, &claim);

	assert_true((err == OK) == (claim != NULL));
	return err;
}

static void a_claim_gives_what_was_sent(void **state)
{
	AUTO(claim_free) struct claim *claim = NULL;

	(void)state;
	assert_ok(claim_parse(view_str(CLAIM), &claim));
	assert_string_equal("https://ca.example.org", claim->service);
	assert_string_equal("web-01.example.org", claim->host);
	assert_view_equal(view_str("cert"), claim->ek_certificate);
	assert_view_equal(view_str("ek"), claim->ek_public);
	assert_int_equal(2, claim->ek_chain_n);
	assert_view_equal(view_str("one"), claim->ek_chain[0]);
	assert_view_equal(view_str("two"), claim->ek_chain[1]);
	assert_view_equal(view_str("ak"), claim->ak_public);
	claim_free(&claim);
	assert_null(claim);
	claim_free(&claim);
}

static void what_is_optional_may_be_absent(void **state)
{
	AUTO(claim_free) struct claim *claim = NULL;

	(void)state;
	assert_ok(claim_parse(view_str("{\"service\":\"s\",\"host\":\"h\",\"ek\":{},\"ak\":{"
				       "\"public\":\"AA==\"}}"),
		&claim));
	assert_int_equal(0, claim->ek_certificate.n);
	assert_int_equal(0, claim->ek_public.n);
	assert_int_equal(0, claim->ek_chain_n);
}

static void a_claim_is_one_whole_json_object(void **state)
{
	(void)state;
	try_text(CLAIM, parse);
}

static void a_claim_with_an_unknown_key_is_refused(void **state)
{
	(void)state;
	try_unknown_key(&(struct place){CLAIM, "", parse});
	try_unknown_key(&(struct place){CLAIM, "ek", parse});
	try_unknown_key(&(struct place){CLAIM, "ak", parse});
}

static void a_claim_lacks_no_key_has_none_twice_and_each_with_its_type(void **state)
{
	static const struct {
		const char *path;
		json_type type;
		bool is_required;
	} rows[] = {
		{"service", JSON_STRING, true},
		{"host", JSON_STRING, false},
		{"ek", JSON_OBJECT, true},
		{"ek/certificate", JSON_STRING, false},
		{"ek/public", JSON_STRING, false},
		{"ek/chain", JSON_ARRAY, false},
		{"ak", JSON_OBJECT, true},
		{"ak/public", JSON_STRING, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		try_member(&(struct place){CLAIM, rows[i].path, parse}, rows[i].type,
			rows[i].is_required);
	try_entry(&(struct place){CLAIM, "ek/chain/1", parse}, JSON_STRING);
}

static void the_strings_of_a_claim_have_their_limits(void **state)
{
	(void)state;
	try_string(&(struct place){CLAIM, "service", parse}, 255);
	try_string(&(struct place){CLAIM, "host", parse}, 253);
}

static void the_bytes_of_a_claim_are_canonical_and_have_their_limits(void **state)
{
	(void)state;
	try_bytes(&(struct place){CLAIM, "ek/certificate", parse}, 8192);
	try_bytes(&(struct place){CLAIM, "ek/public", parse}, 1024);
	try_bytes(&(struct place){CLAIM, "ek/chain/0", parse}, 4096);
	try_bytes(&(struct place){CLAIM, "ak/public", parse}, 1024);
}

static void bytes_that_are_sent_are_not_empty(void **state)
{
	static const char *const paths[] = {
		"ek/certificate", "ek/public", "ek/chain/0", "ak/public"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		try_value(&(struct place){CLAIM, paths[i], parse}, json_string(""), ERR_MALFORMED,
			"json-type");
}

static void a_chain_has_at_most_eight_certificates(void **state)
{
	(void)state;
	try_length(&(struct place){CLAIM, "ek/chain", parse}, 8, "field-too-long");
	try_value(&(struct place){CLAIM, "ek/chain", parse}, json_array(), OK, "");
}

static void a_refused_claim_leaves_the_callers_pointer_alone(void **state)
{
	struct claim *const before = (struct claim *)&state;
	struct claim *claim = before;

	assert_refused(claim_parse(view_str("{}"), &claim), ERR_MALFORMED, "json-key-missing");
	assert_ptr_equal(before, claim);
}

static void an_encoded_claim_is_the_text_that_is_parsed(void **state)
{
	AUTO(claim_free) struct claim *claim = NULL;
	AUTO(buf_free) struct buf json = BUF(LIMIT_CLAIM);

	(void)state;
	assert_ok(claim_parse(view_str(CLAIM), &claim));
	assert_ok(claim_encode(claim, &json));
	assert_string_equal(CLAIM, buf_text(&json));
}

static void an_encoded_claim_leaves_out_what_is_empty(void **state)
{
	const struct claim claim = {.service = "s", .host = "h", .ak_public = view_str("ak")};
	AUTO(buf_free) struct buf json = BUF(LIMIT_CLAIM);

	(void)state;
	assert_ok(claim_encode(&claim, &json));
	assert_string_equal(
		"{\"service\":\"s\",\"host\":\"h\",\"ek\":{},\"ak\":{\"public\":\"YWs=\"}}",
		buf_text(&json));
}

static void a_claim_that_is_no_utf_8_is_not_encoded(void **state)
{
	const struct claim claim = {.service = "s", .host = "\xff", .ak_public = view_str("ak")};
	AUTO(buf_free) struct buf json = BUF(LIMIT_CLAIM);

	(void)state;
	assert_refused(claim_encode(&claim, &json), ERR_INTERNAL, "json-write");
	assert_int_equal(0, json.n);
}

static void a_claim_is_encoded_up_to_the_room_there_is(void **state)
{
	AUTO(claim_free) struct claim *claim = NULL;
	AUTO(buf_free) struct buf exact = BUF(strlen(CLAIM)), small = BUF(strlen(CLAIM) - 1);

	(void)state;
	assert_ok(claim_parse(view_str(CLAIM), &claim));
	assert_ok(claim_encode(claim, &exact));
	assert_refused(claim_encode(claim, &small), ERR_TOO_LARGE, "too-large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_gives_what_was_sent),
		cmocka_unit_test(what_is_optional_may_be_absent),
		cmocka_unit_test(a_claim_is_one_whole_json_object),
		cmocka_unit_test(a_claim_with_an_unknown_key_is_refused),
		cmocka_unit_test(a_claim_lacks_no_key_has_none_twice_and_each_with_its_type),
		cmocka_unit_test(the_strings_of_a_claim_have_their_limits),
		cmocka_unit_test(the_bytes_of_a_claim_are_canonical_and_have_their_limits),
		cmocka_unit_test(bytes_that_are_sent_are_not_empty),
		cmocka_unit_test(a_chain_has_at_most_eight_certificates),
		cmocka_unit_test(a_refused_claim_leaves_the_callers_pointer_alone),
		cmocka_unit_test(an_encoded_claim_is_the_text_that_is_parsed),
		cmocka_unit_test(an_encoded_claim_leaves_out_what_is_empty),
		cmocka_unit_test(a_claim_that_is_no_utf_8_is_not_encoded),
		cmocka_unit_test(a_claim_is_encoded_up_to_the_room_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
