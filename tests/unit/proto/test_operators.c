#include "enroll/proto/operators.h"
#include "faults.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WHOAMI "{\"who\":\"operator:alice\",\"role\":\"admin\",\"by\":\"file\",\"until\":7}"
#define ADD "{\"name\":\"alice\",\"why\":\"new\",\"role\":\"admin\"}"
#define DISABLE "{\"name\":\"alice\",\"why\":\"left\"}"
#define DONE "{\"name\":\"alice\",\"role\":\"admin\",\"tokens\":2}"
#define REVOKE "{\"certificate_sha256\":\"" DIGEST "\",\"name\":\"alice\",\"why\":\"lost\"}"
#define LIST                                                                                       \
	"{\"operators\":[{\"name\":\"alice\",\"role\":\"admin\",\"created_by\":\"admin-token\","   \
	"\"disabled_by\":\"operator:bob\",\"created_at\":1,\"disabled_at\":2}],"                   \
	"\"revoked_certificates\":[{\"certificate_sha256\":\"" DIGEST "\",\"name\":\"alice\","     \
	"\"revoked_by\":\"operator:bob\",\"why\":\"lost\",\"revoked_at\":3}],\"more\":true}"
#define CREATE "{\"name\":\"ci\",\"role\":\"auditor\",\"why\":\"ci\",\"expires_in\":60}"
#define CREATED "{\"name\":\"ci\",\"role\":\"auditor\",\"token\":\"" DIGEST "\",\"expires_at\":60}"
#define TOKENS                                                                                     \
	"{\"tokens\":[{\"name\":\"ci\",\"role\":\"auditor\",\"created_by\":\"operator:alice\","    \
	"\"revoked_by\":\"operator:bob\",\"created_at\":1,\"expires_at\":2,\"revoked_at\":3,"      \
	"\"used_at\":4}],\"more\":false}"

static enum err parse_whoami(struct view json)
{
	struct whoami is;

	return whoami_parse(json, &is);
}

static enum err parse_add(struct view json)
{
	struct operator_request request;

	return operator_request_parse(json, true, &request);
}

static enum err parse_disable(struct view json)
{
	struct operator_request request;

	return operator_request_parse(json, false, &request);
}

static enum err parse_done(struct view json)
{
	struct operator_answer answer;

	return operator_answer_parse(json, &answer);
}

static enum err parse_revoke(struct view json)
{
	struct operator_revoke_request request;

	return operator_revoke_request_parse(json, &request);
}

static enum err parse_list(struct view json)
{
	AUTO(operator_list_free) struct operator_list list;

	return operator_list_parse(json, &list);
}

static enum err parse_create(struct view json)
{
	struct token_request request;

	return token_request_parse(json, &request);
}

static enum err parse_created(struct view json)
{
	AUTO(token_answer_wipe) struct token_answer answer;

	return token_answer_parse(json, &answer);
}

static enum err parse_tokens(struct view json)
{
	AUTO(token_list_free) struct token_list list;

	return token_list_parse(json, &list);
}

static const struct {
	const char *base;
	enum err (*parse)(struct view json);
} texts[] = {{WHOAMI, parse_whoami}, {ADD, parse_add}, {DISABLE, parse_disable}, {DONE, parse_done},
	{REVOKE, parse_revoke}, {LIST, parse_list}, {CREATE, parse_create},
	{CREATED, parse_created}, {TOKENS, parse_tokens}};

static void a_text_is_taken_whole_or_not_at_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		try_text(texts[i].base, texts[i].parse);
		try_unknown_key(&(struct place){texts[i].base, "", texts[i].parse});
	}
	try_unknown_key(&(struct place){LIST, "operators/0", parse_list});
	try_unknown_key(&(struct place){LIST, "revoked_certificates/0", parse_list});
	try_unknown_key(&(struct place){TOKENS, "tokens/0", parse_tokens});
	/* Who is disabled has no role any more. */
	assert_refused(parse_disable(view_str(ADD)), ERR_MALFORMED, "json-key-unknown");
	assert_refused(parse_add(view_str(DISABLE)), ERR_MALFORMED, "json-key-missing");
}

static void each_member_has_its_type_and_its_length(void **state)
{
	static const struct {
		size_t of;
		const char *path;
		json_type type;
		size_t max;
		bool may_lack;
	} rows[] = {
		{0, "who", JSON_STRING, LIMIT_WHO, false},
		{0, "role", JSON_STRING, LIMIT_ROLE, false},
		{0, "by", JSON_STRING, LIMIT_ROLE, false},
		{0, "until", JSON_INTEGER, 0, false},
		{1, "name", JSON_STRING, LIMIT_NAME, false},
		{1, "role", JSON_STRING, LIMIT_ROLE, false},
		{1, "why", JSON_STRING, LIMIT_WHY, false},
		{2, "name", JSON_STRING, LIMIT_NAME, false},
		{3, "tokens", JSON_INTEGER, 0, false},
		{3, "role", JSON_STRING, LIMIT_ROLE, true},
		{4, "certificate_sha256", JSON_STRING, CERTIFICATE_DIGITS, false},
		{4, "name", JSON_STRING, LIMIT_NAME, true},
		{4, "why", JSON_STRING, LIMIT_WHY, false},
		{5, "operators", JSON_ARRAY, 0, false},
		{5, "revoked_certificates", JSON_ARRAY, 0, false},
		{5, "operators/0/name", JSON_STRING, LIMIT_NAME, false},
		{5, "operators/0/disabled_by", JSON_STRING, LIMIT_WHY, true},
		{5, "operators/0/created_at", JSON_INTEGER, 0, false},
		{5, "revoked_certificates/0/why", JSON_STRING, LIMIT_WHY, false},
		{6, "expires_in", JSON_INTEGER, 0, false},
		{6, "name", JSON_STRING, LIMIT_NAME, false},
		{7, "token", JSON_STRING, 2 * SECRET_SIZE, false},
		{8, "tokens/0/used_at", JSON_INTEGER, 0, false},
		{8, "tokens/0/revoked_by", JSON_STRING, LIMIT_WHY, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct place place = {
			texts[rows[i].of].base, rows[i].path, texts[rows[i].of].parse};

		try_member(&place, rows[i].type, !rows[i].may_lack);
		if (rows[i].max > 0)
			try_string(&place, rows[i].max);
	}
	try_length(&(struct place){LIST, "operators", parse_list}, OPERATORS_MAX, "field-too-long");
	try_length(
		&(struct place){TOKENS, "tokens", parse_tokens}, OPERATORS_MAX, "field-too-long");
}

/* What is read and written again is the same text. */
static void what_is_written_is_what_was_read(void **state)
{
	AUTO(buf_free) struct buf list = BUF(4096), tokens = BUF(4096), is = BUF(4096);
	AUTO(operator_list_free) struct operator_list operators = {0};
	AUTO(token_list_free) struct token_list all = {0};
	struct whoami whoami;

	(void)state;
	assert_ok(operator_list_parse(view_str(LIST), &operators));
	assert_ok(operator_list_encode(&operators, &list));
	assert_string_equal(LIST, buf_text(&list));
	assert_ok(token_list_parse(view_str(TOKENS), &all));
	assert_ok(token_list_encode(&all, &tokens));
	assert_string_equal(TOKENS, buf_text(&tokens));
	assert_ok(whoami_parse(view_str(WHOAMI), &whoami));
	assert_ok(whoami_encode(&whoami, &is));
	assert_string_equal(WHOAMI, buf_text(&is));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_taken_whole_or_not_at_all),
		cmocka_unit_test(each_member_has_its_type_and_its_length),
		cmocka_unit_test(what_is_written_is_what_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
