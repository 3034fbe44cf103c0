#include "policy/network.h"

#include "tests/unit/check.h"

static void a_range_has_what_begins_like_it(void **state)
{
	static const struct {
		const char *range, *address;
		bool is_in;
	} rows[] = {
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.6", false},
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "192.0.2.7", true},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::", false},
		{"2001:db8::1", "2001:DB8:0::1", true},
		{"2001:db8::1", "2001:db8::2", false},
		/* one address, however it is written */
		{"192.0.2.0/24", "::ffff:192.0.2.7", true},
		{"192.0.2.0/24", "::ffff:c000:207", true},
		{"::ffff:192.0.2.0/120", "192.0.2.7", true},
		{"::ffff:192.0.2.0/120", "192.0.3.7", false},
		{"::ffff:0:0/96", "10.1.2.3", true},
		{"192.0.2.0/24", "::192.0.2.7", false},
		/* no addresses */
		{"0.0.0.0/0", "", false},
		{"::/0", "somewhere", false},
		{"::/0", "192.0.2.7 ", false},
		{"::/0", "192.0.2", false},
		{"::/0", "fe80::1%eth0", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct network network;
		const char *wrong = network_read(rows[i].range, &network);

		if (wrong != NULL)
			fail_msg("%s: %s", rows[i].range, wrong);
		if (network_has(&network, rows[i].address) != rows[i].is_in)
			fail_msg("%s in %s: wanted %d", rows[i].address, rows[i].range,
				rows[i].is_in);
	}
}

#define NO_ADDRESS "not an IPv4 or IPv6 address, or a range such as 192.0.2.0/24"
#define BITS_4 "behind the / of an IPv4 range is a number from 0 to 32"
#define BITS_6 "behind the / of an IPv6 range is a number from 0 to 128"
#define HOST_BITS "a range has no bits set behind its prefix: write its first address"

static void one_fault_of_a_range_is_told(void **state)
{
	static const struct {
		const char *text, *wrong;
	} rows[] = {
		{"", NO_ADDRESS},
		{"/24", NO_ADDRESS},
		{"192.0.2", NO_ADDRESS},
		{"192.0.2.256", NO_ADDRESS},
		{"192.0.02.0/24", NO_ADDRESS},
		{" 192.0.2.0/24", NO_ADDRESS},
		{"2001:db8:::/32", NO_ADDRESS},
		{"example.org", NO_ADDRESS},
		{"[2001:db8::1]", NO_ADDRESS},
		{"0000:0000:0000:0000:0000:ffff:192.000.002.000.0", "no address is so long"},
		{"192.0.2.0/", BITS_4},
		{"192.0.2.0/33", BITS_4},
		{"192.0.2.0/-1", BITS_4},
		{"192.0.2.0/+8", BITS_4},
		{"192.0.2.0/08", BITS_4},
		{"192.0.2.0/24/8", BITS_4},
		{"192.0.2.0/24 ", BITS_4},
		{"192.0.2.0/255.255.255.0", BITS_4},
		{"192.0.2.0/4294967320", BITS_4},
		{"2001:db8::/129", BITS_6},
		{"2001:db8::/", BITS_6},
		{"192.0.2.7/24", HOST_BITS},
		{"192.0.2.1/31", HOST_BITS},
		{"1.0.0.0/0", HOST_BITS},
		{"2001:db8::1/64", HOST_BITS},
		{"::ffff:192.0.2.0/24", HOST_BITS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct network network;
		const char *wrong = network_read(rows[i].text, &network);

		if (wrong == NULL || strcmp(wrong, rows[i].wrong) != 0)
			fail_msg("\"%s\": %s", rows[i].text, wrong == NULL ? "taken" : wrong);
	}
}

static void a_source_is_what_somebody_was_given(void **state)
{
	static const struct {
		const char *address, *source;
	} rows[] = {
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"2001:db8::1", "2001:db8::"},
		{"2001:DB8:0:0:ffff:1:2:3", "2001:db8::"},
		{"2001:db8:0:1::1", "2001:db8:0:1::"},
		{"::1", "::"},
		{"", "?"},
		{"unix:", "?"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char source[INET6_ADDRSTRLEN];

		network_source(rows[i].address, source);
		assert_string_equal(rows[i].source, source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_has_what_begins_like_it),
		cmocka_unit_test(one_fault_of_a_range_is_told),
		cmocka_unit_test(a_source_is_what_somebody_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
