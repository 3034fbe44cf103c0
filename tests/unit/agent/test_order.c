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
	assert_int_equal(EK_CERTIFICATE_AUTO, order.wish.ek_certificate);
	assert_int_equal(0, order.wish.wait);
	assert_false(order.wish.takes_new_name);
}

static void the_service_is_asked_for_the_name_in_words_alone(void **state)
{
	AUTO(order_free) struct order order, both;

	(void)state;
	assert_int_equal(OK, READ(&order, "--server", "https://ca.example.org",
				     "--host-from-service", "--force"));
	assert_null(order.wish.host);
	assert_true(order.wish.takes_new_name);
	assert_int_equal(ERR_MALFORMED, READ(&both, GOOD, "--host-from-service"));
	assert_non_null(strstr(why()->sentence, "exclude each other"));
}

static void a_certificate_that_is_not_to_be_sent_is_not(void **state)
{
	AUTO(order_free) struct order order, other;

	(void)state;
	assert_int_equal(OK, READ(&order, GOOD, "--ek-certificate", "none"));
	assert_int_equal(EK_CERTIFICATE_NONE, order.wish.ek_certificate);
	order_free(&order);
	assert_int_equal(OK, READ(&order, GOOD, "--ek-certificate", "auto"));
	assert_int_equal(EK_CERTIFICATE_AUTO, order.wish.ek_certificate);
	assert_int_equal(ERR_MALFORMED, READ(&other, GOOD, "--ek-certificate", "only"));
}

static void a_time_to_wait_has_a_unit_and_a_bound(void **state)
{
	static const struct {
		const char *text;
		unsigned seconds;
	} good[] = {
		{"0", 0}, {"0s", 0}, {"90s", 90}, {"20m", 1200}, {"1h", 3600}, {"30d", 2592000}};
	static const char *const bad[] = {"", "h", "1", "90", "1 h", "1w", "-1h", "+1h", "1hh",
		"31d", "99999999999999999999s", "18446744073709551615d", "0x1h"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(order_free) struct order order;

		assert_int_equal(OK, READ(&order, GOOD, "--wait", good[i].text));
		assert_int_equal(good[i].seconds, order.wish.wait);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(order_free) struct order order;

		assert_int_equal(ERR_MALFORMED, READ(&order, GOOD, "--wait", bad[i]));
		assert_non_null(strstr(why()->sentence, "--wait"));
	}
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
		cmocka_unit_test(the_service_is_asked_for_the_name_in_words_alone),
		cmocka_unit_test(a_certificate_that_is_not_to_be_sent_is_not),
		cmocka_unit_test(a_time_to_wait_has_a_unit_and_a_bound),
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
