/* test_keytypes.c - each type of CA key at work: the edge's handshake, an enrollment, the chain. */
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void assert_takes(const char *const *argv, const char *wanted)
{
	AUTO(output_free) struct output output;

	process_run(&(struct program){.argv = argv}, &output);
	if (strstr(buf_text(&output.out), wanted) == NULL)
		fail_msg("%s: exit %d\n%s%s", argv[0], output.code, buf_text(&output.out),
			buf_text(&output.err));
}
#define ASSERT_TAKES(wanted, ...) assert_takes((const char *const[]){__VA_ARGS__, NULL}, (wanted))

/* By TLS 1.2 and 1.3, the TLS stacks that devices have. */
static void assert_every_stack_takes_the_edge(const struct world *world)
{
	AUTO(mem_free) char *port = text("%d", world->edge_port);
	AUTO(mem_free) char *at = text("localhost:%d", world->edge_port);
	AUTO(mem_free) char *url = text("%s/healthz", world->name);
	static const struct {
		const char *openssl, *gnutls, *least, *most;
	} versions[] = {{"-tls1_2", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "--tlsv1.2", "1.2"},
		{"-tls1_3", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "--tlsv1.3", "1.3"}};

	for (size_t i = 0; i < COUNT(versions); i++) {
		ASSERT_TAKES("Verify return code: 0 (ok)", "openssl", "s_client", "-connect", at,
			versions[i].openssl, "-x509_strict", "-verify_return_error",
			"-verify_hostname", "localhost", "-CAfile", world->roots);
		ASSERT_TAKES("The certificate is trusted.", "gnutls-cli", "--x509cafile",
			world->roots, "--priority", versions[i].gnutls, "--port", port,
			"localhost");
		ASSERT_TAKES("200", "curl", "--silent", "--output", "/dev/null", "--write-out",
			"%{http_code}", versions[i].least, "--tls-max", versions[i].most,
			"--noproxy", "*", "--cacert", world->roots, url);
	}
}

static void the_device_tool_enrolls_and_others_verify_what_it_keeps(struct world *world)
{
	AUTO(mem_free) char *dir = text("%s/state", world->dir);
	AUTO(mem_free) char *ak = text("%s/ak.pem", dir), *chain = text("%s/chain.pem", dir);
	AUTO(output_free) struct output output;

	world_run(world, &output, "endorse", "enroll", "--server", world->name, "--ca",
		world->roots, "--tcti", world->chips[0].tcti, "--host", "web-1.example.test",
		"--state", dir, "--timeout", "20", NULL);
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
	MUST_RUN("openssl", "verify", "-x509_strict", "-CAfile", world->roots, "-untrusted", chain,
		ak);
}

static void a_ca_of_this_type_serves_devices_and_their_tls_stacks(void **state)
{
	struct world world;

	world_make(&(struct world_plan){.chips = 1, .edge = true, .key_type = *state}, &world);
	assert_every_stack_takes_the_edge(&world);
	the_device_tool_enrolls_and_others_verify_what_it_keeps(&world);
	world_free(&world);
}

static int tests(void)
{
	static char *const types[] = {"p256", "p384", "rsa2048", "rsa3072", "ed25519"};
	struct CMUnitTest all[COUNT(types)] = {0};

	for (size_t i = 0; i < COUNT(types); i++)
		all[i] = (struct CMUnitTest){.name = types[i],
			.test_func = a_ca_of_this_type_serves_devices_and_their_tls_stacks,
			.initial_state = types[i]};
	return cmocka_run_group_tests(all, NULL, NULL);
}

int main(void)
{
	return supervise(tests);
}
