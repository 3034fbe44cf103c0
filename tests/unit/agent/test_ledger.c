#include "enroll/agent/ledger.h"

#include "tests/unit/check.h"

/* A log of three events. */
static void make_log(struct endpoint_log *out)
{
	*out = (struct endpoint_log){.pcr = ENDPOINT_PCR};
	for (uint8_t i = 1; i <= 3; i++)
		assert_ok(endpoint_log_add(out, &(struct endpoint_event){ENDPOINT_MEASURED, {i}}));
}

static void a_log_fits_its_pcr_to_the_last_event_or_up_to_one_before(void **state)
{
	AUTO(endpoint_log_free) struct endpoint_log log;

	(void)state;
	make_log(&log);
	for (size_t n = 0; n <= log.n; n++) {
		enum ledger_fit fit;
		size_t done = 99;
		uint8_t pcr[32];

		assert_ok(endpoint_log_value(&log, n, pcr));
		assert_ok(ledger_compare(&log, pcr, &fit, &done));
		assert_int_equal(n, done);
		assert_int_equal(n == 0	      ? LEDGER_OVER
				 : n == log.n ? LEDGER_FITS
					      : LEDGER_UNFINISHED,
			fit);
		pcr[31] ^= 1;
		assert_ok(ledger_compare(&log, pcr, &fit, &done));
		assert_int_equal(LEDGER_UNFIT, fit);
	}
}

static void a_log_that_others_went_on_with_is_unfit(void **state)
{
	AUTO(endpoint_log_free) struct endpoint_log log;
	const uint8_t theirs[32] = {1};
	enum ledger_fit fit;
	uint8_t pcr[32];
	size_t done;

	(void)state;
	make_log(&log);
	assert_ok(endpoint_log_value(&log, log.n, pcr));
	assert_ok(pcr_extend(pcr, theirs));
	assert_ok(ledger_compare(&log, pcr, &fit, &done));
	assert_int_equal(LEDGER_UNFIT, fit);
	/* Before the first event as well. */
	memset(pcr, 0, sizeof(pcr));
	assert_ok(pcr_extend(pcr, theirs));
	assert_ok(ledger_compare(&(struct endpoint_log){.pcr = ENDPOINT_PCR}, pcr, &fit, &done));
	assert_int_equal(LEDGER_UNFIT, fit);
}

static void an_empty_log_fits_a_pcr_that_nobody_extended(void **state)
{
	const uint8_t zeroes[32] = {0};
	enum ledger_fit fit;
	size_t done = 99;

	(void)state;
	assert_ok(ledger_compare(&(struct endpoint_log){.pcr = ENDPOINT_PCR}, zeroes, &fit, &done));
	assert_int_equal(LEDGER_FITS, fit);
	assert_int_equal(0, done);
}

static void pcrs_that_more_than_a_reboot_resets_are_no_choice(void **state)
{
	static const struct {
		const char *text;
		unsigned pcr;
	} rows[] = {{"0", 0}, {"13", 13}, {"15", 15}, {"16", 99}, {"17", 99}, {"22", 99},
		{"23", 99}, {"24", 99}, {"-1", 99}, {"", 99}, {"x", 99}, {"1x", 99}, {"013", 99},
		{" 1", 99}, {"4294967296", 99}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = rows[i].pcr < 16;
		unsigned pcr = 0;

		assert_refused_in(rows[i].text, ledger_pcr_read(rows[i].text, &pcr),
			good ? OK : ERR_MALFORMED, "usage");
		if (good)
			assert_int_equal(rows[i].pcr, pcr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_fits_its_pcr_to_the_last_event_or_up_to_one_before),
		cmocka_unit_test(a_log_that_others_went_on_with_is_unfit),
		cmocka_unit_test(an_empty_log_fits_a_pcr_that_nobody_extended),
		cmocka_unit_test(pcrs_that_more_than_a_reboot_resets_are_no_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
