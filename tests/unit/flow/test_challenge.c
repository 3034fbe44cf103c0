#include "enroll/flow/challenge.h"

#include "ca/base/encode.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/ak.h"
#include "enroll/tpm/ekpublic.h"
#include "tests/softtpm/activate.h"
#include "tests/unit/check.h"
#include "tests/unit/flow/device.h"
#include "tests/unit/tpm/area.h"

static const struct caller caller = {.request_id = "r", .client_address = "192.0.2.1", .now = NOW};

/* A device before a service, and what it got. */
struct trip {
	struct device device;
	struct believer believer;
	struct buf claim;
	struct challenge challenge;
	struct outcome outcome;
};

static void trip_make(struct trip *out)
{
	*out = (struct trip){.claim = BUF(1 << 16)};
	device_make(&out->device);
	believer_make(&out->device.world, SERVICE, &out->believer);
	challenge_init(&out->challenge);
}

static enum err trip_go(struct trip *trip)
{
	claim_bytes(&trip->device, &trip->claim);
	return challenge_make(&trip->believer.service, &caller, buf_view(&trip->claim),
		&trip->challenge, &trip->outcome);
}

static void trip_free(struct trip *trip)
{
	challenge_free(&trip->challenge);
	buf_free(&trip->claim);
	believer_free(&trip->believer);
	device_free(&trip->device);
}

/* What the TPM of the device would get out of the challenge. */
static bool trip_activate(const struct trip *trip, TPM2B_DIGEST *out)
{
	AUTO(ak_free) struct ak *ak = NULL;
	AUTO(soft_key_free) struct soft_key ek;

	assert_ok(ak_judge(buf_view(&trip->device.ak_public), SERVICE, AK_TAGGED, &ak));
	assert_true(soft_ek_make(SOFT_L2, trip->device.world.ek_key, &ek));
	return soft_activate(&ek, (struct view){ak_name(ak)->bytes, ak_name(ak)->n},
		buf_view(&trip->challenge.credential_blob), buf_view(&trip->challenge.secret), out);
}

static void the_tpm_gets_the_secret_that_is_in_the_ticket(void **state)
{
	AUTO(trip_free) struct trip trip;
	AUTO(ticket_wipe) struct ticket ticket;
	TPM2B_DIGEST secret;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	trip_make(&trip);
	assert_ok(trip_go(&trip));
	assert_ok(ticket_open(
		trip.believer.service.tickets, buf_view(&trip.challenge.ticket), NOW, &ticket));
	assert_true(trip_activate(&trip, &secret));
	assert_view_equal(VIEW(ticket.session.bytes), VIEW_2B(&secret, buffer));
	assert_true(ticket.issued_at == NOW);
	assert_true(trip.challenge.expires_at == NOW + 300);
	assert_ok(SHA256_OF(digest, buf_view(&trip.claim)));
	assert_memory_equal(digest, ticket.claim_digest, sizeof(digest));
	assert_memory_equal(trust_version(trip.believer.service.trust), ticket.trust_version, 32);
	assert_memory_equal(
		policy_version(trip.believer.service.policy), ticket.policy_version, 32);
	assert_string_equal("challenged", trip.outcome.what);
	assert_string_equal(HOST, trip.outcome.host);
	assert_false(trip.outcome.is_proven);
}

static void assert_begins(const char *shown, const uint8_t *version)
{
	char digits[2 * SHA256_SIZE + 1];

	hex_write((struct view){version, SHA256_SIZE}, digits);
	assert_int_equal(VERSION_SHOWN, strlen(shown));
	assert_memory_equal(digits, shown, VERSION_SHOWN);
}

static void what_judged_it_is_noted_for_the_log_also_of_a_refusal(void **state)
{
	AUTO(trip_free) struct trip good, bad;

	(void)state;
	trip_make(&good);
	assert_ok(trip_go(&good));
	assert_begins(good.outcome.trust, trust_version(good.believer.service.trust));
	assert_begins(good.outcome.policy, policy_version(good.believer.service.policy));
	trip_make(&bad);
	bad.device.claim.service = "https://other.example.org";
	assert_refused(trip_go(&bad), ERR_DENIED, "wrong-service");
	assert_begins(bad.outcome.trust, trust_version(bad.believer.service.trust));
	assert_begins(bad.outcome.policy, policy_version(bad.believer.service.policy));
}

static void each_challenge_has_a_secret_of_its_own(void **state)
{
	AUTO(trip_free) struct trip a, b;
	TPM2B_DIGEST of_a, of_b;

	(void)state;
	trip_make(&a);
	trip_make(&b);
	assert_ok(trip_go(&a));
	assert_ok(trip_go(&b));
	assert_true(trip_activate(&a, &of_a));
	assert_true(trip_activate(&b, &of_b));
	assert_memory_not_equal(of_a.buffer, of_b.buffer, 32);
}

static void an_ak_of_another_name_does_not_get_it(void **state)
{
	AUTO(trip_free) struct trip trip;
	TPM2B_DIGEST secret;

	(void)state;
	trip_make(&trip);
	assert_ok(trip_go(&trip));
	area_of_ak(KEY_P256, &trip.device.ak);
	device_refresh(&trip.device);
	assert_false(trip_activate(&trip, &secret));
}

static void a_refused_claim_gets_nothing_and_tells_its_host(void **state)
{
	AUTO(trip_free) struct trip trip;

	(void)state;
	trip_make(&trip);
	trip.device.claim.service = "https://other.example.org";
	assert_refused(trip_go(&trip), ERR_DENIED, "wrong-service");
	assert_int_equal(0, trip.challenge.ticket.n + trip.challenge.secret.n +
				    trip.challenge.credential_blob.n);
	assert_string_equal(HOST, trip.outcome.host);
	assert_null(trip.outcome.what);
}

static void an_unreadable_claim_has_no_host_to_tell(void **state)
{
	AUTO(trip_free) struct trip trip;

	(void)state;
	trip_make(&trip);
	assert_refused(challenge_make(&trip.believer.service, &caller, view_str("?"),
			       &trip.challenge, &trip.outcome),
		ERR_MALFORMED, "json");
	assert_string_equal("", trip.outcome.host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tpm_gets_the_secret_that_is_in_the_ticket),
		cmocka_unit_test(what_judged_it_is_noted_for_the_log_also_of_a_refusal),
		cmocka_unit_test(each_challenge_has_a_secret_of_its_own),
		cmocka_unit_test(an_ak_of_another_name_does_not_get_it),
		cmocka_unit_test(a_refused_claim_gets_nothing_and_tells_its_host),
		cmocka_unit_test(an_unreadable_claim_has_no_host_to_tell),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
