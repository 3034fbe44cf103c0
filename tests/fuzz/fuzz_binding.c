/* fuzz_binding.c - an operator's labels, and a name that goes on with another TPM; what is read can be written and read
 * again, and labels can be said as people say them. */
#include "tests/fuzz/target.h"

#include "enroll/proto/attempts.h"
#include "enroll/proto/binding.h"

#include <stdlib.h>

/* As pairs, and from these again; what was read is told in no more than there is room for. */
static void try_pairs(const struct buf *labels)
{
	AUTO(buf_free) struct buf pairs = BUF(LIMIT_LABELS), again = BUF(LIMIT_LABELS);

	if (labels_to_pairs(buf_text(labels), &pairs) != OK ||
		labels_from_pairs(buf_text(&pairs), &again) != OK)
		abort();
}

static void try_labels(struct view text)
{
	AUTO(label_request_free) struct label_request request, again;
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_LABELS_BODY);

	label_request_init(&request);
	label_request_init(&again);
	if (label_request_parse(text, &request) != OK)
		return;
	if (label_request_encode(&request, &json) != OK ||
		label_request_parse(buf_view(&json), &again) != OK ||
		!view_equal(buf_view(&request.set), buf_view(&again.set)) ||
		!view_equal(buf_view(&request.remove), buf_view(&again.remove)))
		abort();
	try_pairs(&request.set);
}

static void try_answers(struct view text)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ADMIN_ANSWER), labels = BUF(LIMIT_LABELS);
	struct rebind_answer answer, again;

	if (label_answer_parse(text, &labels) == OK)
		try_pairs(&labels);
	if (rebind_answer_parse(text, &answer) == OK &&
		(rebind_answer_encode(&answer, &json) != OK ||
			rebind_answer_parse(buf_view(&json), &again) != OK))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_ADMIN_BODY);
	struct rebind_request request, again;
	struct view text = {p, n};

	try_labels(text);
	try_answers(text);
	if (rebind_request_parse(text, &request) == OK &&
		(rebind_request_encode(&request, &json) != OK ||
			rebind_request_parse(buf_view(&json), &again) != OK))
		abort();
	return 0;
}
