/* test_relying.c - who relies on a certificate knows nothing but what is in it, and asks there by plain HTTP. */
#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/four.h"
#include "tests/flow/inquiry.h"
#include "tests/flow/published.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static struct four_device device;
static struct four given; /* ak, platform-property, tls-client, ssh-host */
static char *leaf, *issuing, *root, *base;

static char *in(const char *name)
{
	return text("%s/%s", world.dir, name);
}

static int make(void **state)
{
	(void)state;
	world_make(
		&(struct world_plan){
			.services = 1, .edge = true, .all_fronts = true, .policy = four_policy},
		&world);
	base = text("http://localhost:%d", world.plain.port);
	leaf = in("leaf.pem");
	issuing = text("%s/issuing.pem", world.ca);
	root = text("%s/root.pem", world.ca);
	four_device_make(&world, "web-1.example.test", &device);
	four_init(&given, &world, &device);
	given.wants[2].template = "tls-client";
	must(four_run(&given, world.name) == 200, "%s", given.problem.detail);
	certificate_write(given.x.answer->certificates[2].der, leaf);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	four_free(&given);
	four_device_free(&device);
	world_free(&world);
	free(leaf);
	free(issuing);
	free(root);
	free(base);
	return 0;
}

/* What the certificate says is below `base`; for free(). */
static char *url_in(const char *option)
{
	AUTO(output_free) struct output output = {0};

	process_run(&(struct program){.argv = (const char *const[]){"openssl", "x509", "-noout",
					      option, "-in", leaf, NULL}},
		&output);
	assert_int_equal(0, output.code);
	assert_int_equal(0, strncmp(buf_text(&output.out), base, strlen(base)));
	return strndup(buf_text(&output.out), strcspn(buf_text(&output.out), "\n"));
}

/* openssl fetches the CRL itself, from where the certificate says. */
static bool openssl_takes(const char *words)
{
	AUTO(output_free) struct output output = {0};

	process_run(
		&(struct program){.argv = (const char *const[]){"openssl", "verify", "-x509_strict",
					  "-crl_check", "-crl_download", "-purpose", "sslclient",
					  "-CAfile", root, "-untrusted", issuing, leaf, NULL}},
		&output);
	if (words != NULL && strstr(buf_text(&output.err), words) == NULL)
		fail_msg("openssl verify: %s", buf_text(&output.err));
	return output.code == 0;
}

static bool openssl_hears(void *words)
{
	AUTO(mem_free) char *url = url_in("-ocsp_uri"), *line = text("%s: ", leaf);
	AUTO(output_free) struct output output = {0};

	process_run(&(struct program){.argv = (const char *const[]){"openssl", "ocsp", "-url", url,
					      "-issuer", issuing, "-cert", leaf, "-CAfile", root,
					      "-verify_other", issuing, NULL}},
		&output);
	/* Also the nonce came through. */
	assert_string_equal("Response verify OK\n", buf_text(&output.err));
	return has_line(&output, line, words);
}

/* Without a URL it asks where the certificate says. */
static bool gnutls_hears(const char *words)
{
	AUTO(output_free) struct output output = {0};

	process_run(&(struct program){.argv = (const char *const[]){"ocsptool", "--ask", "--nonce",
					      "--load-cert", leaf, "--load-issuer", issuing,
					      "--load-trust", issuing, NULL}},
		&output);
	return strstr(buf_text(&output.out), words) != NULL &&
	       strstr(buf_text(&output.out), "Verifying OCSP Response: Success") != NULL;
}

static bool openssl_refuses(void *arg)
{
	(void)arg;
	return !openssl_takes(NULL);
}

static void ctl(const char *first, const char *second, const char *more)
{
	AUTO(mem_free)
	char *url = text("http://127.0.0.1:%d", world.services[0].admin_port),
	     *token = in("admin.token");
	AUTO(output_free) struct output output = {0};

	world_run(&world, &output, "endorsectl", first, second, "web-1.example.test", "--why",
		"test", "--wait", "--admin", url, "--token-file", token, more, NULL);
	if (output.code != 0 || strstr(buf_text(&output.err), "published: ") == NULL)
		fail_msg("%s%s", buf_text(&output.out), buf_text(&output.err));
}

/* Who has waited as endorsectl does need not wait again. */
static void a_device_on_hold_is_refused_by_all_and_taken_when_it_is_released(void **state)
{
	(void)state;
	assert_true(openssl_takes(NULL));
	assert_true(openssl_hears("good"));
	assert_true(gnutls_hears("good"));
	ctl("hold", "device", NULL);
	assert_false(openssl_takes("certificate revoked"));
	assert_true(wait_until(openssl_hears, "revoked", PROMISED_MS));
	assert_true(gnutls_hears("revoked"));
	ctl("unhold", "device", NULL);
	assert_true(openssl_takes(NULL));
	assert_true(wait_until(openssl_hears, "good", PROMISED_MS));
	assert_true(gnutls_hears("good"));
}

static void the_issuer_is_where_the_certificate_says(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(buf_free) struct buf der = BUF(1 << 14);
	AUTO(mem_free) char *converted = in("issuing.der"), *type = NULL;
	AUTO(output_free) struct output shown = {0};
	const char *at;

	(void)state;
	process_run(&(struct program){.argv = (const char *const[]){"openssl", "x509", "-noout",
					      "-ext", "authorityInfoAccess", "-in", leaf, NULL}},
		&shown);
	at = strstr(buf_text(&shown.out), "CA Issuers - URI:");
	assert_non_null(at);
	at += strlen("CA Issuers - URI:");
	assert_int_equal(0, strncmp(at, base, strlen(base)));
	AUTO(mem_free)
	char *where = strndup(at + strlen(base), strcspn(at + strlen(base), "\n"));
	httpc_get(&world.plain, where, &answer);
	assert_int_equal(200, answer.status);
	type = httpc_header(&answer, "Content-Type");
	assert_string_equal("application/pkix-cert", type);
	MUST_RUN("openssl", "x509", "-in", issuing, "-outform", "DER", "-out", converted);
	assert_int_equal(OK, file_read(converted, &der));
	assert_int_equal(der.n, answer.body.n);
	assert_memory_equal(der.p, answer.body.p, der.n);
}

/* The last one of the device, for there is no way back. */
static void a_stolen_machine_is_refused_by_openssh_too(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0}, signature = {0};
	AUTO(mem_free) char *krl = in("krl"), *ssh = in("host-cert.pub");
	AUTO(output_free) struct output before = {0}, after = {0};
	AUTO(buf_free) struct buf line = BUF(1 << 14);
	const char *const query[] = {"ssh-keygen", "-Q", "-f", krl, ssh, NULL};

	(void)state;
	buf_str(&line, "ssh-ed25519-cert-v01@openssh.com ");
	base64_add(&line, given.x.answer->certificates[3].der);
	write_file(ssh, 0644, buf_view(&line));
	httpc_get(&world.plain, "/krl", &answer);
	assert_int_equal(200, answer.status);
	write_file(krl, 0644, buf_view(&answer.body));
	process_run(&(struct program){.argv = query}, &before);
	assert_int_equal(0, before.code);
	ctl("revoke", "device", "--reason=keyCompromise");
	httpc_answer_free(&answer);
	httpc_get(&world.plain, "/krl", &answer);
	write_file(krl, 0644, buf_view(&answer.body));
	process_run(&(struct program){.argv = query}, &after);
	assert_int_equal(1, after.code);
	assert_non_null(strstr(buf_text(&after.out), "REVOKED"));
	httpc_get(&world.plain, "/krl.sig", &signature);
	assert_int_equal(200, signature.status);
	assert_true(wait_until(openssl_refuses, NULL, PROMISED_MS));
	assert_true(wait_until(openssl_hears, "revoked", PROMISED_MS));
}

/* The same door is for nothing else. */
static void what_devices_and_admins_ask_is_not_for_plain_http(void **state)
{
	static const char *const paths[] = {"/healthz", "/readyz", "/metrics", "/v1/ticket",
		"/v1/admin/devices", "/crl/../v1/admin/devices", "/ca/"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};

		httpc_get(&world.plain, paths[i], &answer);
		if (answer.status != 403)
			fail_msg("%s: %d", paths[i], answer.status);
	}
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_issuer_is_where_the_certificate_says),
		cmocka_unit_test(a_device_on_hold_is_refused_by_all_and_taken_when_it_is_released),
		cmocka_unit_test(what_devices_and_admins_ask_is_not_for_plain_http),
		cmocka_unit_test(a_stolen_machine_is_refused_by_openssh_too),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
