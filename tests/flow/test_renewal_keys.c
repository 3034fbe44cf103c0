/* test_renewal_keys.c - keys that a renewal brings, and certificates by their digest. */
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/soft_renew.h"
#include "tests/flow/supervise.h"

#include "ca/base/encode.h"
#include "enroll/tpm/certified.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define POLICY                                                                                     \
	"rules:\n"                                                                                 \
	"  - name: any\n"                                                                          \
	"    hosts: [{suffix: example.test}]\n"                                                    \
	"    templates: [ak, tls-client]\n"

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 2, .policy = POLICY}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static const struct httpc_peer *peer(size_t i)
{
	return &world.services[i].peer;
}

static void enrolled(const char *host, struct soft_device *device)
{
	soft_device_enrolled(&world, host, device);
}

static long refused(const char *host)
{
	return sql_number(world.conninfo,
		"SELECT count(*) FROM audit WHERE event = 'renew.refused' AND host = '%s'", host);
}

/* A key of the device's TPM, and what its AK says of it for a ticket. */
static void certify(struct soft_renewal *x, const struct soft_key *key, struct view ticket)
{
	struct request_key *wish = &x->wish.keys[0];
	uint8_t extra[32];

	must(certify_qualifying(ticket, extra) == OK &&
			soft_key_testify(x->ak, key, VIEW(extra), wish) == OK,
		"%s", why()->sentence);
	snprintf(wish->template, sizeof(wish->template), "tls-client");
}

static void key_make(struct soft_key *key)
{
	TPMT_PUBLIC area;

	soft_ak_area(SOFT_P256, world.name, &area);
	area.objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
	area.authPolicy.size = 0;
	must(soft_key_make(&area, NULL, key), "no key");
}

static void a_renewal_takes_a_new_key_that_the_ak_certified_for_its_ticket(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;
	struct soft_key key;

	(void)state;
	enrolled("web-11.example.test", &device);
	key_make(&key);
	soft_renewal_init(&x, &device, world.name);
	must(soft_renewal_ticket(&x, peer(0)) == 200, "no ticket");
	certify(&x, &key, buf_view(&x.ticket));
	soft_renewal_ask(&x);
	soft_renewal_sign(&x);
	soft_renewal_send(&x, peer(0));
	assert_renewal(&x, 200, "");
	assert_string_equal(x.answer->certificates[0].template, "tls-client");
	soft_key_free(&key);
}

static void a_renewal_takes_no_key_that_the_ak_did_not_certify_for_it(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal bare, x;
	AUTO(knock_free) struct knock knock;
	struct soft_key key;

	(void)state;
	enrolled("web-12.example.test", &device);
	key_make(&key);
	soft_renewal_init(&bare, &device, world.name);
	snprintf(bare.wish.keys[0].template, sizeof(bare.wish.keys[0].template), "tls-client");
	must(soft_key_public(&key, &bare.wish.keys[0].public), "no public area");
	soft_renew(&bare, peer(0));
	assert_renewal(&bare, 400, "request-key");
	/* Certified, and for an enrollment. */
	soft_renewal_init(&x, &device, world.name);
	must(soft_renewal_ticket(&x, peer(0)) == 200, "no ticket");
	knock_init(&knock, &world, &device);
	must(knock_ticket(&knock) == 200, "no ticket");
	certify(&x, &key, buf_view(&knock.x.challenge.ticket));
	soft_renewal_ask(&x);
	soft_renewal_sign(&x);
	soft_renewal_send(&x, peer(0));
	assert_renewal(&x, 422, "attest-qualifying-data");
	assert_int_equal(refused("web-12.example.test"), 2);
	soft_key_free(&key);
}

static void a_certificate_is_there_for_whoever_has_its_digest(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(mem_free) char *cache = NULL, *type = NULL, *path = NULL;
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	(void)state;
	enrolled("web-15.example.test", &device);
	soft_renewal_init(&x, &device, world.name);
	soft_renew(&x, peer(0));
	assert_renewal(&x, 200, "");
	assert_int_equal(SHA256_OF(digest, x.answer->certificates[0].der), OK);
	hex_write(VIEW(digest), hex);
	path = text("/v1/certificates/%s", hex);
	httpc_get(peer(1), path, &answer);
	assert_int_equal(answer.status, 200);
	assert_true(view_equal(buf_view(&answer.body), x.answer->certificates[0].der));
	type = httpc_header(&answer, "Content-Type");
	cache = httpc_header(&answer, "Cache-Control");
	assert_string_equal(type, "application/pkix-cert");
	assert_string_equal(cache, "public, max-age=31536000, immutable");
}

static void an_ak_has_a_name_of_its_own_form(void **state)
{
	static const uint8_t sha1[22] = {0x00, 0x04}, longer[35] = {0x00, 0x0b},
			     handle[4] = {0x40, 0x00, 0x00, 0x01};
	static const struct view names[] = {{sha1, 22}, {longer, 35}, {handle, 4}};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};
		struct problem problem = {0};

		assert_int_equal(renew_ticket_request_encode(names[i], &body), OK);
		httpc_post(peer(0), "/v1/renew/ticket", buf_view(&body), &answer);
		assert_int_equal(answer.status, 400);
		assert_int_equal(problem_parse(buf_view(&answer.body), &problem), OK);
		assert_string_equal(problem.code, "ak-name");
	}
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_renewal_takes_a_new_key_that_the_ak_certified_for_its_ticket),
		cmocka_unit_test(a_renewal_takes_no_key_that_the_ak_did_not_certify_for_it),
		cmocka_unit_test(a_certificate_is_there_for_whoever_has_its_digest),
		cmocka_unit_test(an_ak_has_a_name_of_its_own_form),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
