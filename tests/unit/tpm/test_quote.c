#include "enroll/tpm/quote.h"

#include "tests/softtpm/attest.h"
#include "tests/unit/check.h"

#include <tss2/tss2_mu.h>

#define SERVICE "https://endorse.example.org"
#define SELECTED (1u << 0 | 1u << 13)

static const uint8_t nonce[32] = {7, 7, 7};

static const struct soft_moment moment = {.clock = {.clock = 4711, .safe = 1}, .firmware = 1};

/* A TPM whose PCRs 0 and 13 were extended, and what logs say of them. */
struct scene {
	struct soft_key ak;
	struct soft_pcrs pcrs;
	struct pcr_values expected;
};

static void set_up(enum soft_ak kind, struct scene *s)
{
	*s = (struct scene){0};
	assert_true(soft_ak_make(kind, SERVICE, NULL, &s->ak));
	for (unsigned pcr = 0; pcr < PCRS; pcr += 13) {
		uint8_t digest[32] = {(uint8_t)pcr, 1}, value[32] = {0};

		assert_true(soft_pcr_extend(&s->pcrs, pcr, digest));
		assert_ok(pcr_extend(value, digest));
		assert_ok(pcr_add(&s->expected, pcr, value));
	}
}

static void tear_down(struct scene *s)
{
	soft_key_free(&s->ak);
}

static enum err judge_by(const struct scene *s, const struct soft_key *ak,
	const struct soft_attest *quote, struct view extra)
{
	AUTO(buf_free) struct buf signature = BUF(sizeof(quote->signature));

	assert_true(soft_signature_bytes(&quote->signature, &signature));
	return quote_judge(VIEW_2B(&quote->attested, attestationData), buf_view(&signature),
		ak->pkey, extra, &s->expected);
}

static enum err judge(const struct scene *s, const struct soft_attest *quote)
{
	return judge_by(s, &s->ak, quote, VIEW(nonce));
}

static void quotes_of_every_kind_of_ak_are_taken(void **state)
{
	(void)state;
	for (enum soft_ak kind = 0; kind < SOFT_AKS; kind++) {
		struct scene s;
		struct soft_attest quote;

		set_up(kind, &s);
		assert_true(soft_quote(&s.ak, &s.pcrs, SELECTED, VIEW(nonce), &moment, &quote));
		assert_ok(judge(&s, &quote));
		tear_down(&s);
	}
}

/* One thing that is wrong with a quote, which the AK signs all the same. */
static void no_magic(TPMS_ATTEST *said)
{
	said->magic = 0;
}

static void a_time_in_its_place(TPMS_ATTEST *said)
{
	said->type = TPM2_ST_ATTEST_TIME;
	said->attested.time = (TPMS_TIME_ATTEST_INFO){0};
}

static void nothing_asked(TPMS_ATTEST *said)
{
	said->extraData.size = 0;
}

static void half_of_the_nonce(TPMS_ATTEST *said)
{
	said->extraData.size = 16;
}

static void no_pcr(TPMS_ATTEST *said)
{
	memset(said->attested.quote.pcrSelect.pcrSelections[0].pcrSelect, 0, 3);
}

static void no_bank(TPMS_ATTEST *said)
{
	said->attested.quote.pcrSelect.count = 0;
}

static void one_pcr_fewer(TPMS_ATTEST *said)
{
	said->attested.quote.pcrSelect.pcrSelections[0].pcrSelect[0] = 0;
}

static void one_pcr_more(TPMS_ATTEST *said)
{
	said->attested.quote.pcrSelect.pcrSelections[0].pcrSelect[2] = 1;
}

static void another_pcr(TPMS_ATTEST *said)
{
	said->attested.quote.pcrSelect.pcrSelections[0].pcrSelect[1] = 1 << 6;
}

static void a_pcr_beyond(TPMS_ATTEST *said)
{
	said->attested.quote.pcrSelect.pcrSelections[0].sizeofSelect = 4;
	said->attested.quote.pcrSelect.pcrSelections[0].pcrSelect[3] = 1;
}

static void another_bank(TPMS_ATTEST *said)
{
	said->attested.quote.pcrSelect.pcrSelections[0].hash = TPM2_ALG_SHA1;
}

static void two_banks(TPMS_ATTEST *said)
{
	TPML_PCR_SELECTION *selection = &said->attested.quote.pcrSelect;

	selection->pcrSelections[1] = selection->pcrSelections[0];
	selection->pcrSelections[1].hash = TPM2_ALG_SHA384;
	selection->count = 2;
}

static void another_digest(TPMS_ATTEST *said)
{
	said->attested.quote.pcrDigest.buffer[31] ^= 1;
}

static void half_a_digest(TPMS_ATTEST *said)
{
	said->attested.quote.pcrDigest.size = 16;
}

static void no_digest(TPMS_ATTEST *said)
{
	said->attested.quote.pcrDigest.size = 0;
}

static void a_quote_is_refused_for_each_thing_that_is_wrong_with_it(void **state)
{
	static const struct {
		const char *name;
		void (*alter)(TPMS_ATTEST *said);
		const char *code;
	} rows[] = {
		{"magic", no_magic, "attest-magic"},
		{"type", a_time_in_its_place, "attest-type"},
		{"no nonce", nothing_asked, "attest-qualifying-data"},
		{"half of the nonce", half_of_the_nonce, "attest-qualifying-data"},
		{"no PCR", no_pcr, "quote-selection"},
		{"no bank", no_bank, "quote-selection"},
		{"one PCR fewer", one_pcr_fewer, "quote-selection"},
		{"one PCR more", one_pcr_more, "quote-selection"},
		{"another PCR", another_pcr, "quote-selection"},
		{"a PCR beyond the last", a_pcr_beyond, "quote-selection"},
		{"the bank of SHA-1", another_bank, "quote-selection"},
		{"two banks", two_banks, "quote-selection"},
		{"digest", another_digest, "quote-digest"},
		{"half a digest", half_a_digest, "quote-digest"},
		{"no digest", no_digest, "quote-digest"},
	};
	struct soft_attest quote, altered;
	struct scene s;

	(void)state;
	set_up(SOFT_P256, &s);
	assert_true(soft_quote(&s.ak, &s.pcrs, SELECTED, VIEW(nonce), &moment, &quote));
	for (size_t i = 0; i < COUNT(rows); i++) {
		TPMS_ATTEST said;
		size_t used = 0;

		assert_int_equal(TSS2_RC_SUCCESS,
			Tss2_MU_TPMS_ATTEST_Unmarshal(
				quote.attested.attestationData, quote.attested.size, &used, &said));
		rows[i].alter(&said);
		assert_true(soft_sign(&s.ak, &said, &altered));
		assert_refused_in(rows[i].name, judge(&s, &altered), ERR_REJECTED, rows[i].code);
	}
	assert_ok(judge(&s, &quote));
	tear_down(&s);
}

static void bytes_after_a_quote_are_refused(void **state)
{
	struct soft_attest quote;
	struct scene s;

	(void)state;
	set_up(SOFT_P256, &s);
	assert_true(soft_quote(&s.ak, &s.pcrs, SELECTED, VIEW(nonce), &moment, &quote));
	quote.attested.attestationData[quote.attested.size++] = 0;
	assert_refused(judge(&s, &quote), ERR_MALFORMED, "attest");
	tear_down(&s);
}

static void a_quote_counts_for_its_own_ak_nonce_and_state_alone(void **state)
{
	static const uint8_t another[32] = {7, 7, 8};
	struct soft_attest quote;
	struct scene s, other;

	(void)state;
	set_up(SOFT_P256, &s);
	set_up(SOFT_P256, &other);
	assert_true(soft_quote(&s.ak, &s.pcrs, SELECTED, VIEW(nonce), &moment, &quote));
	assert_refused(
		judge_by(&s, &other.ak, &quote, VIEW(nonce)), ERR_REJECTED, "attest-signature");
	assert_refused(
		judge_by(&s, &s.ak, &quote, VIEW(another)), ERR_REJECTED, "attest-qualifying-data");
	s.expected.value[13][0] ^= 1;
	assert_refused(judge(&s, &quote), ERR_REJECTED, "quote-digest");
	tear_down(&other);
	tear_down(&s);
}

/* A quote over nothing verifies for everything (CVE-2022-0317), so nothing may never be what is expected. */
static void nothing_is_never_what_is_expected(void **state)
{
	struct soft_attest quote;
	struct scene s;

	(void)state;
	set_up(SOFT_P256, &s);
	s.expected = (struct pcr_values){0};
	assert_true(soft_quote(&s.ak, &s.pcrs, 0, VIEW(nonce), &moment, &quote));
	assert_refused(judge(&s, &quote), ERR_REJECTED, "quote-selection");
	tear_down(&s);
}

static void each_pcr_has_one_log(void **state)
{
	struct pcr_values values = {0};
	const uint8_t value[32] = {1};

	(void)state;
	assert_ok(pcr_add(&values, 23, value));
	assert_refused(pcr_add(&values, 23, value), ERR_REJECTED, "quote-selection");
	assert_refused(pcr_add(&values, 24, value), ERR_REJECTED, "quote-selection");
	assert_int_equal(1u << 23, values.selected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_of_every_kind_of_ak_are_taken),
		cmocka_unit_test(a_quote_is_refused_for_each_thing_that_is_wrong_with_it),
		cmocka_unit_test(bytes_after_a_quote_are_refused),
		cmocka_unit_test(a_quote_counts_for_its_own_ak_nonce_and_state_alone),
		cmocka_unit_test(nothing_is_never_what_is_expected),
		cmocka_unit_test(each_pcr_has_one_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
