#include "enroll/tpm/nvcert.h"

#include <cmocka.h>
#include <string.h>

/* A SEQUENCE of five bytes; what is inside is no concern of the cutting. */
#define CERT 0x30, 0x03, 0x02, 0x01, 0x07

static void is_cut_to_five(const uint8_t *content, size_t n, size_t at)
{
	struct view der = {NULL, 0};

	assert_int_equal(OK, nv_certificate_cut((struct view){content, n}, &der));
	assert_ptr_equal(content + at, der.p);
	assert_int_equal(5, der.n);
}

static void padding_behind_a_certificate_is_cut_off(void **state)
{
	static const uint8_t exact[] = {CERT}, ff[] = {CERT, 0xff, 0xff, 0xff};
	static const uint8_t zero[] = {CERT, 0, 0}, eleven[] = {CERT, 0x11, 0x11};

	(void)state;
	is_cut_to_five(exact, sizeof(exact), 0);
	is_cut_to_five(ff, sizeof(ff), 0);
	is_cut_to_five(zero, sizeof(zero), 0);
	is_cut_to_five(eleven, sizeof(eleven), 0);
}

static void a_stored_cert_header_is_passed_over(void **state)
{
	static const uint8_t content[] = {0x10, 0x01, 0x00, 0x00, 0x07, 0x10, 0x02, CERT, 0xff};

	(void)state;
	is_cut_to_five(content, sizeof(content), 7);
}

static void what_is_no_whole_certificate_is_refused(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t n;
	} cases[] = {
		{{0}, 0}, /* nothing */
		{{0x30}, 1}, /* a tag without a length */
		{{0x30, 0x04, 0x02, 0x01, 0x07}, 5}, /* one byte short */
		{{0x31, 0x03, 0x02, 0x01, 0x07}, 5}, /* a SET */
		{{0x30, 0x80, 0x02, 0x01, 0x07, 0, 0}, 7}, /* indefinite length */
		{{0x30, 0x03, 0x02, 0x01, 0x07, 0x42}, 6}, /* something that is no padding */
		{{0x10, 0x01, 0x00, 0x00, 0x02, 0x10, 0x02}, 7}, /* a header alone */
		{{0xff, 0xff, 0xff}, 3}, /* never written */
		{{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, 6}, /* four gigabytes */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct view der = {NULL, 0};

		assert_int_equal(ERR_MALFORMED,
			nv_certificate_cut((struct view){cases[i].bytes, cases[i].n}, &der));
		assert_string_equal("ek-certificate", why()->code);
		assert_null(der.p);
	}
}

static void a_chain_is_read_with_and_without_padding_in_between(void **state)
{
	static const uint8_t joined[] = {CERT, CERT, 0xff, 0xff, CERT, 0, 0, 0};
	struct view rest = VIEW(joined), der;
	size_t found = 0;

	(void)state;
	while (nv_chain_next(&rest, &der)) {
		assert_int_equal(5, der.n);
		found++;
	}
	assert_int_equal(3, found);
	assert_int_equal(0, rest.n);
}

static void a_chain_ends_where_a_certificate_is_not_whole(void **state)
{
	static const uint8_t joined[] = {CERT, 0x30, 0x7f, 0x01};
	struct view rest = VIEW(joined), der;

	(void)state;
	assert_true(nv_chain_next(&rest, &der));
	assert_false(nv_chain_next(&rest, &der));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(padding_behind_a_certificate_is_cut_off),
		cmocka_unit_test(a_stored_cert_header_is_passed_over),
		cmocka_unit_test(what_is_no_whole_certificate_is_refused),
		cmocka_unit_test(a_chain_is_read_with_and_without_padding_in_between),
		cmocka_unit_test(a_chain_ends_where_a_certificate_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
