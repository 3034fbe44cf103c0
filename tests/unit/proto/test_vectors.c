/* test_vectors.c - what PROTOCOL.md promises to whoever writes a client is what the code does. */
#include "tests/unit/check.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/skae.h"
#include "enroll/proto/proof.h"
#include "enroll/proto/renewal.h"
#include "enroll/tpm/certified.h"
#include "enroll/tpm/endpointlog.h"
#include "enroll/tpm/tag.h"

#include <stdio.h>
#include <string.h>

static struct buf protocol;

static int read_protocol(void **state)
{
	(void)state;
	protocol = BUF(1 << 20);
	assert_int_equal(file_read(ENDORSE_SOURCE_DIR "/enroll/proto/PROTOCOL.md", &protocol), OK);
	return 0;
}

static int forget_protocol(void **state)
{
	(void)state;
	buf_free(&protocol);
	return 0;
}

/* The bytes behind a name in the block of vectors. */
static struct view vector(const char *name, uint8_t out[static 512])
{
	const char *block = strstr(buf_text(&protocol), "```vectors\n");
	char wanted[64];
	const char *at;
	size_t digits;

	assert_non_null(block);
	snprintf(wanted, sizeof(wanted), "\n%s ", name);
	at = strstr(block, wanted);
	assert_non_null(at);
	at += strlen(wanted);
	digits = strcspn(at, "\n");
	assert_true(digits > 0 && digits <= 1024);
	assert_int_equal(hex_read((struct view){(const uint8_t *)at, digits}, out, digits / 2), OK);
	return (struct view){out, digits / 2};
}

/* The four inputs of proof and seal, with room for their bytes. */
struct inputs {
	uint8_t bytes[4][512];
	struct secret_key session;
	struct transcript transcript;
};

static void read_inputs(struct inputs *in)
{
	memcpy(in->session.bytes, vector("session_key", in->bytes[0]).p, 32);
	in->transcript.ticket = vector("ticket", in->bytes[1]);
	in->transcript.claim = vector("claim", in->bytes[2]);
	in->transcript.request = vector("request", in->bytes[3]);
}

static void the_published_proof_is_the_one_we_make(void **state)
{
	uint8_t made[PROOF_SIZE], published[512];
	struct inputs in;

	(void)state;
	read_inputs(&in);
	vector("proof", published);
	assert_int_equal(proof_make(&in.session, &in.transcript, made), OK);
	assert_memory_equal(made, published, PROOF_SIZE);
	assert_int_equal(proof_check(&in.session, &in.transcript, published), OK);
}

static void the_published_seal_opens_to_the_published_answer(void **state)
{
	AUTO(buf_free) struct buf opened = BUF(512);
	uint8_t proof[512], sealed[512], answer[512];
	struct inputs in;

	(void)state;
	read_inputs(&in);
	vector("proof", proof);
	assert_int_equal(
		answer_open(&in.session, &in.transcript, proof, vector("sealed", sealed), &opened),
		OK);
	assert_true(view_equal(buf_view(&opened), vector("answer", answer)));
}

static void the_published_tags_are_the_ones_we_make(void **state)
{
	static const struct {
		uint16_t name_alg;
		const char *name;
	} tags[] = {{0x000b, "tag_sha256"}, {0x000c, "tag_sha384"}, {0x000d, "tag_sha512"}};

	(void)state;
	for (size_t i = 0; i < COUNT(tags); i++) {
		uint8_t made[64], published[512];
		size_t n = 0;

		assert_int_equal(
			service_tag(tags[i].name_alg, "https://endorse.example.org", made, &n), OK);
		assert_true(view_equal((struct view){made, n}, vector(tags[i].name, published)));
	}
}

/* A key, what an AK said of it for the ticket above, and the same as a certificate carries it. */
struct certify_inputs {
	uint8_t bytes[5][512];
	struct certify_evidence evidence;
	struct ak *ak;
};

static void read_certify_inputs(struct certify_inputs *in)
{
	in->evidence.public = vector("certified_public", in->bytes[0]);
	in->evidence.attest = vector("certified_attest", in->bytes[1]);
	in->evidence.signature = vector("certified_signature", in->bytes[2]);
	in->ak = NULL;
	assert_int_equal(ak_judge(vector("certified_ak", in->bytes[3]),
				 "https://endorse.example.org", AK_TAGGED, &in->ak),
		OK);
}

static void the_published_key_is_certified(void **state)
{
	AUTO(certified_free) struct certified *certified = NULL;
	uint8_t made[32], published[512], ticket[512];
	struct certify_inputs in;

	(void)state;
	read_certify_inputs(&in);
	assert_int_equal(certify_qualifying(vector("ticket", ticket), made), OK);
	assert_true(view_equal(VIEW(made), vector("certify_extra", published)));
	assert_int_equal(certified_judge(&in.evidence, in.ak, VIEW(made), &certified), OK);
	ak_free(&in.ak);
}

static void the_published_skae_carries_it(void **state)
{
	AUTO(certified_free) struct certified *certified = NULL;
	AUTO(buf_free) struct buf again = BUF(SKAE_MAX);
	AUTO(skae_free) struct skae skae;
	struct certify_inputs in;
	struct grant_evidence said = {.ak_location = skae.ak_location};
	struct view published;

	(void)state;
	skae_init(&skae);
	read_certify_inputs(&in);
	published = vector("skae", in.bytes[4]);
	assert_int_equal(skae_parse(published, &skae), OK);
	assert_string_equal("http://ca.example.org/v1/certificates/00", skae.ak_location);
	said.public = buf_view(&skae.public);
	said.attest = buf_view(&skae.attest);
	said.signature = buf_view(&skae.signature);
	assert_int_equal(skae_encode(&said, &again), OK);
	assert_true(view_equal(published, buf_view(&again)));
	assert_true(view_equal(
		said.public, (struct view){in.evidence.public.p + 2, in.evidence.public.n - 2}));
	in.evidence = (struct certify_evidence){said.public, said.attest, said.signature};
	assert_int_equal(certified_carried(&in.evidence, ak_pkey(in.ak), NULL, &certified), OK);
	ak_free(&in.ak);
}

static void the_published_renewal_is_what_an_ak_signs(void **state)
{
	uint8_t ticket[512], request[512], published[512], made[RENEWAL_MESSAGE_SIZE], digest[32];
	struct view message;

	(void)state;
	message = vector("renewal_message", published);
	assert_int_equal(renewal_message("https://endorse.example.org", vector("ticket", ticket),
				 vector("renewal_request", request), made),
		OK);
	assert_true(view_equal(message, VIEW(made)));
	assert_int_equal(SHA256_OF(digest, message), OK);
	assert_true(view_equal(VIEW(digest), vector("renewal_sha256", published)));
}

static void the_published_events_of_endpoints_are_the_ones_we_make(void **state)
{
	struct endpoint_event events[] = {{.act = ENDPOINT_MEASURED}, {.act = ENDPOINT_INVALID}};
	const struct endpoint_log log = {.pcr = 13, .event = events, .n = COUNT(events)};
	uint8_t made[32], published[512];

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		memcpy(events[i].spki_sha256, vector("endpoint_spki_sha256", published).p, 32);
		assert_int_equal(endpoint_event_digest(&events[i], made), OK);
		vector(i == 0 ? "endpoint_measured" : "endpoint_invalid", published);
		assert_memory_equal(made, published, 32);
	}
	assert_int_equal(endpoint_log_value(&log, log.n, made), OK);
	vector("endpoint_pcr", published);
	assert_memory_equal(made, published, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_proof_is_the_one_we_make),
		cmocka_unit_test(the_published_seal_opens_to_the_published_answer),
		cmocka_unit_test(the_published_tags_are_the_ones_we_make),
		cmocka_unit_test(the_published_key_is_certified),
		cmocka_unit_test(the_published_skae_carries_it),
		cmocka_unit_test(the_published_renewal_is_what_an_ak_signs),
		cmocka_unit_test(the_published_events_of_endpoints_are_the_ones_we_make),
	};

	return cmocka_run_group_tests(tests, read_protocol, forget_protocol);
}
