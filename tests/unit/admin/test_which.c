#include "enroll/admin/which.h"

#include "tests/unit/check.h"

#include <string.h>

#define EIGHT "00112233"
#define DEVICE EIGHT EIGHT EIGHT EIGHT

static void what_programs_print_is_taken_as_they_print_it(void **state)
{
	static const struct {
		int id;
		const char *typed;
		size_t offset;
		const char *taken;
	} rows[] = {
#define ROW(id, typed, member, taken)                                                              \
	{id, typed, offsetof(struct revocation_request, member), taken}
		ROW(WHICH_SERIAL, "40AA01", serial, "40aa01"),
		ROW(WHICH_SERIAL, "40:aa:01", serial, "40aa01"),
		ROW(WHICH_SERIAL, "0x40aa01", serial, "40aa01"),
		ROW(WHICH_SERIAL, "1", serial, "01"),
		ROW(WHICH_SSH_SERIAL, "18446744073709551615", serial, "ffffffffffffffff"),
		ROW(WHICH_SSH_SERIAL, "17", serial, "0000000000000011"),
		ROW(WHICH_ID, "00112233-0011-2233-0011-223300112233", id, DEVICE),
		ROW(WHICH_EK, DEVICE DEVICE, ek_digest, DEVICE DEVICE),
		ROW(WHICH_HOST, "Web-1.Example.ORG", host, "web-1.example.org"),
		ROW(WHICH_ISSUER, "00112233 00112233", issuer, EIGHT EIGHT),
		ROW(WHICH_REASON, "keycompromise", reason, "keyCompromise"),
		ROW(WHICH_REASON, "key-compromise", reason, "keyCompromise"),
		ROW(WHICH_REASON, "CA_COMPROMISE", reason, "cACompromise"),
		ROW(WHICH_WHY, "stolen from line 4", why, "stolen from line 4"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct revocation_request request = {.id = ""};

		assert_true(which_option(&request, rows[i].id, rows[i].typed));
		assert_string_equal(rows[i].taken, (const char *)&request + rows[i].offset);
	}
}

static void what_it_cannot_be_is_refused_here(void **state)
{
	static const struct {
		int id;
		const char *typed;
	} rows[] = {
		{WHICH_SERIAL, ""},
		{WHICH_SERIAL, "40ag"},
		{WHICH_SERIAL, DEVICE EIGHT "0"},
		{WHICH_SSH_SERIAL, "0x11"},
		{WHICH_SSH_SERIAL, "-1"},
		{WHICH_SSH_SERIAL, "18446744073709551616"},
		{WHICH_ID, EIGHT},
		{WHICH_ID, DEVICE "0"},
		{WHICH_EK, DEVICE},
		{WHICH_HOST, ""},
		{WHICH_REASON, "stolen"},
		{WHICH_REASON, "certificateHold"},
		{WHICH_REASON, "keyCompromised"},
		{WHICH_REASON, "key"},
		{WHICH_REASON, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct revocation_request request = {.id = ""};

		if (which_option(&request, rows[i].id, rows[i].typed))
			fail_msg("taken: \"%s\"", rows[i].typed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_programs_print_is_taken_as_they_print_it),
		cmocka_unit_test(what_it_cannot_be_is_refused_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
