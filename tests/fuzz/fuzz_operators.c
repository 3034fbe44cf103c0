/* fuzz_operators.c - who may administer, as it is asked for and told; what is read can be written
 * and read again. */
#include "tests/fuzz/target.h"

#include "enroll/proto/attempts.h"
#include "enroll/proto/operators.h"

#include <stdlib.h>

static void try_lists(struct view text)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER);
	AUTO(operator_list_free) struct operator_list operators = {0}, again = {0};
	AUTO(token_list_free) struct token_list tokens = {0};

	if (operator_list_parse(text, &operators) == OK &&
		operator_list_encode(&operators, &json) == OK &&
		operator_list_parse(buf_view(&json), &again) != OK)
		abort();
	(void)!token_list_parse(text, &tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_ADMIN_BODY);
	struct operator_revoke_request revoke;
	struct token_request create, again;
	struct operator_request request;
	struct view text = {p, n};

	(void)!operator_request_parse(text, true, &request);
	(void)!operator_revoke_request_parse(text, &revoke);
	try_lists(text);
	if (token_request_parse(text, &create) != OK)
		return 0;
	if (token_request_encode(&create, &json) != OK ||
		token_request_parse(buf_view(&json), &again) != OK)
		abort();
	return 0;
}
