#include "enroll/agent/tss2key.h"

#include "ca/base/encode.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const uint8_t public_part[] = {0, 3, 1, 2, 3}, private_part[] = {0, 2, 9, 8};

/* SEQUENCE {OID 2.23.133.10.1.3, [0] TRUE, INTEGER parent, OCTET STRING, OCTET STRING} by hand. */
#define HEAD 0x30, 0x20, 0x06, 0x06, 0x67, 0x81, 0x05, 0x0a, 0x01, 0x03
#define EMPTY_AUTH 0xa0, 0x03, 0x01, 0x01, 0xff
#define PARENT 0x02, 0x04, 0x40, 0x00, 0x00, 0x01
#define PARTS 0x04, 0x05, 0, 3, 1, 2, 3, 0x04, 0x04, 0, 2, 9, 8

static void write_pem(const char *name, const uint8_t *der, size_t n, struct buf *out)
{
	buf_fmt(out, "-----BEGIN %s-----\n", name);
	base64_add(out, (struct view){der, n});
	buf_fmt(out, "\n-----END %s-----\n", name);
}

static enum err encode(struct view public, uint32_t parent, struct buf *pem)
{
	AUTO(buf_free) struct buf first = BUF(2 * TSS2KEY_MAX);
	AUTO(buf_free) struct buf second = BUF(64);

	buf_add(&first, public);
	buf_add(&second, VIEW(private_part));
	return tss2key_encode(&(struct tss2key){parent, &first, &second}, pem);
}

static void is_refused(struct view pem)
{
	AUTO(buf_free) struct buf public = BUF(64);
	AUTO(buf_free) struct buf private = BUF(64);
	struct tss2key key = {.public = &public, .private = &private};

	assert_int_equal(ERR_INTERNAL, tss2key_parse(pem, &key));
	assert_string_equal("key-file", why()->code);
}

static void der_is_refused(const char *name, const uint8_t *der, size_t n)
{
	AUTO(buf_free) struct buf pem = BUF(1024);

	write_pem(name, der, n, &pem);
	is_refused(buf_view(&pem));
}

/* Both hierarchies, and a persistent key. */
static void what_was_written_is_read_again(void **state)
{
	static const uint32_t parents[] = {0x40000001, 0x4000000b, 0x81010001};

	(void)state;
	for (size_t i = 0; i < COUNT(parents); i++) {
		AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);
		AUTO(buf_free) struct buf public = BUF(64);
		AUTO(buf_free) struct buf private = BUF(64);
		struct tss2key key = {.public = &public, .private = &private};

		assert_int_equal(OK, encode(VIEW(public_part), parents[i], &pem));
		assert_int_equal(OK, tss2key_parse(buf_view(&pem), &key));
		assert_int_equal(parents[i], key.parent);
		assert_true(view_equal(VIEW(public_part), buf_view(&public)));
		assert_true(view_equal(VIEW(private_part), buf_view(&private)));
	}
}

static void it_is_written_as_the_specification_says(void **state)
{
	static const uint8_t wanted[] = {HEAD, EMPTY_AUTH, PARENT, PARTS};
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);
	AUTO(buf_free) struct buf by_hand = BUF(TSS2KEY_MAX);

	(void)state;
	write_pem("TSS2 PRIVATE KEY", wanted, sizeof(wanted), &by_hand);
	assert_int_equal(OK, encode(VIEW(public_part), 0x40000001, &pem));
	assert_string_equal(buf_text(&by_hand), buf_text(&pem));
}

static void other_keys_are_refused(void **state)
{
	static const uint8_t good[] = {HEAD, EMPTY_AUTH, PARENT, PARTS};
	static const uint8_t longer[] = {HEAD, EMPTY_AUTH, PARENT, PARTS, 0x05, 0x00};
	uint8_t der[sizeof(good)];

	(void)state;
	der_is_refused("PRIVATE KEY", good, sizeof(good));
	der_is_refused("TSS2 PRIVATE KEY", longer, sizeof(longer));
	der_is_refused("TSS2 PRIVATE KEY", good, sizeof(good) - 1);
	memcpy(der, good, sizeof(good));
	der[9] = 0x04; /* another type: an importable key */
	der_is_refused("TSS2 PRIVATE KEY", der, sizeof(der));
	memcpy(der, good, sizeof(good));
	der[14] = 0x00; /* emptyAuth FALSE: a password */
	der_is_refused("TSS2 PRIVATE KEY", der, sizeof(der));
	memcpy(der, good, sizeof(good));
	der[17] = 0xc0; /* a parent below zero */
	der_is_refused("TSS2 PRIVATE KEY", der, sizeof(der));
}

static void a_key_without_the_empty_authorisation_mark_is_refused(void **state)
{
	static const uint8_t der[] = {
		0x30, 0x19, 0x06, 0x06, 0x67, 0x81, 0x05, 0x0a, 0x01, 0x03, PARENT, PARTS};

	(void)state;
	der_is_refused("TSS2 PRIVATE KEY", der, sizeof(der));
}

static void what_is_no_pem_is_refused(void **state)
{
	(void)state;
	is_refused((struct view){NULL, 0});
	is_refused(view_str("x\n"));
	is_refused(view_str("-----BEGIN TSS2 PRIVATE KEY-----\n"));
}

static void a_key_that_is_too_long_is_not_written(void **state)
{
	static const uint8_t huge[TSS2KEY_PART_MAX + 1];
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);

	(void)state;
	assert_int_equal(ERR_INTERNAL, encode(VIEW(huge), 0x40000001, &pem));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(it_is_written_as_the_specification_says),
		cmocka_unit_test(other_keys_are_refused),
		cmocka_unit_test(a_key_without_the_empty_authorisation_mark_is_refused),
		cmocka_unit_test(what_is_no_pem_is_refused),
		cmocka_unit_test(a_key_that_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
