#include "enroll/agent/kept.h"

#include <cmocka.h>
#include <string.h>

#define FIRST "endorse-certificates 1\n"
#define GOOD                                                                                       \
	FIRST "ak\tak\t-\t\n"                                                                      \
	      "tls-server\ttpm:p384\tdue\tsystemctl reload nginx\n"                                \
	      "ssh-host\t/etc/ssh/a key.pub\tdone\ttrue && echo '#'\n"

static void what_was_written_is_read(void **state)
{
	AUTO(buf_free) struct buf again = BUF(KEPT_MAX);
	struct wanted read;

	(void)state;
	assert_int_equal(OK, kept_parse(view_str(GOOD), &read));
	assert_int_equal(3, read.n);
	assert_int_equal(KEY_P384, read.items[1].kind);
	assert_true(read.items[1].is_hook_due);
	assert_false(read.items[2].is_hook_due);
	assert_string_equal("/etc/ssh/a key.pub", read.items[2].file);
	assert_int_equal(OK, kept_encode(&read, &again));
	assert_string_equal(GOOD, buf_text(&again));
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"endorse-certificates 2\nak\tak\t-\t\n",
		FIRST,
		FIRST "ak\tak\t-\t",
		FIRST "ak\tak\t-\n",
		FIRST "ak\tak\t-\ttrue\n",
		FIRST "ak\tak\tdue\t\n",
		FIRST "ak\tak\tnever\ttrue\n",
		FIRST "ak\tak\t-\t\nak\tak\t-\t\n",
		FIRST "../ak\tak\t-\t\n",
		FIRST "ak\tak\t-\t\ntls\ttpm:p521\t-\t\n",
		FIRST "ak\tak\t-\t\ntls\tkey.pub\t-\t\n",
		FIRST "ak\tak\tdue\ta\tb\n",
		FIRST "tls\ttpm:p256\t-\t\n",
		FIRST "\n",
	};
	struct wanted read = {.n = 7};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(ERR_INTERNAL, kept_parse(view_str(bad[i]), &read));
		assert_string_equal("certificates-file", why()->code);
		assert_int_equal(7, read.n);
	}
}

/* Cut anywhere, it is refused, but for cuts behind a whole line with the AK's. */
static void a_cut_file_is_refused(void **state)
{
	struct wanted read;

	(void)state;
	for (size_t n = 0; n < strlen(GOOD); n++) {
		struct view cut = {(const uint8_t *)GOOD, n};
		bool is_whole = n > strlen(FIRST) && GOOD[n - 1] == '\n';

		assert_int_equal(is_whole ? OK : ERR_INTERNAL, kept_parse(cut, &read));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(a_cut_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
