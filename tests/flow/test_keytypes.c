/* test_keytypes.c - each type of CA key at work: the edge's handshake, an enrollment, the chain. */
#include "ca/base/ossl.h"
#include "tests/flow/dialogue.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <openssl/pem.h>
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

static void write_certificate(const char *path, struct view der)
{
	AUTO(bio_free) BIO *bio = BIO_new_file(path, "w");
	const uint8_t *p = der.p;
	AUTO(x509_free) X509 *cert = d2i_X509(NULL, &p, (long)der.n);

	must(bio != NULL && cert != NULL && PEM_write_bio_X509(bio, cert) == 1, "%s", path);
}

static void a_device_enrolls_and_others_verify_what_it_gets(struct world *world)
{
	AUTO(mem_free) char *leaf = text("%s/leaf.pem", world->dir);
	AUTO(mem_free) char *issuing = text("%s/above.pem", world->dir);
	struct device device;
	struct dialogue x;

	device_open(&device, world->chips[0].tcti);
	dialogue_init(&x, &device, &world->front, world->name, "web-1.example.test");
	dialogue_keys(&x, KEY_RSA_2048, AK_P256);
	assert_int_equal(dialogue_run(&x), 200);
	assert_int_equal(x.answer->certificates_n, 1);
	write_certificate(leaf, x.answer->certificates[0].der);
	write_certificate(issuing, x.answer->intermediates[0]);
	ASSERT_TAKES(": OK", "openssl", "verify", "-x509_strict", "-CAfile", world->roots,
		"-untrusted", issuing, leaf);
	dialogue_free(&x);
	device_close(&device);
}

static void a_ca_of_this_type_serves_devices_and_their_tls_stacks(void **state)
{
	struct world world;

	world_make(&(struct world_plan){.chips = 1, .edge = true, .key_type = *state}, &world);
	assert_every_stack_takes_the_edge(&world);
	a_device_enrolls_and_others_verify_what_it_gets(&world);
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
