/* test_revoke.c - an admin cuts a machine, a name, a certificate or a CA off: what he is told, and what becomes of them. */
#include "ca/base/encode.h"
#include "tests/flow/cluster.h"
#include "tests/flow/four.h"
#include "tests/flow/published.h"
#include "tests/flow/soft_renew.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static char *admin, *token_file;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.policy = four_policy, .services = 2}, &world);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	token_file = text("%s/admin.token", world.dir);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(admin);
	free(token_file);
	world_free(&world);
	return 0;
}

#define CTL(output, ...)                                                                           \
	world_run(&world, output, "endorsectl", __VA_ARGS__, "--admin", admin, "--token-file",     \
		token_file, NULL)

static void wants(const struct output *output, int code, const char *what)
{
	if (output->code != code || (strstr(buf_text(&output->out), what) == NULL &&
					    strstr(buf_text(&output->err), what) == NULL))
		fail_msg("exit %d, wanted %d and \"%s\":\n%s%s", output->code, code, what,
			buf_text(&output->out), buf_text(&output->err));
}

/* One machine, and all that it can ask for. */
struct machine {
	struct four_device device;
	struct four four;
};

static void machine_free(struct machine *machine)
{
	four_free(&machine->four);
	four_device_free(&machine->device);
}

static void machine_enrolled(struct machine *machine, const char *host)
{
	four_device_make(&world, host, &machine->device);
	four_init(&machine->four, &world, &machine->device);
	assert_int_equal(200, four_run(&machine->four, world.name));
}

/* The same request once more, and a new one at the other service, and a renewal: all end so. */
static void assert_shut(struct machine *machine, const char *code)
{
	AUTO(soft_renewal_free) struct soft_renewal renewal;
	AUTO(four_free) struct four anew;

	assert_int_equal(403, four_enroll(&machine->four, &world.services[0].peer));
	assert_string_equal(code, machine->four.problem.code);
	four_init(&anew, &world, &machine->device);
	anew.peer = &world.services[1].peer;
	assert_int_equal(403, four_run(&anew, world.name));
	assert_string_equal(code, anew.problem.code);
	soft_renewal_init(&renewal, &machine->device.device, world.name);
	soft_renew(&renewal, &world.services[1].peer);
	assert_renewal(&renewal, 403, code);
}

static void assert_open(struct machine *machine)
{
	AUTO(four_free) struct four anew;

	four_init(&anew, &world, &machine->device);
	anew.peer = &world.services[1].peer;
	assert_int_equal(200, four_run(&anew, world.name));
}

static long good_of(const char *host)
{
	return sql_number(world.conninfo,
		"SELECT count(*) FROM certificate WHERE host = '%s' AND revoked_at IS NULL", host);
}

static long behind(void)
{
	return sql_number(world.conninfo,
		"SELECT (SELECT count(*) FROM crl_shard WHERE changed <> published)"
		" + (SELECT count(*) FROM krl WHERE changed <> published)");
}

static bool is_published(void *of)
{
	(void)of;
	return behind() == 0;
}

static void a_stolen_machine_is_cut_off_in_one_act(void **state)
{
	static const char host[] = "web-1.example.test";
	AUTO(machine_free) struct machine machine, heir;
	AUTO(output_free) struct output first, second, shown;

	(void)state;
	machine_enrolled(&machine, host);
	must(wait_until(is_published, NULL, 10000), "no CRL");
	CTL(&first, "revoke", "device", "--host", host, "--reason", "keyCompromise", "--why",
		"stolen from line 4", "--wait");
	wants(&first, 0, " is revoked (keyCompromise) since 20");
	wants(&first, 0, "3 X.509, 1 OpenSSH host, 0 OpenSSH user");
	wants(&first, 0, "ssh-host");
	wants(&first, 0, "web-1.example.test: nobody has it now");
	wants(&first, 0, "1: may not enroll");
	wants(&first, 0, "at once: enrollments, renewals, tickets");
	wants(&first, 0, "who keeps one of before has a new one by 20");
	wants(&first, 0, "endorse krl-sync");
	wants(&first, 0, "endorsectl revoke host NAME");
	wants(&first, 0, "published: CRLs and KRL tell of it, ");
	assert_int_equal(0, good_of(host));
	assert_int_equal(0, behind());
	assert_shut(&machine, "device-revoked");
	CTL(&second, "revoke", "device", "--host", host, "--reason", "superseded", "--why", "?1");
	wants(&second, 5, "by admin-token (keyCompromise): stolen from line 4");
	CTL(&shown, "device", "show", host);
	wants(&shown, 0, " is revoked\n");
	wants(&shown, 0, "keyCompromise by admin-token: stolen from line 4");
	assert_int_equal(1, sql_number(world.conninfo,
				    "SELECT count(*) FROM audit WHERE event = 'device.revoked' AND "
				    "host = '%s' AND cardinality(serials) = 4",
				    host));
	/* The name is free for the machine that comes in its place. */
	machine_enrolled(&heir, host);
}

static void a_machine_that_is_reinstated_comes_like_a_new_one(void **state)
{
	static const char host[] = "web-2.example.test";
	AUTO(machine_free) struct machine machine;
	AUTO(output_free) struct output revoked, back;

	(void)state;
	machine_enrolled(&machine, host);
	/* A name alone is a host's. */
	CTL(&revoked, "revoke", "device", host, "--reason", "key-compromise", "--why", "test");
	wants(&revoked, 0, "revoked (keyCompromise)");
	CTL(&back, "reinstate", "device", "--host", host, "--why", "it was found");
	wants(&back, 0, "it is a device like a new one");
	assert_int_equal(0, good_of(host));
	assert_open(&machine);
	assert_int_equal(4, good_of(host));
}

static void a_machine_that_is_held_gets_everything_back(void **state)
{
	static const char host[] = "web-3.example.test";
	AUTO(machine_free) struct machine machine;
	AUTO(output_free) struct output held, given;

	(void)state;
	machine_enrolled(&machine, host);
	CTL(&held, "hold", "device", "--host", host, "--why", "where is it?");
	wants(&held, 0, " is held since 20");
	assert_int_equal(0, good_of(host));
	assert_shut(&machine, "device-held");
	CTL(&given, "unhold", "device", "--host", host, "--why", "in the other rack");
	wants(&given, 0, "3 X.509, 1 OpenSSH host, 0 OpenSSH user, good again");
	assert_int_equal(4, good_of(host));
	assert_int_equal(200, four_enroll(&machine.four, &world.services[1].peer));
}

static void a_name_that_is_revoked_is_nobodys_until_it_is_reinstated(void **state)
{
	static const char host[] = "web-4.example.test";
	AUTO(machine_free) struct machine machine;
	AUTO(soft_device_free) struct soft_device other;
	AUTO(soft_renewal_free) struct soft_renewal renewal;
	AUTO(output_free) struct output revoked, back, retired;

	(void)state;
	machine_enrolled(&machine, host);
	CTL(&revoked, "revoke", "host", host, "--reason", "privilegeWithdrawn", "--why", "no more");
	wants(&revoked, 0, "host web-4.example.test is revoked (privilegeWithdrawn)");
	wants(&revoked, 0, "1, whose other certificates stay good");
	assert_int_equal(0, good_of(host));
	assert_shut(&machine, "host-revoked");
	CTL(&back, "reinstate", "host", host, "--why", "once more");
	wants(&back, 0, "the next machine that policy allows can have the name");
	soft_device_enrolled(&world, host, &other);
	soft_renewal_init(&renewal, &other, world.name);
	assert_int_equal(200, soft_renew(&renewal, &world.services[0].peer));
	CTL(&retired, "host", "retire", host, "--why", "out of service");
	wants(&retired, 0, "host web-4.example.test is retired (cessationOfOperation)");
	assert_int_equal(0, good_of(host));
	assert_open(&machine);
}

static void a_certificate_that_is_revoked_does_not_come_back(void **state)
{
	static const char host[] = "web-5.example.test";
	AUTO(machine_free) struct machine machine;
	AUTO(output_free) struct output x509, ssh, again;
	AUTO(mem_free) char *serial = NULL, *number = NULL;

	(void)state;
	machine_enrolled(&machine, host);
	serial = sql_text(world.conninfo,
		"SELECT upper(encode(serial, 'hex')) FROM certificate WHERE host = '%s' AND "
		"template = 'tls-server'",
		host);
	number = sql_text(world.conninfo,
		"SELECT ('x' || encode(serial, 'hex'))::bit(64)::bigint FROM certificate WHERE "
		"host = '%s' AND kind = 'ssh-host'",
		host);
	CTL(&x509, "revoke", "certificate", "--serial", serial, "--reason", "superseded", "--why",
		"a typo in it", "--wait");
	wants(&x509, 0, "1 X.509, 0 OpenSSH host");
	CTL(&ssh, "hold", "certificate", "--ssh-serial", number, "--why", "who is that?", "--wait");
	wants(&ssh, 0, "0 X.509, 1 OpenSSH host");
	assert_int_equal(2, good_of(host));
	assert_int_equal(0, behind());
	assert_int_equal(403, four_enroll(&machine.four, &world.services[0].peer));
	assert_string_equal("certificate-revoked", machine.four.problem.code);
	assert_open(&machine);
	CTL(&again, "unhold", "certificate", "--ssh-serial", number, "--why", "ah");
	wants(&again, 0, "0 X.509, 1 OpenSSH host, 0 OpenSSH user, good again");
}

/* Each the only fault of a request that is good otherwise. */
static void what_is_wrong_with_a_request_is_told(void **state)
{
#define DEVICE "/v1/admin/device/revoke"
#define TAIL ",\"reason\":\"keyCompromise\",\"why\":\"x\"}"
	static const struct {
		const char *path, *body;
		int status;
		const char *code;
	} rows[] = {
		{DEVICE, "{\"host\":\"a.example.test\"" TAIL, 404, "device-unknown"},
		{DEVICE, "{\"reason\":\"keyCompromise\",\"why\":\"x\"}", 400, "which"},
		{DEVICE, "{\"host\":\"a.example.test\",\"serial\":\"01\"" TAIL, 400, "which"},
		{DEVICE, "{\"issuer\":\"0123456789abcdef\"" TAIL, 400, "which"},
		{DEVICE, "{\"id\":\"0123\"" TAIL, 400, "device-id"},
		{DEVICE, "{\"ek_digest\":\"0123\"" TAIL, 400, "ek-digest"},
		{DEVICE, "{\"serial\":\"012\"" TAIL, 400, "serial"},
		{DEVICE, "{\"host\":\"a..b\"" TAIL, 400, "host-name"},
		{DEVICE, "{\"host\":\"a.example.test\",\"reason\":\"stolen\",\"why\":\"x\"}", 400,
			"revocation-reason"},
		{DEVICE, "{\"host\":\"a.example.test\",\"reason\":\"removeFromCRL\",\"why\":\"x\"}",
			400, "revocation-reason"},
		{DEVICE, "{\"host\":\"a.example.test\",\"reason\":\"aACompromise\",\"why\":\"x\"}",
			400, "revocation-reason"},
		{DEVICE,
			"{\"host\":\"a.example.test\",\"reason\":\"certificateHold\",\"why\":"
			"\"x\"}",
			400, "revocation-reason"},
		{DEVICE, "{\"host\":\"a.example.test\",\"reason\":\"keyCompromise\",\"why\":\" \"}",
			400, "why-missing"},
		{"/v1/admin/device/hold", "{\"host\":\"a.example.test\"" TAIL, 400,
			"revocation-reason"},
		{"/v1/admin/device/hold", "{\"host\":\"a.example.test\",\"why\":\"x\"}", 404,
			"device-unknown"},
		{"/v1/admin/host/reinstate", "{\"host\":\"a.example.test\",\"why\":\"x\"}", 409,
			"not-revoked"},
		{"/v1/admin/host/retire", "{\"host\":\"a.example.test\"" TAIL, 404, "host-unknown"},
		{"/v1/admin/certificate/revoke", "{\"serial\":\"0123\"" TAIL, 404,
			"certificate-unknown"},
		{"/v1/admin/certificate/revoke", "{\"host\":\"a.example.test\"" TAIL, 400, "which"},
		{"/v1/admin/ca/revoke", "{\"issuer\":\"0123\"" TAIL, 400, "issuer-id"},
		{"/v1/admin/ca/revoke", "{\"issuer\":\"0123456789abcdef\"" TAIL, 404,
			"issuer-unknown"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};
		struct problem problem = {0};

		httpc_post(&world.services[0].admin, rows[i].path, view_str(rows[i].body), &answer);
		assert_int_equal(OK, problem_parse(buf_view(&answer.body), &problem));
		assert_string_equal(rows[i].code, problem.code);
		assert_int_equal(rows[i].status, answer.status);
	}
}

/* A machine that renews and enrolls as fast as it can, here and there. */
struct restless {
	struct machine *machine;
	const struct httpc_peer *peer;
	int last;
	char code[64];
};

static void *enroll_on(void *of)
{
	struct restless *x = of;

	for (unsigned i = 0; i < 200 && x->last != 403; i++) {
		AUTO(four_free) struct four four;

		four_init(&four, &world, &x->machine->device);
		four.peer = x->peer;
		x->last = four_run(&four, world.name);
		snprintf(x->code, sizeof(x->code), "%s", four.problem.code);
	}
	return NULL;
}

static void *renew_on(void *of)
{
	struct restless *x = of;

	for (unsigned i = 0; i < 200 && x->last != 403; i++) {
		AUTO(soft_renewal_free) struct soft_renewal renewal;

		soft_renewal_init(&renewal, &x->machine->device.device, world.name);
		x->last = soft_renew(&renewal, x->peer);
		snprintf(x->code, sizeof(x->code), "%s", renewal.code);
	}
	return NULL;
}

static bool is_busy(void *host)
{
	return sql_number(world.conninfo,
		       "SELECT revision FROM device JOIN host USING (device_id) WHERE name = '%s'",
		       (const char *)host) >= 5;
}

/* In the midst of it: some of them have got through. */
static void revoke_by_http(const char *host)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(mem_free) char *body = text("{\"host\":\"%s\"" TAIL, host), *name = text("%s", host);

	must(wait_until(is_busy, name, 20000), "nobody gets through");
	httpc_post(&world.services[1].admin, DEVICE, view_str(body), &answer);
	assert_int_equal(200, answer.status);
	assert_int_equal(0, good_of(host));
}

static void assert_openssl_refuses(struct view certificate)
{
	AUTO(mem_free) char *leaf = text("%s/leaf.pem", world.dir);
	AUTO(mem_free) char *crl = text("%s/crl.pem", world.dir);
	AUTO(mem_free) char *root = text("%s/root.pem", world.ca);
	AUTO(mem_free) char *issuing = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *path = crl_path_of(certificate);
	AUTO(output_free) struct output output;

	certificate_write(certificate, leaf);
	crl_write(&world.services[0].peer, path, crl);
	process_run(&(struct program){.argv = (const char *const[]){"openssl", "verify", "-purpose",
					      "any", "-crl_check", "-CAfile", root, "-untrusted",
					      issuing, "-CRLfile", crl, leaf, NULL}},
		&output);
	wants(&output, 2, "certificate revoked");
}

/* Each that is recorded, so each that left: by the CRL that it names, as relying parties judge. */
static void assert_the_crl_lists_all_of(const char *host)
{
	long n = sql_number(world.conninfo,
		"SELECT count(*) FROM certificate WHERE host = '%s' AND kind = 'x509'", host);

	assert_true(n >= 3);
	must(wait_until(is_published, NULL, 10000), "no CRL");
	for (long i = 0; i < n; i++) {
		AUTO(mem_free)
		char *hex = sql_text(world.conninfo,
			"SELECT encode(der, 'hex') FROM certificate WHERE host = '%s' AND kind ="
			" 'x509' ORDER BY serial OFFSET %ld LIMIT 1",
			host, i);
		uint8_t der[4096];
		size_t size = strlen(hex) / 2;

		must(size <= sizeof(der) && hex_read(view_str(hex), der, size) == OK, "%s", hex);
		assert_openssl_refuses((struct view){der, size});
	}
}

static void a_machine_that_enrolls_and_renews_all_the_time_is_cut_off_all_the_same(void **state)
{
	static const char *const hosts[] = {
		"web-61.example.test", "web-62.example.test", "web-63.example.test"};

	(void)state;
	for (size_t round = 0; round < COUNT(hosts); round++) {
		AUTO(machine_free) struct machine machine;
		struct restless restless[4];
		pthread_t threads[4];

		machine_enrolled(&machine, hosts[round]);
		for (size_t i = 0; i < COUNT(restless); i++) {
			restless[i] = (struct restless){
				.machine = &machine, .peer = &world.services[i % 2].peer};
			must(pthread_create(&threads[i], NULL, i < 2 ? enroll_on : renew_on,
				     &restless[i]) == 0,
				"no thread");
		}
		revoke_by_http(hosts[round]);
		for (size_t i = 0; i < COUNT(restless); i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(403, restless[i].last);
			assert_string_equal("device-revoked", restless[i].code);
		}
		assert_int_equal(0, good_of(hosts[round]));
		assert_the_crl_lists_all_of(hosts[round]);
	}
}

static void x509_ca_id(char out[static 65])
{
	AUTO(mem_free)
	char *id = sql_text(
		world.conninfo, "SELECT encode(issuer_id, 'hex') FROM issuer WHERE kind = 'x509'");

	snprintf(out, 65, "%s", id);
}

/* The last one: nobody enrolls here any more. */
static void a_ca_that_is_revoked_signs_nothing_and_takes_all_that_it_signed_with_it(void **state)
{
	AUTO(output_free) struct output revoked, status, doctor;
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(machine_free) struct machine machine, late;
	char id[65];

	(void)state;
	machine_enrolled(&machine, "web-7.example.test");
	x509_ca_id(id);
	CTL(&revoked, "revoke", "ca-key", "--issuer", id, "--reason", "cACompromise", "--why",
		"its passphrase was in a chat", "--wait");
	wants(&revoked, 0, " is revoked (cACompromise) since 20");
	assert_int_equal(0, sql_number(world.conninfo, "SELECT count(*) FROM certificate WHERE "
						       "kind = 'x509' AND revoked_at IS NULL"));
	four_device_make(&world, "web-8.example.test", &late.device);
	four_init(&late.four, &world, &late.device);
	assert_int_equal(503, four_run(&late.four, world.name));
	assert_string_equal("busy", late.four.problem.code);
	assert_int_equal(0, sql_number(world.conninfo,
				    "SELECT count(*) FROM host WHERE name = 'web-8.example.test'"));
	httpc_get(&world.services[0].peer, "/readyz", &answer);
	assert_int_equal(503, answer.status);
	CTL(&status, "revocation");
	wants(&status, 0, "by admin-token (cACompromise): its passphrase was in a chat");
	wants(&status, 0, "    0 certificates still to be revoked");
	CTL(&doctor, "doctor");
	wants(&doctor, 1, "no device can have what it signs: the CA ");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_stolen_machine_is_cut_off_in_one_act),
		cmocka_unit_test(a_machine_that_is_reinstated_comes_like_a_new_one),
		cmocka_unit_test(a_machine_that_is_held_gets_everything_back),
		cmocka_unit_test(a_name_that_is_revoked_is_nobodys_until_it_is_reinstated),
		cmocka_unit_test(a_certificate_that_is_revoked_does_not_come_back),
		cmocka_unit_test(what_is_wrong_with_a_request_is_told),
		cmocka_unit_test(
			a_machine_that_enrolls_and_renews_all_the_time_is_cut_off_all_the_same),
		cmocka_unit_test(
			a_ca_that_is_revoked_signs_nothing_and_takes_all_that_it_signed_with_it),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
