#include "tests/flow/tunnel.h"

#include "ca/authority.h"
#include "ca/base/cert.h"
#include "ca/issue.h"
#include "ca/key.h"

#include <cmocka.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ARGUMENTS 32

static X509 *read_pem(const char *path)
{
	STACK_OF(X509) *read = NULL;
	X509 *first;

	must(certs_read(path, "pem-file", &read) == OK, "%s", why()->sentence);
	first = sk_X509_shift(read);
	x509_stack_free(&read);
	return first;
}

static void load_templates(struct templates **out)
{
	AUTO(mem_free) char *dir = world_source("templates");
	struct problems problems;

	problems_init(&problems);
	must(templates_load(dir, &problems, out) == OK, "%s", why()->sentence);
	problems_free(&problems);
}

/* By the world's CA and the shipped template. */
static void certify_property(const struct tunnel *tunnel)
{
	AUTO(mem_free) char *ca = text("%s/issuing.pem", tunnel->world->ca);
	AUTO(mem_free) char *ca_key = text("%s/issuing.key", tunnel->world->ca);
	AUTO(mem_free) char *secret = text("%s/issuing.passphrase", tunnel->world->ca);
	AUTO(mem_free) char *ak = text("%s/ak.pem", tunnel->state);
	AUTO(mem_free) char *path = text("%s/platform-property.pem", tunnel->state);
	AUTO(templates_free) struct templates *templates = NULL;
	AUTO(authority_free) struct authority *authority = NULL;
	AUTO(buf_free) struct buf bits = BUF(1024), pem = BUF(1 << 14);
	AUTO(x509_free) X509 *leaf = read_pem(ak);
	AUTO(x509_free) X509 *made = NULL;
	AUTO(issued_free) struct issued issued = {0};
	struct grant grant = {.template = "platform-property",
		.host = tunnel->name,
		.organization = "Example",
		.trust_class = "manufacturer",
		.device_id = "00112233445566778899aabbccddeeff"};

	load_templates(&templates);
	must(authority_load(ca, ca_key, secret, &authority) == OK &&
			key_public(X509_get0_pubkey(leaf), &bits, &grant.key) == OK &&
			certificate_issue(authority, template_named(templates, grant.template),
				&grant, time(NULL), &issued) == OK,
		"%s", why()->sentence);
	made = cert_from_der(buf_view(&issued.der));
	must(made != NULL && cert_pem_add(made, &pem) == OK, "no certificate");
	write_file(path, 0644, buf_view(&pem));
}

char *tunnel_endpoint(
	const struct tunnel *tunnel, const char *file, const char *key, const char *name)
{
	AUTO(mem_free) char *names = text("subjectAltName=DNS:%s", name);
	char *path = text("%s/%s", tunnel->state, file);

	MUST_RUN("openssl", "req", "-x509", "-key", key, "-subj", "/CN=endpoint", "-days", "1",
		"-addext", names, "-out", path);
	return path;
}

void tunnel_make(struct world *world, struct chip *chip, const char *name, const char *hierarchy,
	struct tunnel *out)
{
	AUTO(output_free) struct output output;

	*out = (struct tunnel){.world = world,
		.chip = chip,
		.name = strdup(name),
		.state = text("%s/%s", world->dir, name)};
	world_run(world, &output, "endorse", "enroll", "--server", world->name, "--ca",
		world->roots, "--tcti", chip->tcti, "--host", name, "--state", out->state,
		"--hierarchy", hierarchy, "--timeout", "20", NULL);
	must(output.code == 0, "enroll: %s", buf_text(&output.err));
	certify_property(out);
	out->key = text("%s/endpoint.key", out->state);
	MUST_RUN("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-out", out->key);
	out->certificate = tunnel_endpoint(out, "endpoint.pem", out->key, name);
}

void tunnel_free(struct tunnel *tunnel)
{
	free(tunnel->name);
	free(tunnel->state);
	free(tunnel->key);
	free(tunnel->certificate);
}

static void run(
	const struct tunnel *tunnel, struct output *output, const char *const *first, va_list ap)
{
	AUTO(mem_free) char *program = text("%s/endorse", ENDORSE_BIN_DIR);
	const char *argv[ARGUMENTS] = {program};
	size_t n = 1;

	for (; *first != NULL; first++)
		argv[n++] = *first;
	argv[n++] = "--state";
	argv[n++] = tunnel->state;
	argv[n++] = "--tcti";
	argv[n++] = tunnel->chip->tcti;
	while (n < ARGUMENTS - 1 && (argv[n] = va_arg(ap, const char *)) != NULL)
		n++;
	argv[n] = NULL;
	process_run(&(struct program){.argv = argv}, output);
}

void tunnel_measure(const struct tunnel *tunnel, struct output *output, ...)
{
	const char *const first[] = {"measure-endpoint", NULL};
	va_list ap;

	va_start(ap, output);
	run(tunnel, output, first, ap);
	va_end(ap);
}

void tunnel_quote(
	const struct tunnel *tunnel, struct output *output, const char *nonce, const char *out, ...)
{
	const char *const first[] = {"quote", "--nonce", nonce, "--out", out, NULL};
	va_list ap;

	va_start(ap, out);
	run(tunnel, output, first, ap);
	va_end(ap);
}

void tunnel_measures(const struct tunnel *tunnel, const char *certificate, const char *option)
{
	AUTO(output_free) struct output output;

	tunnel_measure(tunnel, &output, "--certificate", certificate, option, NULL);
	if (output.code != 0)
		fail_msg("measure-endpoint: %d: %s", output.code, buf_text(&output.err));
}

void tunnel_quotes(const struct tunnel *tunnel, const char *nonce, const char *out)
{
	AUTO(output_free) struct output output;

	tunnel_quote(tunnel, &output, nonce, out, NULL);
	if (output.code != 0)
		fail_msg("quote: %d: %s", output.code, buf_text(&output.err));
}

char *link_broken(struct world *world, const char *endpoint, const char *name, const char *evidence,
	const char *nonce)
{
	AUTO(output_free) struct output output;
	const char *said;

	world_run(world, &output, "endorse", "link-check", "--endpoint", endpoint, "--name", name,
		"--evidence", evidence, "--ca", world->roots, "--nonce", nonce, "--json", NULL);
	said = strstr(buf_text(&output.out), "\"broken\": \"");
	if (output.code == 0) {
		assert_non_null(strstr(buf_text(&output.out), "\"linked\": true"));
		return strdup("");
	}
	if (output.code != 9 || said == NULL)
		fail_msg("link-check: %d: %s%s", output.code, buf_text(&output.out),
			buf_text(&output.err));
	assert_non_null(strstr(buf_text(&output.out), "\"linked\": false"));
	said += strlen("\"broken\": \"");
	return strndup(said, strcspn(said, "\""));
}

char *new_nonce(struct world *world)
{
	AUTO(output_free) struct output output;

	world_run(world, &output, "endorse", "link-check", "--new-nonce", NULL);
	assert_int_equal(0, output.code);
	assert_int_equal(65, output.out.n);
	return strndup(buf_text(&output.out), 64);
}
