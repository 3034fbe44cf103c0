/* fuzz_record.c - records in the shapes that the admin API has; what is read can be written and read again, and a
 * member is of its type. */
#include "tests/fuzz/target.h"

#include "ca/base/mem.h"
#include "enroll/proto/audit.h"
#include "enroll/proto/certificates.h"
#include "enroll/proto/devices.h"
#include "enroll/proto/hosts.h"
#include "enroll/proto/statistics.h"

#include <stdlib.h>

static void look(const struct record *record, const struct record_shape *shape)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_LIST_ANSWER);

	for (const struct record_member *m = shape->members; m->key != NULL; m++) {
		if (!m->may_lack && !record_has(record, m->key))
			abort();
		if (record_text(record, m->key) == NULL)
			abort();
		(void)record_number(record, m->key);
		(void)record_object(record, m->key);
		for (size_t i = 0; i < 4; i++) {
			(void)record_item(record, m->key, i);
			(void)record_item_text(record, m->key, i);
		}
		record_member(record, m->key, &json);
	}
}

static void try_list(struct view text, const struct record_shape *shape)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_LIST_ANSWER);
	AUTO(record_list_free) struct record_list list = {0}, again = {0};

	if (record_list_parse(text, shape, &list) != OK)
		return;
	if (list.n > LIST_MAX || record_list_encode(&list, shape, &json) != OK ||
		record_list_parse(buf_view(&json), shape, &again) != OK || again.n != list.n)
		abort();
	for (size_t i = 0; i < again.n; i++)
		look(again.items[i], shape);
}

static void try_one(struct view text, const struct record_shape *shape)
{
	AUTO(record_free) struct record *record = NULL, *again = NULL;
	AUTO(buf_free) struct buf json = BUF(LIMIT_LIST_ANSWER);

	if (record_parse(text, shape, &record) != OK)
		return;
	if (record_encode(record, &json) != OK ||
		record_parse(buf_view(&json), shape, &again) != OK)
		abort();
	look(again, shape);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct record_shape *const lists[] = {&audit_shape, &certificates_shape,
		&devices_shape, &hosts_shape, &statistics_shape, &templates_shape};
	struct view text = {p, n};

	for (size_t i = 0; i < COUNT(lists); i++)
		try_list(text, lists[i]);
	try_one(text, &certificate_shape);
	try_one(text, &device_shape);
	return 0;
}
