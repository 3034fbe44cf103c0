/* test_keys.c - one request, four certificates: all of them are issued, or none. */
#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "ca/skae.h"
#include "ca/sshkey.h"
#include "tests/flow/cluster.h"
#include "tests/flow/four.h"
#include "tests/flow/supervise.h"
#include "tests/flow/verified.h"

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 2, .policy = four_policy, .pgproxy = true},
		&world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static void assert_status(const struct four *four, int status, const char *code)
{
	if (four->last.status != status || strcmp(four->problem.code, code) != 0)
		fail_msg("wanted %d %s, got %d %s: %s", status, code, four->last.status,
			four->problem.code, four->problem.detail);
}

static long certificates_of(const char *host)
{
	return sql_number(
		world.conninfo, "SELECT count(*) FROM certificate WHERE host = '%s'", host);
}

/* The certificates of an answer, one behind the other. */
static void all_of(const struct answer *answer, struct buf *out)
{
	buf_free(out);
	for (size_t i = 0; i < answer->certificates_n; i++)
		buf_add(out, answer->certificates[i].der);
}

static char *saved(struct view der, const char *name)
{
	AUTO(x509_free) X509 *cert = cert_from_der(der);
	AUTO(buf_free) struct buf pem = BUF(1 << 16);
	char *path = text("%s/%s", world.dir, name);

	assert_non_null(cert);
	assert_int_equal(cert_pem_add(cert, &pem), OK);
	write_file(path, 0644, buf_view(&pem));
	return path;
}

static void assert_verified(struct view der)
{
	AUTO(mem_free) char *leaf = saved(der, "leaf.pem");
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);

	assert_true(is_verified(&world, leaf, issuing));
}

static void ssh_keygen(const char *option, const char *path, struct output *out)
{
	process_run(&(struct program){.argv = (const char *const[]){"ssh-keygen", option, "-f",
					      path, NULL}},
		out);
	if (out->code != 0)
		fail_msg("%s%s", buf_text(&out->out), buf_text(&out->err));
}

/* For the host, and signed by the CA that the answer names. */
static void assert_ssh_verified(const struct answer *answer, struct view blob, const char *host)
{
	AUTO(mem_free) char *path = text("%s/host-cert.pub", world.dir);
	AUTO(buf_free) struct buf line = BUF(1 << 16), fingerprint = BUF(256);
	AUTO(output_free) struct output output;

	assert_int_equal(sshkey_text(blob, &line), OK);
	buf_str(&line, "\n");
	write_file(path, 0644, buf_view(&line));
	assert_int_equal(sshkey_fingerprint(answer->ssh_host_ca, &fingerprint), OK);
	ssh_keygen("-L", path, &output);
	assert_non_null(strstr(buf_text(&output.out), "host certificate"));
	assert_non_null(strstr(buf_text(&output.out), host));
	assert_non_null(strstr(buf_text(&output.out), answer->device_id));
	assert_non_null(strstr(buf_text(&output.out), buf_text(&fingerprint)));
}

static void assert_names_the_ak_certificate(struct view tls, struct view ak)
{
	AUTO(x509_free) X509 *cert = cert_from_der(tls);
	AUTO(skae_free) struct skae skae;
	AUTO(mem_free) char *wanted = NULL;
	uint8_t digest[SHA256_SIZE];
	char digits[2 * SHA256_SIZE + 1];

	skae_init(&skae);
	assert_int_equal(SHA256_OF(digest, ak), OK);
	hex_write(VIEW(digest), digits);
	wanted = text("%s/v1/certificates/%s", world.name, digits);
	assert_int_equal(skae_of(cert, &skae), OK);
	assert_string_equal(skae.ak_location, wanted);
}

static void four_certificates_come_by_one_enrollment_and_hold(void **state)
{
	static const char *const wanted[] = {"ak", "platform-property", "tls-server", "ssh-host"};
	struct four_device device;
	struct four four;
	const struct answer *answer;

	(void)state;
	four_device_make(&world, "web-1.example.test", &device);
	four_init(&four, &world, &device);
	four_run(&four, world.name);
	assert_status(&four, 200, "");
	answer = four.x.answer;
	assert_int_equal(answer->certificates_n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(answer->certificates[i].template, wanted[i]);
	for (size_t i = 0; i < 3; i++)
		assert_verified(answer->certificates[i].der);
	assert_ssh_verified(answer, answer->certificates[3].der, "web-1.example.test");
	assert_names_the_ak_certificate(answer->certificates[2].der, answer->certificates[0].der);
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM certificate WHERE"
				 " (place, kind, key_kind, template) IN ((0, 'x509', 'ak', 'ak'),"
				 " (1, 'x509', 'ak', 'platform-property'),"
				 " (2, 'x509', 'certified', 'tls-server'),"
				 " (3, 'ssh-host', 'any', 'ssh-host'))"),
		4);
	assert_int_equal(
		sql_number(world.conninfo, "SELECT count(DISTINCT key_sha256) FROM certificate"),
		3);
	assert_int_equal(sql_number(world.conninfo, "SELECT count(*) FROM ticket"
						    " WHERE cardinality(serials) = 4"),
		1);
	four_free(&four);
	four_device_free(&device);
}

static void it_says_in_the_log_for_what(void **state)
{
	(void)state;
	assert_true(wait_for_text(world.services[0].log,
		"templates=ak,platform-property,tls-server,ssh-host", 10000));
}

static void four_take_two_trips_to_the_database_as_one_does(void **state)
{
	struct four_device device;
	struct four four;

	(void)state;
	four_device_make(&world, "web-trips.example.test", &device);
	four_init(&four, &world, &device);
	pgproxy_reset(world.pgproxy);
	assert_true(four_prove(&four, world.name));
	assert_int_equal(four_enroll(&four, four.peer), 200);
	assert_true(pgproxy_trips_are(world.pgproxy, 2));
	assert_int_equal(pgproxy_count(world.pgproxy, 'Q'), 0);
	four_free(&four);
	four_device_free(&device);
}

/* Two keys by one template, one key by two templates, and as many as there may be. */
static void eight_are_the_most_and_come_in_their_order(void **state)
{
	AUTO(buf_free) struct buf first = BUF(1 << 16), again = BUF(1 << 16);
	struct four_device device, other;
	struct four four;

	(void)state;
	four_device_make(&world, "web-eight.example.test", &device);
	four_device_make(&world, "web-eight.example.test", &other);
	four_init(&four, &world, &device);
	four.wants[4] = (struct soft_want){.template = "tls-client", .certified = &device.tls};
	four.wants[5] = (struct soft_want){.template = "tls-server", .certified = &other.tls};
	four.wants[6] = (struct soft_want){.template = "tls-client", .certified = &other.tls};
	four.wants[7] = (struct soft_want){.template = "ssh-host", .ssh = buf_view(&other.ssh)};
	four.x.wants_n = 8;
	four_run(&four, world.name);
	assert_status(&four, 200, "");
	assert_int_equal(four.x.answer->certificates_n, 8);
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(
			four.x.answer->certificates[i].template, four.wants[i].template);
	all_of(four.x.answer, &first);
	assert_int_equal(certificates_of("web-eight.example.test"), 8);
	assert_int_equal(four_enroll(&four, &world.services[1].peer), 200);
	all_of(four.x.answer, &again);
	assert_true(view_equal(buf_view(&first), buf_view(&again)));
	four_free(&four);
	four_device_free(&device);
	four_device_free(&other);
}

static void a_check_of_four_keys_takes_nothing(void **state)
{
	const char *const serials = "SELECT last_value FROM ssh_serial";
	struct four_device device;
	struct four four;
	long before = sql_number(world.conninfo, "%s", serials);

	(void)state;
	four_device_make(&world, "web-check.example.test", &device);
	four_init(&four, &world, &device);
	four.x.is_check = true;
	four_run(&four, world.name);
	assert_status(&four, 200, "");
	assert_int_equal(four.x.answer->certificates_n, 0);
	assert_int_equal(certificates_of("web-check.example.test"), 0);
	assert_int_equal(sql_number(world.conninfo, "%s", serials), before);
	four_free(&four);
	four_device_free(&device);
}

struct knocker {
	struct four *four;
	const struct httpc_peer *peer;
	struct httpc_answer answer;
};

static void *knock(void *of_knocker)
{
	struct knocker *knocker = of_knocker;

	httpc_post(knocker->peer, "/v1/enroll", buf_view(&knocker->four->body), &knocker->answer);
	return NULL;
}

static void one_request_sent_to_two_servers_at_once_brings_the_same_four(void **state)
{
	struct knocker knockers[16];
	pthread_t threads[COUNT(knockers)];
	AUTO(buf_free) struct buf first = BUF(1 << 16), again = BUF(1 << 16);
	struct four_device device;
	struct four four;

	(void)state;
	four_device_make(&world, "web-parallel.example.test", &device);
	four_init(&four, &world, &device);
	assert_true(four_prove(&four, world.name));
	for (size_t i = 0; i < COUNT(knockers); i++) {
		knockers[i] = (struct knocker){&four, &world.services[i % 2].peer, {0}};
		assert_int_equal(pthread_create(&threads[i], NULL, knock, &knockers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(knockers); i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < COUNT(knockers); i++) {
		assert_int_equal(knockers[i].answer.status, 200);
		answer_free(&four.x.answer);
		assert_int_equal(
			soft_enrollment_end(&four.x, buf_view(&knockers[i].answer.body)), OK);
		assert_int_equal(four.x.answer->certificates_n, 4);
		all_of(four.x.answer, i == 0 ? &first : &again);
		assert_true(i == 0 || view_equal(buf_view(&first), buf_view(&again)));
		httpc_answer_free(&knockers[i].answer);
	}
	assert_int_equal(certificates_of("web-parallel.example.test"), 4);
	four_free(&four);
	four_device_free(&device);
}

/* Enrolls anew for the first `n` of the four. */
static void enroll_for(struct four_device *device, size_t n, struct buf *certificates)
{
	struct four four;

	four_init(&four, &world, device);
	four.x.wants_n = n;
	four_run(&four, world.name);
	assert_status(&four, 200, "");
	assert_int_equal(four.x.answer->certificates_n, n);
	all_of(four.x.answer, certificates);
	four_free(&four);
}

static void what_is_recorded_is_returned_beside_what_is_new(void **state)
{
	static const char host[] = "web-mixed.example.test";
	AUTO(buf_free) struct buf one = BUF(1 << 16), two = BUF(1 << 16), all = BUF(1 << 16);
	AUTO(buf_free) struct buf again = BUF(1 << 16);
	struct four_device device;

	(void)state;
	four_device_make(&world, host, &device);
	enroll_for(&device, 1, &one);
	enroll_for(&device, 2, &two);
	assert_memory_equal(one.p, two.p, one.n);
	assert_int_equal(certificates_of(host), 2);
	enroll_for(&device, 4, &all);
	assert_memory_equal(two.p, all.p, two.n);
	assert_int_equal(certificates_of(host), 4);
	enroll_for(&device, 4, &again);
	assert_true(view_equal(buf_view(&all), buf_view(&again)));
	assert_int_equal(certificates_of(host), 4);
	/* Past half of its life, the AK's is made anew, and nothing else. */
	free(sql_text(world.conninfo,
		"WITH older AS (UPDATE certificate SET not_before = not_before - interval '60 d',"
		" not_after = not_after - interval '60 d' WHERE host = '%s' AND template = 'ak'"
		" RETURNING 1) SELECT count(*)::text FROM older",
		host));
	enroll_for(&device, 4, &again);
	assert_memory_not_equal(again.p, all.p, one.n);
	assert_int_equal(certificates_of(host), 5);
	four_device_free(&device);
}

/* No longer asked for, but in force: evidence names it. */
static void evidence_names_an_ak_certificate_of_an_earlier_enrollment(void **state)
{
	AUTO(buf_free) struct buf ak = BUF(1 << 16);
	struct four_device device;
	struct four four;

	(void)state;
	four_device_make(&world, "web-later.example.test", &device);
	enroll_for(&device, 1, &ak);
	four_init(&four, &world, &device);
	four.x.wants = &four.wants[2];
	four.x.wants_n = 1;
	four_run(&four, world.name);
	assert_status(&four, 200, "");
	assert_names_the_ak_certificate(four.x.answer->certificates[0].der, buf_view(&ak));
	four_free(&four);
	four_device_free(&device);
}

static void a_repeat_brings_none_when_one_was_revoked(void **state)
{
	struct four_device device;
	struct four four;

	(void)state;
	four_device_make(&world, "web-revoked.example.test", &device);
	four_init(&four, &world, &device);
	assert_int_equal(four_run(&four, world.name), 200);
	assert_int_equal(four_enroll(&four, four.peer), 200);
	free(sql_text(world.conninfo,
		"WITH gone AS (UPDATE certificate SET revoked_at = now(), revocation_reason ="
		" 'keyCompromise' WHERE host = 'web-revoked.example.test' AND place = 2 RETURNING "
		"1)"
		" SELECT count(*)::text FROM gone"));
	four_enroll(&four, four.peer);
	assert_status(&four, 403, "certificate-revoked");
	four_free(&four);
	four_device_free(&device);
}

static void kill_services(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < world.services_n; i++)
		kill(world.services[i].pid, SIGKILL);
}

static bool has_sprung(void *arg)
{
	(void)arg;
	return pgproxy_sprung(world.pgproxy);
}

static void die_at(struct four *four, enum pgproxy_point point)
{
	pgproxy_trap(world.pgproxy, point, "INSERT INTO ticket", kill_services, NULL);
	assert_int_not_equal(four_enroll(four, four->peer), 200);
	assert_true(wait_until(has_sprung, NULL, 10000));
	for (size_t i = 0; i < world.services_n; i++) {
		world_service_stop(&world, i, SIGKILL);
		world_service_start(&world, i);
	}
}

static void death_around_the_commit_leaves_none_of_them_or_all(void **state)
{
	static const char host[] = "web-killed.example.test";
	AUTO(buf_free) struct buf first = BUF(1 << 16), again = BUF(1 << 16);
	struct four_device device;
	struct four four;

	(void)state;
	four_device_make(&world, host, &device);
	four_init(&four, &world, &device);
	assert_true(four_prove(&four, world.name));
	die_at(&four, PGPROXY_BEFORE_COMMIT);
	assert_int_equal(certificates_of(host), 0);
	assert_int_equal(
		sql_number(world.conninfo, "SELECT count(*) FROM host WHERE name = '%s'", host), 0);
	die_at(&four, PGPROXY_AFTER_COMMIT);
	assert_int_equal(certificates_of(host), 4);
	assert_int_equal(four_enroll(&four, four.peer), 200);
	all_of(four.x.answer, &first);
	assert_int_equal(four_enroll(&four, &world.services[1].peer), 200);
	all_of(four.x.answer, &again);
	assert_true(view_equal(buf_view(&first), buf_view(&again)));
	assert_int_equal(certificates_of(host), 4);
	four_free(&four);
	four_device_free(&device);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(four_certificates_come_by_one_enrollment_and_hold),
		cmocka_unit_test(it_says_in_the_log_for_what),
		cmocka_unit_test(four_take_two_trips_to_the_database_as_one_does),
		cmocka_unit_test(eight_are_the_most_and_come_in_their_order),
		cmocka_unit_test(a_check_of_four_keys_takes_nothing),
		cmocka_unit_test(one_request_sent_to_two_servers_at_once_brings_the_same_four),
		cmocka_unit_test(what_is_recorded_is_returned_beside_what_is_new),
		cmocka_unit_test(evidence_names_an_ak_certificate_of_an_earlier_enrollment),
		cmocka_unit_test(a_repeat_brings_none_when_one_was_revoked),
		cmocka_unit_test(death_around_the_commit_leaves_none_of_them_or_all),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
