/* test_mtls.c - two enrolled hosts speak mTLS by programs that are not ours, and both keys stay in their TPMs. */
#include "tests/flow/broker.h"
#include "tests/flow/mtls.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER "web-1.example.test"
#define CLIENT "web-2.example.test"

#define PURPOSE "unsuitable certificate purpose"

static const char policy[] = "rules:\n"
			     "  - name: web\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    templates: [ak, ak-named, platform-property, tls-server,\n"
			     "                tls-client, tls-peer]\n";

static const char *const hosts[] = {SERVER, CLIENT};
static struct world world;
static struct broker broker;
static char *dirs[COUNT(hosts)], *other_roots;
/* Whose key is the AK's. */
static const char *const of_the_ak[] = {"ak-named", "platform-property"};

/* Both get everything: what is wrong with a certificate shall be its kind, and not its name. */
static void enroll(size_t device)
{
	AUTO(output_free) struct output output;

	dirs[device] = text("%s/host-%zu", world.dir, device);
	world_run(&world, &output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", broker.tctis[device], "--host", hosts[device], "--state", dirs[device],
		"--timeout", "20", "--template", "ak", "--template", "ak-named", "--template",
		"platform-property", "--template", "tls-server=tpm", "--template", "tls-client=tpm",
		"--template", device == 0 ? "tls-peer=tpm:rsa2048" : "tls-peer=tpm", NULL);
	must(output.code == 0, "%s", buf_text(&output.err));
	for (size_t i = 0; i < COUNT(of_the_ak); i++) {
		AUTO(mem_free) char *link = text("%s/%s.tss2.pem", dirs[device], of_the_ak[i]);

		must(symlink("ak.tss2.pem", link) == 0, "%s", link);
	}
}

/* All names are as those of ours; only the keys are others. */
static void make_other_ca(void)
{
	AUTO(mem_free) char *dir = text("%s/other-ca", world.dir);
	AUTO(output_free) struct output output;

	world_run(&world, &output, "endorsectl", "ca", "init", "--dir", dir, "--organization",
		"Example", NULL);
	must(output.code == 0, "%s", buf_text(&output.err));
	other_roots = text("%s/root.pem", dir);
}

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 2, .services = 1, .edge = true, .policy = policy},
		&world);
	broker_start(world.dir, world.chips, COUNT(hosts), &broker);
	for (size_t i = 0; i < COUNT(hosts); i++)
		enroll(i);
	make_other_ca();
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++)
		free(dirs[i]);
	free(other_roots);
	broker_stop(&broker);
	world_free(&world);
	return 0;
}

/* With nothing wrong: a host that is a server, and one that is its client. */
static struct mtls honest(bool is_nginx, bool is_curl)
{
	return (struct mtls){
		.dir = world.dir,
		.is_nginx = is_nginx,
		.is_curl = is_curl,
		.server = {.tcti = broker.tctis[0],
			.state = dirs[0],
			.template = "tls-server",
			.roots = world.roots,
			.peer = is_nginx ? NULL : CLIENT},
		.client = {.tcti = broker.tctis[1],
			.state = dirs[1],
			.template = "tls-client",
			.roots = world.roots,
			.peer = SERVER},
	};
}

static void assert_served(const struct mtls *mtls, const char *words)
{
	AUTO(mtls_outcome_free) struct mtls_outcome outcome;

	mtls_meet(mtls, &outcome);
	if (!outcome.is_served || strstr(buf_text(&outcome.client.out), words) == NULL)
		fail_msg("%s%s\n%s", buf_text(&outcome.client.out), buf_text(&outcome.client.err),
			outcome.server);
}

/* The client, or the server, says why. */
static void assert_refused(const struct mtls *mtls, bool by_client, const char *words)
{
	AUTO(mtls_outcome_free) struct mtls_outcome outcome;
	const char *said;

	mtls_meet(mtls, &outcome);
	said = by_client ? buf_text(&outcome.client.err) : outcome.server;
	if (outcome.is_served || strstr(said, words) == NULL)
		fail_msg("no \"%s\" in:\n%s%s\n%s", words, buf_text(&outcome.client.out),
			buf_text(&outcome.client.err), outcome.server);
}

/* As nginx writes it. */
static char *subject(size_t device, const char *template)
{
	AUTO(mem_free) char *path = text("%s/%s.pem", dirs[device], template);
	AUTO(mem_free)
	char *line = tpmtool_must(broker.tctis[device], "/", "openssl", "x509", "-in", path,
		"-noout", "-subject", "-nameopt", "RFC2253", NULL);
	AUTO(mem_free) char *name = line_value(line, "subject=");

	return text("from %s\n", name);
}

static void hosts_with_keys_in_their_tpms_serve_each_other(void **state)
{
	AUTO(mem_free) char *client = subject(1, "tls-client"), *peer = subject(1, "tls-peer");

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct mtls mtls = honest((i & 1) != 0, (i & 2) != 0);

		assert_served(&mtls, mtls.is_nginx ? client : "");
		mtls.server.template = mtls.client.template = "tls-peer";
		assert_served(&mtls, mtls.is_nginx ? peer : "");
	}
	for (size_t i = 0; i < COUNT(hosts); i++)
		assert_nothing_left(broker.tctis[i]);
}

/* The same machines the other way round: nothing is true only of the first TPM. */
static void who_was_the_client_can_be_the_server(void **state)
{
	struct mtls mtls = honest(true, true);

	(void)state;
	mtls.server.tcti = broker.tctis[1];
	mtls.server.state = dirs[1];
	mtls.client.tcti = broker.tctis[0];
	mtls.client.state = dirs[0];
	mtls.client.peer = CLIENT;
	assert_served(&mtls, "from serialNumber=");
}

/* Each by both clients, at nginx. */
static void assert_client_refuses(struct mtls *mtls, const char *s_client, const char *curl)
{
	mtls->is_curl = false;
	assert_refused(mtls, true, s_client);
	mtls->is_curl = true;
	assert_refused(mtls, true, curl);
}

static void clients_refuse_a_server_of_another_name(void **state)
{
	struct mtls mtls = honest(true, true);

	(void)state;
	mtls.client.peer = "web-3.example.test";
	assert_client_refuses(
		&mtls, "hostname mismatch", "no alternative certificate subject name matches");
}

static void clients_refuse_a_server_of_another_ca(void **state)
{
	struct mtls mtls = honest(true, true);

	(void)state;
	mtls.client.roots = other_roots;
	assert_client_refuses(&mtls, "unable to get local issuer", "unable to get local issuer");
}

static void clients_refuse_a_server_whose_certificate_is_over(void **state)
{
	struct mtls mtls = honest(true, true);

	(void)state;
	mtls.client.ahead = "+29d";
	assert_served(&mtls, "");
	mtls.client.ahead = "+31d";
	assert_client_refuses(&mtls, "certificate has expired", "certificate has expired");
}

static const char *const not_for_servers[] = {"tls-client", "platform-property", "ak-named"};
static const char *const not_for_clients[] = {"tls-server", "platform-property", "ak-named"};

/* An AK could sign a handshake: only its certificates' purpose is in the way. */
static void clients_refuse_a_certificate_that_is_no_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(not_for_servers); i++) {
		struct mtls mtls = honest(true, false);

		mtls.server.template = not_for_servers[i];
		assert_client_refuses(&mtls, PURPOSE, PURPOSE);
		mtls.is_curl = false;
		mtls.client.any_purpose = true;
		assert_served(&mtls, "");
	}
}

/* Each at both servers, by curl. */
static void assert_servers_refuse(struct mtls *mtls, const char *words)
{
	mtls->is_nginx = true;
	mtls->server.peer = NULL;
	assert_refused(mtls, false, words);
	mtls->is_nginx = false;
	mtls->server.peer = CLIENT;
	assert_refused(mtls, false, words);
}

static void servers_refuse_a_client_without_certificate(void **state)
{
	struct mtls mtls = honest(true, true);

	(void)state;
	mtls.client.template = NULL;
	assert_refused(&mtls, false, "client sent no required SSL certificate");
	mtls = honest(false, true);
	mtls.client.template = NULL;
	assert_refused(&mtls, false, "peer did not return a certificate");
}

/* nginx looks at no name; who serves whom is then a matter of its configuration. */
static void servers_refuse_a_client_of_another_name(void **state)
{
	struct mtls mtls = honest(false, true);

	(void)state;
	mtls.server.peer = "web-3.example.test";
	assert_refused(&mtls, false, "hostname mismatch");
}

static void servers_refuse_a_client_of_another_ca(void **state)
{
	struct mtls mtls = honest(true, true);

	(void)state;
	mtls.server.roots = other_roots;
	assert_servers_refuse(&mtls, "unable to get local issuer");
}

static void servers_refuse_a_client_whose_certificate_is_over(void **state)
{
	struct mtls mtls = honest(true, true);

	(void)state;
	mtls.server.ahead = "+29d";
	assert_served(&mtls, "");
	mtls.server.ahead = "+31d";
	assert_servers_refuse(&mtls, "certificate has expired");
}

static void servers_refuse_a_certificate_that_is_no_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(not_for_clients); i++) {
		struct mtls mtls = honest(true, true);

		mtls.client.template = not_for_clients[i];
		assert_servers_refuse(&mtls, PURPOSE);
		mtls.server.any_purpose = true;
		assert_served(&mtls, "");
	}
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_with_keys_in_their_tpms_serve_each_other),
		cmocka_unit_test(who_was_the_client_can_be_the_server),
		cmocka_unit_test(clients_refuse_a_server_of_another_name),
		cmocka_unit_test(clients_refuse_a_server_of_another_ca),
		cmocka_unit_test(clients_refuse_a_server_whose_certificate_is_over),
		cmocka_unit_test(clients_refuse_a_certificate_that_is_no_servers),
		cmocka_unit_test(servers_refuse_a_client_without_certificate),
		cmocka_unit_test(servers_refuse_a_client_of_another_name),
		cmocka_unit_test(servers_refuse_a_client_of_another_ca),
		cmocka_unit_test(servers_refuse_a_client_whose_certificate_is_over),
		cmocka_unit_test(servers_refuse_a_certificate_that_is_no_clients),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}

int main(void)
{
	return supervise(run_all);
}
