#include "tests/softtpm/nv.h"

#include "enroll/tpm/nvcert.h"
#include "tests/unit/check.h"

/* Two SEQUENCEs that pass for certificates. */
static const uint8_t one[] = {0x30, 0x03, 0x02, 0x01, 0x2a};
static const uint8_t two[] = {0x30, 0x04, 0x02, 0x02, 0x2a, 0x2b};

static void a_certificate_is_found_in_each_kind_of_padding(void **state)
{
	(void)state;
	for (enum soft_padding padding = SOFT_EXACT; padding <= SOFT_HEADER; padding++) {
		AUTO(soft_nv_free) struct soft_nv nv = {0};
		struct view content, der;

		assert_true(soft_nv_certificate(&nv, SOFT_H4, VIEW(one), padding));
		assert_true(soft_nv_read(&nv, 0x01c00018, &content));
		assert_true(
			padding == SOFT_EXACT ? content.n == sizeof(one) : content.n > sizeof(one));
		assert_ok(nv_certificate_cut(content, &der));
		assert_view_equal(VIEW(one), der);
	}
}

static void a_chain_is_cut_over_indices_and_read_back(void **state)
{
	const struct view ders[] = {VIEW(one), VIEW(two), VIEW(one)};
	AUTO(soft_nv_free) struct soft_nv nv = {0};
	AUTO(buf_free) struct buf joined = BUF(64);
	struct view content, rest, der;

	(void)state;
	assert_true(soft_nv_chain(&nv, ders, COUNT(ders), 7));
	for (TPM2_HANDLE index = SOFT_NV_CHAIN; soft_nv_read(&nv, index, &content); index++) {
		assert_true(content.n <= 7);
		buf_add(&joined, content);
	}
	assert_int_equal(nv.n, 3);
	rest = buf_view(&joined);
	for (size_t i = 0; i < COUNT(ders); i++) {
		assert_true(nv_chain_next(&rest, &der));
		assert_view_equal(ders[i], der);
	}
	assert_false(nv_chain_next(&rest, &der));
}

static void an_index_is_written_anew(void **state)
{
	AUTO(soft_nv_free) struct soft_nv nv = {0};
	struct view content;

	(void)state;
	assert_false(soft_nv_read(&nv, 1, &content));
	assert_true(soft_nv_write(&nv, 1, VIEW(one)));
	assert_true(soft_nv_write(&nv, 1, VIEW(two)));
	assert_true(soft_nv_read(&nv, 1, &content));
	assert_view_equal(VIEW(two), content);
	for (TPM2_HANDLE index = 2; index <= SOFT_NV_INDICES; index++)
		assert_true(soft_nv_write(&nv, index, VIEW(one)));
	assert_false(soft_nv_write(&nv, SOFT_NV_INDICES + 1, VIEW(one)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_found_in_each_kind_of_padding),
		cmocka_unit_test(a_chain_is_cut_over_indices_and_read_back),
		cmocka_unit_test(an_index_is_written_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
