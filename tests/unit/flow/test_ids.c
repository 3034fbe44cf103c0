#include "enroll/flow/ids.h"

#include "tests/unit/check.h"

#include <string.h>

#define DIGITS "00112233445566778899aAbBcCdDeEfF"

static void both_cases_are_read(void **state)
{
	static const uint8_t wanted[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	uint8_t id[DEVICE_ID_SIZE], digest[DIGEST_SIZE], serial[SERIAL_MAX];
	size_t n;

	(void)state;
	assert_int_equal(OK, device_id_read(DIGITS, id));
	assert_memory_equal(wanted, id, sizeof(wanted));
	assert_int_equal(OK, ek_digest_read(DIGITS DIGITS, digest));
	assert_memory_equal(wanted, digest + sizeof(wanted), sizeof(wanted));
	assert_int_equal(OK, serial_read(DIGITS "00112233", serial, &n));
	assert_int_equal(SERIAL_MAX, n);
	assert_memory_equal(wanted, serial, sizeof(wanted));
	assert_int_equal(OK, serial_read("00", serial, &n));
	assert_int_equal(1, n);
}

static void what_is_too_short_too_long_or_no_digit_is_refused(void **state)
{
	static const char *const ids[] = {"", "0", (DIGITS "0"), (DIGITS "00"), ("g" DIGITS)};
	static const char *const serials[] = {"", "0", "012", "0g", "00:11", (DIGITS "0011223344")};
	uint8_t id[DEVICE_ID_SIZE], digest[DIGEST_SIZE], serial[SERIAL_MAX];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_refused(device_id_read(ids[i], id), ERR_MALFORMED, "device-id");
		assert_refused(ek_digest_read(ids[i], digest), ERR_MALFORMED, "ek-digest");
	}
	assert_refused(ek_digest_read(DIGITS, digest), ERR_MALFORMED, "ek-digest");
	for (size_t i = 0; i < COUNT(serials); i++)
		assert_refused(serial_read(serials[i], serial, &n), ERR_MALFORMED, "serial");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_cases_are_read),
		cmocka_unit_test(what_is_too_short_too_long_or_no_digit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
