/* test_renewal.c - new certificates by the AK alone: what is renewed, and everything that is not. */
#include "tests/flow/knock.h"
#include "tests/flow/soft_renew.h"
#include "tests/flow/supervise.h"

#include "tests/flow/cluster.h"
#include "tests/softtpm/attest.h"

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY                                                                                     \
	"rules:\n"                                                                                 \
	"  - name: any\n"                                                                          \
	"    hosts: [{suffix: example.test}]\n"                                                    \
	"    templates: [ak]\n"

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

/* A device of the maker that the services trust, enrolled under this name. */
static void enrolled(const char *host, struct soft_device *device)
{
	soft_device_enrolled(&world, host, device);
}

/* Runs SQL in which %s is the host's name. */
static void change(const char *sql, const char *host)
{
	free(sql_text(world.conninfo, sql, host));
}

/* Past half of their life, so that new ones are due. */
static void make_due(const char *host)
{
	change("UPDATE certificate SET not_before = now() - interval '300 days',"
	       " not_after = now() + interval '65 days' WHERE host = '%s'",
		host);
}

/* Of a device that is known: an admin sees which it was. */
static long audited(const char *event, const char *host)
{
	return sql_number(world.conninfo,
		"SELECT count(*) FROM audit JOIN device USING (device_id)"
		" WHERE event = '%s' AND host = '%s'",
		event, host);
}

/* Whose it was, and that it is the last that the device was refused. */
static long refused(const char *host, const char *code)
{
	return sql_number(world.conninfo,
		"SELECT count(*) FROM audit JOIN device USING (device_id) JOIN ak USING (device_id)"
		" WHERE event = 'renew.refused' AND host = '%s' AND code = '%s'"
		" AND last_refusal_code = code",
		host, code);
}

static void a_renewal_brings_what_is_recorded_until_half_of_its_life_is_over(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal first, second;

	(void)state;
	enrolled("web-1.example.test", &device);
	soft_renewal_init(&first, &device, world.name);
	soft_renew(&first, peer(1));
	assert_renewal(&first, 200, "");
	assert_int_equal(first.answer->certificates_n, 1);
	assert_string_equal(first.answer->host, "web-1.example.test");
	assert_int_equal(audited("renew.returned", "web-1.example.test"), 1);
	make_due("web-1.example.test");
	soft_renewal_init(&second, &device, world.name);
	soft_renew(&second, peer(0));
	assert_renewal(&second, 200, "");
	assert_false(
		view_equal(first.answer->certificates[0].der, second.answer->certificates[0].der));
	assert_int_equal(audited("renew.issued", "web-1.example.test"), 1);
	assert_int_equal(audited("enroll.issued", "web-1.example.test"), 1);
	assert_int_equal(world_rows(&world, "certificate"), 2);
	assert_int_equal(world_rows(&world, "ak"), 1);
}

static void a_renewal_is_no_proof_by_the_ek(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;

	(void)state;
	enrolled("web-2.example.test", &device);
	change("UPDATE ak SET proven_at = now() - interval '89 days' WHERE device_id ="
	       " (SELECT device_id FROM host WHERE name = '%s')",
		"web-2.example.test");
	make_due("web-2.example.test");
	soft_renewal_init(&x, &device, world.name);
	soft_renew(&x, peer(0));
	assert_renewal(&x, 200, "");
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM ak WHERE proven_at < now() - interval '88 "
				 "days'"),
		1);
}

/* The same bytes bring the same certificates; the ticket is good for nothing else. */
static void a_ticket_renews_once(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;
	AUTO(buf_free) struct buf certificate = BUF(LIMIT_ANSWER);

	(void)state;
	enrolled("web-3.example.test", &device);
	make_due("web-3.example.test");
	soft_renewal_init(&x, &device, world.name);
	soft_renew(&x, peer(0));
	assert_renewal(&x, 200, "");
	buf_add(&certificate, x.answer->certificates[0].der);
	soft_renewal_send(&x, peer(1));
	assert_renewal(&x, 200, "");
	assert_true(view_equal(buf_view(&certificate), x.answer->certificates[0].der));
	buf_add(&x.request, view_str(" "));
	soft_renewal_sign(&x);
	soft_renewal_send(&x, peer(1));
	assert_renewal(&x, 409, "ticket-used");
	assert_int_equal(sql_number(world.conninfo, "SELECT count(*) FROM certificate WHERE host = "
						    "'web-3.example.test'"),
		2);
}

#define AT_ONCE 16

struct racer {
	pthread_t thread;
	size_t service;
	const struct soft_renewal *like;
	struct soft_renewal x;
};

static void *race(void *of)
{
	struct racer *racer = of;

	soft_renewal_init(&racer->x, racer->like->device, world.name);
	buf_add(&racer->x.ticket, buf_view(&racer->like->ticket));
	buf_add(&racer->x.request, buf_view(&racer->like->request));
	buf_add(&racer->x.signature, buf_view(&racer->like->signature));
	soft_renewal_send(&racer->x, peer(racer->service));
	return NULL;
}

static void renewals_in_parallel_on_two_servers_are_one(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;
	static struct racer racers[AT_ONCE];

	(void)state;
	enrolled("web-4.example.test", &device);
	make_due("web-4.example.test");
	soft_renewal_init(&x, &device, world.name);
	assert_int_equal(soft_renewal_ticket(&x, peer(0)), 200);
	soft_renewal_ask(&x);
	soft_renewal_sign(&x);
	for (size_t i = 0; i < AT_ONCE; i++) {
		racers[i] = (struct racer){.service = i % 2, .like = &x};
		must(pthread_create(&racers[i].thread, NULL, race, &racers[i]) == 0, "no thread");
	}
	for (size_t i = 0; i < AT_ONCE; i++)
		pthread_join(racers[i].thread, NULL);
	for (size_t i = 0; i < AT_ONCE; i++) {
		assert_renewal(&racers[i].x, 200, "");
		assert_true(view_equal(racers[0].x.answer->certificates[0].der,
			racers[i].x.answer->certificates[0].der));
	}
	for (size_t i = 0; i < AT_ONCE; i++)
		soft_renewal_free(&racers[i].x);
	assert_int_equal(sql_number(world.conninfo, "SELECT count(*) FROM certificate WHERE host = "
						    "'web-4.example.test'"),
		2);
}

/* What is wrong with a renewal before anything is looked up. */
struct unproven {
	const char *name;
	void (*alter)(struct soft_renewal *x, const struct soft_device *other);
	int status;
	const char *code;
};

static void by_quote(struct soft_renewal *x, const struct soft_device *other)
{
	const struct soft_pcrs pcrs = {0};
	const struct soft_moment moment = {0};
	uint8_t message[RENEWAL_MESSAGE_SIZE], digest[SHA256_SIZE];
	struct soft_attest quote;

	(void)other;
	must(renewal_message(world.name, buf_view(&x->ticket), buf_view(&x->request), message) ==
				OK &&
			SHA256_OF(digest, VIEW(message)) == OK &&
			soft_quote(x->ak, &pcrs, 1, VIEW(digest), &moment, &quote),
		"no quote");
	buf_free(&x->signature);
	must(soft_signature_bytes(&quote.signature, &x->signature), "no signature");
}

static void by_enroll_ticket(struct soft_renewal *x, const struct soft_device *other)
{
	AUTO(knock_free) struct knock knock;

	(void)other;
	knock_init(&knock, &world, x->device);
	must(knock_ticket(&knock) == 200, "no ticket");
	buf_free(&x->ticket);
	buf_add(&x->ticket, buf_view(&knock.x.challenge.ticket));
	soft_renewal_sign(x);
}

static void by_ticket_of_another(struct soft_renewal *x, const struct soft_device *other)
{
	AUTO(soft_renewal_free) struct soft_renewal his;

	soft_renewal_init(&his, other, world.name);
	must(soft_renewal_ticket(&his, peer(0)) == 200, "no ticket");
	buf_free(&x->ticket);
	buf_add(&x->ticket, buf_view(&his.ticket));
	soft_renewal_sign(x);
}

static void by_another_ak(struct soft_renewal *x, const struct soft_device *other)
{
	const struct soft_key *ak = x->ak;

	x->ak = &other->ak;
	soft_renewal_sign(x);
	x->ak = ak;
}

static void for_another_service(struct soft_renewal *x, const struct soft_device *other)
{
	(void)other;
	x->service = "https://other.example.org";
	soft_renewal_sign(x);
}

static void with_a_flipped_bit(struct soft_renewal *x, const struct soft_device *other)
{
	(void)other;
	x->request.p[x->request.n / 2] ^= 1;
}

static void with_a_flipped_ticket(struct soft_renewal *x, const struct soft_device *other)
{
	(void)other;
	x->ticket.p[x->ticket.n / 2] ^= 1;
	soft_renewal_sign(x);
}

static void who_does_not_prove_the_ak_gets_nothing_and_leaves_no_trace(void **state)
{
	static const struct unproven lines[] = {
		{"renew-by-quote", by_quote, 401, "proof-invalid"},
		{"another AK", by_another_ak, 401, "proof-invalid"},
		{"another service", for_another_service, 401, "proof-invalid"},
		{"request flipped", with_a_flipped_bit, 401, "proof-invalid"},
		{"ticket flipped", with_a_flipped_ticket, 401, "ticket-invalid"},
		{"enroll ticket", by_enroll_ticket, 401, "ticket-invalid"},
		{"another AK's ticket", by_ticket_of_another, 401, "ticket-ak-mismatch"},
	};
	AUTO(soft_device_free) struct soft_device device, other;
	long audit, certificates;

	(void)state;
	enrolled("web-5.example.test", &device);
	enrolled("web-6.example.test", &other);
	make_due("web-5.example.test");
	audit = world_rows(&world, "audit");
	certificates = world_rows(&world, "certificate");
	for (size_t i = 0; i < COUNT(lines); i++) {
		AUTO(soft_renewal_free) struct soft_renewal x;

		soft_renewal_init(&x, &device, world.name);
		must(soft_renewal_ticket(&x, peer(0)) == 200, "no ticket");
		soft_renewal_ask(&x);
		soft_renewal_sign(&x);
		lines[i].alter(&x, &other);
		soft_renewal_send(&x, peer(0));
		if (x.status != lines[i].status || strcmp(x.code, lines[i].code) != 0)
			fail_msg("%s: %d %s %s", lines[i].name, x.status, x.code, x.detail);
	}
	assert_int_equal(world_rows(&world, "audit"), audit);
	assert_int_equal(world_rows(&world, "certificate"), certificates);
}

/* Anybody makes such a key: it is told to enroll, and nothing is written. */
static void an_ak_that_nobody_knows_leaves_no_trace(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;
	long audit = world_rows(&world, "audit");

	(void)state;
	stranger_of(&world, &world.maker, "web-7.example.test", &device);
	soft_renewal_init(&x, &device, world.name);
	soft_renew(&x, peer(0));
	assert_renewal(&x, 403, "renewal-needs-enrollment");
	assert_int_equal(world_rows(&world, "audit"), audit);
	assert_int_equal(world_rows(&world, "host"),
		sql_number(world.conninfo,
			"SELECT count(*) FROM host WHERE name <> 'web-7.example.test'"));
}

static void an_enroll_ticket_is_no_other_way_round(void **state)
{
	AUTO(soft_device_free) struct soft_device device;
	AUTO(soft_renewal_free) struct soft_renewal x;
	AUTO(knock_free) struct knock knock;
	AUTO(enroll_request_free) struct enroll_request request;
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	struct problem problem = {0};

	(void)state;
	enrolled("web-8.example.test", &device);
	soft_renewal_init(&x, &device, world.name);
	must(soft_renewal_ticket(&x, peer(0)) == 200, "no ticket");
	knock_init(&knock, &world, &device);
	must(knock_ticket(&knock) == 200, "no ticket");
	enroll_request_init(&request);
	assert_int_equal(enroll_request_parse(buf_view(&knock.body), &request), OK);
	buf_free(&request.ticket);
	buf_add(&request.ticket, buf_view(&x.ticket));
	buf_free(&knock.body);
	assert_int_equal(enroll_request_encode(&request, &knock.body), OK);
	httpc_post(peer(0), "/v1/enroll", buf_view(&knock.body), &answer);
	assert_int_equal(answer.status, 401);
	assert_int_equal(problem_parse(buf_view(&answer.body), &problem), OK);
	assert_string_equal(problem.code, "ticket-invalid");
}

/* What became of a device between two renewals, by SQL with its host in it. */
static void what_records_say_against_a_renewal_is_told_and_recorded(void **state)
{
	static const struct {
		const char *host, *before;
		int status;
		const char *code;
	} lines[] = {
		{"revoked.example.test",
			"UPDATE device SET state = 'revoked', revision = revision + 1 WHERE "
			"device_id = (SELECT device_id FROM host WHERE name = '%s')",
			403, "device-revoked"},
		{"superseded.example.test",
			"UPDATE ak SET state = 'superseded' WHERE device_id = "
			"(SELECT device_id FROM host WHERE name = '%s')",
			403, "ak-superseded"},
		{"old.example.test",
			"UPDATE ak SET proven_at = now() - interval '91 days' WHERE device_id = "
			"(SELECT device_id FROM host WHERE name = '%s')",
			403, "renewal-needs-enrollment"},
		{"unbound.example.test", "DELETE FROM host WHERE name = '%s'", 403,
			"renewal-name-not-bound"},
		/* It would be told to enroll, and take the name. */
		{"unbound-old.example.test",
			"WITH aged AS (UPDATE ak SET proven_at = now() - interval '91 days' "
			"WHERE device_id = (SELECT device_id FROM host WHERE name = '%1$s')), "
			"bare AS (UPDATE ek SET public = NULL WHERE device_id = (SELECT device_id "
			"FROM host WHERE name = '%1$s')) DELETE FROM host WHERE name = '%1$s'",
			403, "renewal-name-not-bound"},
		{"before.example.test",
			"UPDATE ek SET public = NULL WHERE device_id = "
			"(SELECT device_id FROM host WHERE name = '%s')",
			403, "renewal-needs-enrollment"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		AUTO(soft_device_free) struct soft_device device;
		AUTO(soft_renewal_free) struct soft_renewal x;
		long certificates;

		enrolled(lines[i].host, &device);
		make_due(lines[i].host);
		certificates = world_rows(&world, "certificate");
		change(lines[i].before, lines[i].host);
		soft_renewal_init(&x, &device, world.name);
		soft_renew(&x, peer(0));
		assert_renewal(&x, lines[i].status, lines[i].code);
		assert_int_equal(refused(lines[i].host, lines[i].code), 1);
		assert_int_equal(world_rows(&world, "certificate"), certificates);
		soft_renewal_send(&x, peer(1));
		assert_renewal(&x, lines[i].status, lines[i].code);
		assert_int_equal(audited("renew.refused", lines[i].host), 1);
	}
}

static void a_request_that_cannot_be_read_is_recorded_of_whom_is_known(void **state)
{
	AUTO(soft_device_free) struct soft_device device, stranger;
	const struct soft_device *const who[] = {&device, &stranger};

	(void)state;
	enrolled("web-11.example.test", &device);
	stranger_of(&world, &world.maker, "web-12.example.test", &stranger);
	for (size_t i = 0; i < COUNT(who); i++) {
		AUTO(soft_renewal_free) struct soft_renewal x;

		soft_renewal_init(&x, who[i], world.name);
		must(soft_renewal_ticket(&x, peer(0)) == 200, "no ticket");
		soft_renewal_ask(&x);
		x.request.n--;
		soft_renewal_sign(&x);
		soft_renewal_send(&x, peer(0));
		assert_renewal(&x, 400, "json");
		assert_int_equal(1,
			sql_number(world.conninfo,
				"SELECT count(*) FROM audit JOIN host USING (device_id) WHERE event"
				" = 'renew.refused' AND code = 'json' AND name = '%s'",
				device.host));
		assert_int_equal(1, sql_number(world.conninfo, "SELECT count(*) FROM audit WHERE "
							       "code = 'json'"));
	}
}

static void no_renewal_changes_a_name(void **state)
{
	AUTO(soft_device_free) struct soft_device device, other;
	static const char *const hosts[] = {"web-10.example.test", "free.example.test"};

	(void)state;
	enrolled("web-9.example.test", &device);
	enrolled(hosts[0], &other);
	for (size_t i = 0; i < COUNT(hosts); i++) {
		AUTO(soft_renewal_free) struct soft_renewal x;

		soft_renewal_init(&x, &device, world.name);
		snprintf(x.wish.host, sizeof(x.wish.host), "%s", hosts[i]);
		soft_renew(&x, peer(0));
		assert_renewal(&x, 403, "renewal-name-not-bound");
	}
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM host WHERE name = 'free.example.test'"),
		0);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_renewal_brings_what_is_recorded_until_half_of_its_life_is_over),
		cmocka_unit_test(a_renewal_is_no_proof_by_the_ek),
		cmocka_unit_test(a_ticket_renews_once),
		cmocka_unit_test(renewals_in_parallel_on_two_servers_are_one),
		cmocka_unit_test(who_does_not_prove_the_ak_gets_nothing_and_leaves_no_trace),
		cmocka_unit_test(an_ak_that_nobody_knows_leaves_no_trace),
		cmocka_unit_test(an_enroll_ticket_is_no_other_way_round),
		cmocka_unit_test(what_records_say_against_a_renewal_is_told_and_recorded),
		cmocka_unit_test(a_request_that_cannot_be_read_is_recorded_of_whom_is_known),
		cmocka_unit_test(no_renewal_changes_a_name),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
