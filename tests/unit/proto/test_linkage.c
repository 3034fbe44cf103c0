#include "enroll/proto/linkage.h"
#include "faults.h"

#define LINKAGE                                                                                    \
	"{\"attest\":\"YXR0ZXN0\",\"signature\":\"c2ln\",\"log\":\"title\\nevent\\n\","            \
	"\"ak_certificate\":\"YWs=\",\"platform_property\":\"cHJvcA==\","                          \
	"\"intermediates\":[\"b25l\",\"dHdv\"]}"

static enum err parse(struct view json)
{
	AUTO(linkage_free) struct linkage linkage;

	return linkage_parse(json, &linkage);
}

static void a_linkage_gives_what_was_sent(void **state)
{
	AUTO(linkage_free) struct linkage linkage;

	(void)state;
	assert_ok(linkage_parse(view_str(LINKAGE), &linkage));
	assert_view_equal(view_str("attest"), buf_view(&linkage.attest));
	assert_view_equal(view_str("sig"), buf_view(&linkage.signature));
	assert_view_equal(view_str("title\nevent\n"), buf_view(&linkage.log));
	assert_view_equal(view_str("ak"), buf_view(&linkage.ak_certificate));
	assert_view_equal(view_str("prop"), buf_view(&linkage.platform_property));
	assert_int_equal(2, linkage.intermediates_n);
	assert_view_equal(view_str("one"), buf_view(&linkage.intermediates[0]));
	assert_view_equal(view_str("two"), buf_view(&linkage.intermediates[1]));
}

static void what_is_written_reads_back(void **state)
{
	AUTO(linkage_free) struct linkage linkage;
	AUTO(buf_free) struct buf json = BUF(LINKAGE_MAX);

	(void)state;
	assert_ok(linkage_parse(view_str(LINKAGE), &linkage));
	assert_ok(linkage_encode(&linkage, &json));
	assert_string_equal(LINKAGE, buf_text(&json));
}

static void a_linkage_is_one_whole_json_object(void **state)
{
	(void)state;
	try_text(LINKAGE, parse);
	try_unknown_key(&(struct place){LINKAGE, "", parse});
}

static void each_member_is_there_once_of_its_type_and_not_too_long(void **state)
{
	static const struct {
		const char *path;
		size_t max;
	} bytes[] = {
		{"attest", LIMIT_ATTEST},
		{"signature", LIMIT_SIGNATURE},
		{"ak_certificate", LINKAGE_CERTIFICATE},
		{"platform_property", LINKAGE_CERTIFICATE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bytes); i++) {
		const struct place place = {LINKAGE, bytes[i].path, parse};

		try_member(&place, JSON_STRING, true);
		try_bytes(&place, bytes[i].max);
	}
	try_member(&(struct place){LINKAGE, "log", parse}, JSON_STRING, true);
	try_string(&(struct place){LINKAGE, "log", parse}, LINKAGE_LOG);
	try_member(&(struct place){LINKAGE, "intermediates", parse}, JSON_ARRAY, true);
	try_entry(&(struct place){LINKAGE, "intermediates/0", parse}, JSON_STRING);
	try_bytes(&(struct place){LINKAGE, "intermediates/0", parse}, LIMIT_INTERMEDIATE);
	try_length(&(struct place){LINKAGE, "intermediates", parse}, LIMIT_INTERMEDIATES,
		"field-too-long");
}

static void a_linkage_as_large_as_may_be_fits(void **state)
{
	AUTO(linkage_free) struct linkage linkage;
	AUTO(buf_free) struct buf json = BUF(LINKAGE_MAX);
	static uint8_t bytes[LINKAGE_LOG];

	(void)state;
	memset(bytes, '\n', sizeof(bytes)); /* two bytes each in JSON is not what logs are like */
	memset(bytes, 'a', sizeof(bytes) - sizeof(bytes) / 64);
	linkage_init(&linkage);
	buf_add(&linkage.log, VIEW(bytes));
	buf_add(&linkage.attest, (struct view){bytes, LIMIT_ATTEST});
	buf_add(&linkage.signature, (struct view){bytes, LIMIT_SIGNATURE});
	buf_add(&linkage.ak_certificate, (struct view){bytes, LINKAGE_CERTIFICATE});
	buf_add(&linkage.platform_property, (struct view){bytes, LINKAGE_CERTIFICATE});
	for (size_t i = 0; i < LIMIT_INTERMEDIATES; i++)
		buf_add(&linkage.intermediates[i], (struct view){bytes, LIMIT_INTERMEDIATE});
	linkage.intermediates_n = LIMIT_INTERMEDIATES;
	assert_ok(linkage_encode(&linkage, &json));
	assert_ok(parse(buf_view(&json)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_linkage_gives_what_was_sent),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(a_linkage_is_one_whole_json_object),
		cmocka_unit_test(each_member_is_there_once_of_its_type_and_not_too_long),
		cmocka_unit_test(a_linkage_as_large_as_may_be_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
