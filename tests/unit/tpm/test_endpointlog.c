#include "enroll/tpm/endpointlog.h"

#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "tests/softtpm/pcr.h"
#include "tests/unit/check.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TITLE "endorse-endpoint-log 1 sha256 "
#define LOG TITLE "13\nmeasured " A "\nmeasured " B "\ninvalid " A "\n"

static void a_log_has_one_text(void **state)
{
	AUTO(endpoint_log_free) struct endpoint_log log;
	AUTO(buf_free) struct buf text = BUF(ENDPOINT_LOG_MAX);

	(void)state;
	assert_ok(endpoint_log_parse(view_str(LOG), &log));
	assert_int_equal(13, log.pcr);
	assert_int_equal(3, log.n);
	assert_int_equal(ENDPOINT_INVALID, log.event[2].act);
	assert_int_equal(0xaa, log.event[2].spki_sha256[31]);
	assert_ok(endpoint_log_encode(&log, &text));
	assert_string_equal(LOG, buf_text(&text));
}

static void a_log_that_is_written_otherwise_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"measured " A "\n",
		"endorse-endpoint-log 2 sha256 13\n",
		"endorse-endpoint-log 1 sha1 13\n",
		"endorse-endpoint-log 1 sha256 13",
		TITLE "13 \n",
		TITLE "\n",
		TITLE "013\n",
		TITLE "1x\n",
		TITLE "-1\n",
		TITLE "16\n", /* resettable from locality 0 */
		TITLE "17\n",
		TITLE "22\n",
		TITLE "23\n",
		TITLE "24\n",
		TITLE "13\r\n",
		TITLE "13\n\n",
		TITLE "13\nmeasured " A,
		TITLE "13\nmeasured " A " \n",
		TITLE "13\nmeasured  " A "\n",
		TITLE "13\nMeasured " A "\n",
		TITLE
		"13\nmeasured AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		TITLE "13\nmeasured " A "a\n",
		TITLE "13\nmeasured aa\n",
		TITLE "13\nrevoked " A "\n",
		TITLE "13\n# nothing\n",
		TITLE "13\n" TITLE "13\n",
		TITLE "13\nmeasured " A "\n\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(endpoint_log_free) struct endpoint_log log;

		assert_refused_in(texts[i], endpoint_log_parse(view_str(texts[i]), &log),
			ERR_MALFORMED, "endpoint-log");
		assert_int_equal(0, log.n);
	}
}

static void pcrs_that_only_a_reboot_resets_can_have_a_log(void **state)
{
	(void)state;
	for (unsigned pcr = 0; pcr < PCRS; pcr++) {
		AUTO(endpoint_log_free) struct endpoint_log log;
		const struct endpoint_log empty = {.pcr = pcr};
		AUTO(buf_free) struct buf text = BUF(100);
		AUTO(buf_free) struct buf written = BUF(100);

		buf_fmt(&text, TITLE "%u\n", pcr);
		assert_int_equal(pcr < 16, endpoint_log_parse(buf_view(&text), &log) == OK);
		assert_int_equal(pcr < 16, endpoint_log_encode(&empty, &written) == OK);
	}
}

static void a_log_ends_with_its_last_event(void **state)
{
	AUTO(endpoint_log_free) struct endpoint_log log = {.pcr = 13};
	AUTO(buf_free) struct buf text = BUF(ENDPOINT_LOG_MAX);
	const struct endpoint_event event = {ENDPOINT_MEASURED, {1}};

	(void)state;
	for (size_t i = 0; i < ENDPOINT_EVENTS; i++)
		assert_ok(endpoint_log_add(&log, &event));
	assert_ok(endpoint_log_encode(&log, &text));
	endpoint_log_free(&log);
	assert_ok(endpoint_log_parse(buf_view(&text), &log));
	assert_refused(endpoint_log_add(&log, &event), ERR_REJECTED, "endpoint-log-full");
}

/* What PROTOCOL.md says of an event, by hashes alone. */
static void an_event_is_a_label_and_the_keys_digest(void **state)
{
	static const char *const labels[] = {
		"endorse/1 endpoint measured", "endorse/1 endpoint invalid"};

	(void)state;
	for (int act = ENDPOINT_MEASURED; act <= ENDPOINT_INVALID; act++) {
		struct endpoint_event event = {.act = (enum endpoint_act)act};
		uint8_t wanted[32], digest[32];

		memset(event.spki_sha256, 0xaa, 32);
		assert_ok(SHA256_OF(wanted, view_str(labels[act]),
			((struct view){(const uint8_t *)"", 1}), VIEW(event.spki_sha256)));
		assert_ok(endpoint_event_digest(&event, digest));
		assert_memory_equal(wanted, digest, 32);
	}
}

/* The software TPM has its own notion of extending. */
static void a_log_is_replayed_as_a_tpm_does(void **state)
{
	AUTO(endpoint_log_free) struct endpoint_log log;
	struct pcr_values values = {0};
	struct soft_pcrs pcrs = {0};
	uint8_t digest[32];

	(void)state;
	assert_ok(endpoint_log_parse(view_str(LOG), &log));
	for (size_t i = 0; i < log.n; i++) {
		assert_ok(endpoint_event_digest(&log.event[i], digest));
		assert_true(soft_pcr_extend(&pcrs, 13, digest));
	}
	assert_ok(endpoint_log_replay(&log, &values));
	assert_int_equal(1u << 13, values.selected);
	assert_memory_equal(pcrs.value[13], values.value[13], 32);
	/* Two logs cannot be about one PCR. */
	assert_refused(endpoint_log_replay(&log, &values), ERR_REJECTED, "quote-selection");
}

static enum err judge(const char *text, char key)
{
	AUTO(endpoint_log_free) struct endpoint_log log;
	uint8_t digest[32];

	memset(digest, key, sizeof(digest));
	assert_ok(endpoint_log_parse(view_str(text), &log));
	return endpoint_log_judge(&log, digest);
}

static void an_endpoint_is_good_when_it_was_measured_and_never_taken_back(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{TITLE "13\n", "endpoint-not-measured"},
		{TITLE "13\nmeasured " B "\n", "endpoint-not-measured"},
		{TITLE "13\nmeasured " B "\ninvalid " B "\n", "endpoint-not-measured"},
		{TITLE "13\nmeasured " A "\n", ""},
		{TITLE "13\nmeasured " A "\nmeasured " B "\n", ""},
		{TITLE "13\nmeasured " A "\nmeasured " B "\ninvalid " B "\n", ""},
		{TITLE "13\nmeasured " A "\ninvalid " A "\n", "endpoint-invalid"},
		{TITLE "13\ninvalid " A "\n", "endpoint-invalid"},
		/* Whoever has the host cannot make a key good again that came into other hands. */
		{TITLE "13\nmeasured " A "\ninvalid " A "\nmeasured " A "\n", "endpoint-invalid"},
		{TITLE "13\ninvalid " A "\nmeasured " A "\n", "endpoint-invalid"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused_in(rows[i].text, judge(rows[i].text, (char)0xaa),
			rows[i].code[0] == '\0' ? OK : ERR_REJECTED, rows[i].code);
}

/* PROTOCOL.md tells how to compute it with openssl's commands. */
static void any_kind_of_key_has_a_digest(void **state)
{
	static const char *const names[] = {"ED25519", "ED448", "EC"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(pkey_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, names[i], "P-521");
		AUTO(ossl_free) uint8_t *der = NULL;
		uint8_t digest[32], wanted[32];
		int n = i2d_PUBKEY(key, &der);

		assert_true(n > 0);
		assert_ok(SHA256_OF(wanted, ((struct view){der, (size_t)n})));
		assert_ok(endpoint_key_sha256(key, digest));
		assert_memory_equal(wanted, digest, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_has_one_text),
		cmocka_unit_test(a_log_that_is_written_otherwise_is_refused),
		cmocka_unit_test(pcrs_that_only_a_reboot_resets_can_have_a_log),
		cmocka_unit_test(a_log_ends_with_its_last_event),
		cmocka_unit_test(an_event_is_a_label_and_the_keys_digest),
		cmocka_unit_test(a_log_is_replayed_as_a_tpm_does),
		cmocka_unit_test(an_endpoint_is_good_when_it_was_measured_and_never_taken_back),
		cmocka_unit_test(any_kind_of_key_has_a_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
