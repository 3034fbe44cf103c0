#include "enroll/agent/order.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Reads "enroll" and the words after it, up to NULL. */
static enum err read_words(const char *const *words, struct order *out)
{
	static char copies[16][128]; /* an order borrows its words */
	char *argv[17] = {NULL};
	int argc = 0;

	snprintf(copies[argc], sizeof(copies[0]), "enroll");
	argv[argc] = copies[argc];
	for (argc = 1; *words != NULL; words++, argc++) {
		snprintf(copies[argc], sizeof(copies[0]), "%s", *words);
		argv[argc] = copies[argc];
	}
	return order_read(argc, argv, out);
}
#define READ(out, ...) read_words((const char *const[]){__VA_ARGS__, NULL}, out)

#define GOOD "--server", "https://ca.example.org", "--host", "web-01.example.org"

static void what_is_not_given_has_its_default(void **state)
{
	AUTO(order_free) struct order order;

	(void)state;
	assert_int_equal(OK, READ(&order, GOOD));
	assert_string_equal("/var/lib/endorse", order.state_dir);
	assert_int_equal(120, order.wish.timeout);
	assert_null(order.wish.ak.recipe);
	assert_false(order.wish.ak.has_hierarchy);
	assert_int_equal(0, order.wish.ak.handle);
	assert_null(order.wish.ek);
	assert_null(order.wish.access.tcti);
	assert_null(order.wish.access.owner_auth);
	assert_null(order.wish.access.endorsement_auth);
	assert_null(order.wish.proxy);
	assert_false(order.force);
}

static void the_options_alone_may_leave_server_and_host_open(void **state)
{
	char name[] = "doctor", option[] = "--tcti", value[] = "swtpm";
	char *argv[] = {name, option, value, NULL};
	AUTO(order_free) struct order order;

	(void)state;
	assert_int_equal(OK, order_parse(3, argv, &order));
	assert_null(order.server);
	assert_null(order.wish.service);
	assert_string_equal("", order.host);
	assert_string_equal("swtpm", order.wish.access.tcti);
	assert_int_equal(ERR_MALFORMED, order_complete(&order));
}

static void the_service_is_named_by_its_url_without_slashes_at_the_end(void **state)
{
	AUTO(order_free) struct order order;

	(void)state;
	assert_int_equal(OK, READ(&order, "--server", "https://ca.example.org/a//", "--host",
				     "Web.example.org"));
	assert_string_equal("https://ca.example.org/a", order.wish.server);
	assert_string_equal("https://ca.example.org/a", order.wish.service);
	assert_string_equal("web.example.org", order.wish.host);
}

static void kinds_of_keys_are_read(void **state)
{
	AUTO(order_free) struct order order;

	(void)state;
	assert_int_equal(OK, READ(&order, GOOD, "--ak", "rsa2048", "--ek", "p384"));
	assert_string_equal("rsa2048", order.wish.ak.recipe->name);
	assert_string_equal("p384", order.wish.ek);
	order_free(&order);
	assert_int_equal(OK, READ(&order, GOOD, "--ak", "ecc256", "--ek", "auto"));
	assert_string_equal("p256", order.wish.ak.recipe->name);
	assert_null(order.wish.ek);
}

static void an_ek_is_wanted_by_its_kind_or_by_its_template(void **state)
{
	static const char *const words[] = {"rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521",
		"L-1", "L-2", "H-1", "H-2", "H-3", "H-4", "H-6", "H-7"};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		AUTO(order_free) struct order order;

		assert_int_equal(OK, READ(&order, GOOD, "--ek", words[i]));
		assert_string_equal(words[i], order.wish.ek);
	}
}

static void every_kind_of_ak_has_its_word(void **state)
{
	static const char *const words[] = {"p256", "p384", "rsa2048", "rsa2048-pss"};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		AUTO(order_free) struct order order;

		assert_int_equal(OK, READ(&order, GOOD, "--ak", words[i]));
		assert_string_equal(words[i], order.wish.ak.recipe->name);
	}
}

static void where_the_ak_is_made_and_kept_is_read(void **state)
{
	AUTO(order_free) struct order order;

	(void)state;
	assert_int_equal(OK, READ(&order, GOOD, "--hierarchy", "ek", "--ak-handle", "0x81010002"));
	assert_true(order.wish.ak.has_hierarchy);
	assert_int_equal(AK_BELOW_EK, order.wish.ak.hierarchy);
	assert_int_equal(0x81010002, order.wish.ak.handle);
}

static void access_to_the_tpm_is_read(void **state)
{
	AUTO(order_free) struct order order;

	(void)state;
	assert_int_equal(OK, READ(&order, GOOD, "--tcti", "device:/dev/tpm0", "--owner-auth",
				     "/etc/owner", "--endorsement-auth", "/etc/endorsement"));
	assert_string_equal("device:/dev/tpm0", order.wish.access.tcti);
	assert_string_equal("/etc/owner", order.wish.access.owner_auth);
	assert_string_equal("/etc/endorsement", order.wish.access.endorsement_auth);
}

static void a_wrong_command_line_is_refused(void **state)
{
	static const char *const lines[][8] = {
		{"--host", "web.example.org"},
		{"--server", "http://ca.example.org", "--host", "web.example.org"},
		{"--server", "ca.example.org", "--host", "web.example.org"},
		{"--server", "https://", "--host", "web.example.org"},
		{"--server", "https://u:p@ca.example.org", "--host", "web.example.org"},
		{"--server", "https://ca.example.org/?a=b", "--host", "web.example.org"},
		{"--server", "https://ca.example.org/#x", "--host", "web.example.org"},
		{"--server", "https://ca.example.org", "--host", "web"},
		{GOOD, "--ca", "a", "--ca-sha256", "b"},
		{GOOD, "--ak", "p521"},
		{GOOD, "--hierarchy", "platform"},
		{GOOD, "--hierarchy", ""},
		{GOOD, "--ak-handle", "81010002"},
		{GOOD, "--ak-handle", "0x80ffffff"},
		{GOOD, "--ak-handle", "0x81800000"},
		{GOOD, "--ak-handle", "0x81010002 "},
		{GOOD, "--ek", "dsa"},
		{GOOD, "--ek", "H-5"},
		{GOOD, "--timeout", "-1"},
		{GOOD, "--timeout", "1m"},
		{GOOD, "--timeout", "86401"},
		{GOOD, "--service", ""},
		{GOOD, "more"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		AUTO(order_free) struct order order;
		const char *words[9] = {NULL};

		memcpy(words, lines[i], sizeof(lines[i]));
		assert_int_equal(ERR_MALFORMED, read_words(words, &order));
		assert_string_equal("usage", why()->code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(the_options_alone_may_leave_server_and_host_open),
		cmocka_unit_test(the_service_is_named_by_its_url_without_slashes_at_the_end),
		cmocka_unit_test(kinds_of_keys_are_read),
		cmocka_unit_test(an_ek_is_wanted_by_its_kind_or_by_its_template),
		cmocka_unit_test(every_kind_of_ak_has_its_word),
		cmocka_unit_test(where_the_ak_is_made_and_kept_is_read),
		cmocka_unit_test(access_to_the_tpm_is_read),
		cmocka_unit_test(a_wrong_command_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
