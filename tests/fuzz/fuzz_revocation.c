/* fuzz_revocation.c - what is to be taken back, what was reached and what is still to be published; what is read can
 * be written and read again, and is the same. */
#include "tests/fuzz/target.h"

#include "enroll/proto/attempts.h"
#include "enroll/proto/revocation.h"

#include <stdlib.h>

static void same(const struct buf *first, const struct buf *second)
{
	if (!view_equal(buf_view(first), buf_view(second)))
		abort();
}

static void try_request(struct view text)
{
	AUTO(buf_free)
	struct buf json = BUF(2 * LIMIT_ADMIN_BODY), twice = BUF(2 * LIMIT_ADMIN_BODY);
	struct revocation_request request, again;

	if (revocation_request_parse(text, &request) != OK)
		return;
	if (revocation_request_encode(&request, &json) != OK ||
		revocation_request_parse(buf_view(&json), &again) != OK ||
		revocation_request_encode(&again, &twice) != OK)
		abort();
	same(&json, &twice);
}

static void try_answer(struct view text)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER), twice = BUF(LIMIT_ADMIN_ANSWER);
	AUTO(revocation_answer_free) struct revocation_answer answer = {0}, again = {0};

	if (revocation_answer_parse(text, &answer) != OK)
		return;
	if (answer.certificates_n > REVOCATION_TOLD ||
		revocation_answer_encode(&answer, &json) != OK ||
		revocation_answer_parse(buf_view(&json), &again) != OK ||
		revocation_answer_encode(&again, &twice) != OK)
		abort();
	same(&json, &twice);
}

static void try_status(struct view text)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER), twice = BUF(LIMIT_ADMIN_ANSWER);
	static struct revocation_status status, again;

	if (revocation_status_parse(text, &status) != OK)
		return;
	if (status.issuers_n > REVOCATION_ISSUERS ||
		revocation_status_encode(&status, &json) != OK ||
		revocation_status_parse(buf_view(&json), &again) != OK ||
		revocation_status_encode(&again, &twice) != OK)
		abort();
	same(&json, &twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct view text = {p, n};

	try_request(text);
	try_answer(text);
	try_status(text);
	return 0;
}
