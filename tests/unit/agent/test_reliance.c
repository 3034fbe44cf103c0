#include "enroll/agent/reliance.h"

#include "ca/base/clock.h"
#include "maker.h"

#include <string.h>

/* A certificate that signs itself, good from a minute ago for an hour, and what is thought of it at `now`. */
static enum err read_at(int64_t now, enum reliance_part *broken)
{
	AUTO(pkey_free) EVP_PKEY *key = made_key();
	AUTO(x509_free)
	X509 *certificate = made_certificate(
		&(struct recipe){.name = "self", .key = key, .from = -60, .until = 3600});
	AUTO(skae_free) struct skae skae;

	skae_init(&skae);
	return reliance_read(
		&(struct reliance_question){
			.certificate = certificate, .kind = SKAE_SELF_SIGNED, .now = now},
		&skae, broken);
}

static void a_self_signed_certificate_is_good_for_as_long_as_it_says(void **state)
{
	static const struct {
		int64_t after;
		const char *code;
		enum reliance_part broken;
	} rows[] = {
		{-70, "certificate-dates", RELIANCE_CERTIFICATE},
		{-50, "skae-missing", RELIANCE_SKAE},
		{3590, "skae-missing", RELIANCE_SKAE},
		{3610, "certificate-dates", RELIANCE_CERTIFICATE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum reliance_part broken = RELIANCE_PARTS;

		assert_true(read_at(clock_now() + rows[i].after, &broken) != OK);
		assert_string_equal(rows[i].code, why()->code);
		assert_int_equal(rows[i].broken, broken);
	}
}

static void parts_have_stable_names(void **state)
{
	static const char *const names[] = {"certificate", "skae", "ak-certificate", "evidence"};

	(void)state;
	assert_int_equal(RELIANCE_PARTS, COUNT(names));
	for (enum reliance_part part = 0; part < RELIANCE_PARTS; part++)
		assert_string_equal(names[part], reliance_part_text(part));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_self_signed_certificate_is_good_for_as_long_as_it_says),
		cmocka_unit_test(parts_have_stable_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
