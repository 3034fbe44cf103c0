#include "tests/flow/tunnel.h"

#include <cmocka.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS 32

const char tunnel_policy[] = "rules:\n"
			     "  - name: tunnels\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ak, platform-property]\n"
			     "    names_per_device: 100\n";

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
		"--hierarchy", hierarchy, "--timeout", "20", "--template", "ak", "--template",
		"platform-property", NULL);
	must(output.code == 0, "enroll: %s", buf_text(&output.err));
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
	return link_broken_in(world, endpoint, name, evidence, nonce, "13");
}

char *link_broken_in(struct world *world, const char *endpoint, const char *name,
	const char *evidence, const char *nonce, const char *pcr)
{
	AUTO(output_free) struct output output;
	const char *said;

	world_run(world, &output, "endorse", "link-check", "--endpoint", endpoint, "--name", name,
		"--evidence", evidence, "--ca", world->roots, "--nonce", nonce, "--pcr", pcr,
		"--json", NULL);
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
