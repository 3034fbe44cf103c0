#include "tests/flow/mtls.h"

#include "ca/base/file.h"

#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS 32

/* A command line and its environment, and what of them has to be freed. */
struct line {
	const char *argv[WORDS], *env[8];
	char *made[WORDS];
	size_t argv_n, env_n, made_n;
};

static const char *keep(struct line *line, char *made)
{
	must(line->made_n < WORDS, "too many words");
	line->made[line->made_n++] = made;
	return made;
}

static void say(struct line *line, const char *option, const char *value)
{
	must(line->argv_n + 3 < WORDS, "too many words");
	line->argv[line->argv_n++] = option;
	if (value != NULL)
		line->argv[line->argv_n++] = value;
}

static void line_free(struct line *line)
{
	while (line->made_n > 0)
		free(line->made[--line->made_n]);
}

/*
 * For programs that know nothing of providers, as endorse(1) has it. Of what the TPM can do, hashes and random numbers are not
 * taken from it: curl asks for those before the TPM is there, and both take places that the keys need.
 */
static const char openssl_conf[] = "openssl_conf = init\n"
				   "[init]\n"
				   "providers = providers\n"
				   "alg_section = algorithms\n"
				   "random = random\n"
				   "[providers]\n"
				   "default = on\n"
				   "tpm2 = on\n"
				   "[on]\n"
				   "activate = 1\n"
				   "[algorithms]\n"
				   "default_properties = ?provider=tpm2,tpm2.digest!=yes\n"
				   "[random]\n"
				   "random = CTR-DRBG\n"
				   "properties = provider=default\n";

/* tpm2-openssl of Debian 12 does not get as far as a cipher for TLS 1.2 with keys on elliptic curves. */
static const char nginx_conf[] =
	"daemon off;\n"
	"worker_processes 1;\n"
	"pid %s/nginx.pid;\n"
	"error_log stderr info;\n"
	"events {}\n"
	"http {\n"
	"	access_log off;\n"
	"	client_body_temp_path %s/body;\n"
	"	proxy_temp_path %s/proxy;\n"
	"	fastcgi_temp_path %s/fastcgi;\n"
	"	uwsgi_temp_path %s/uwsgi;\n"
	"	scgi_temp_path %s/scgi;\n"
	"	server {\n"
	"		listen 127.0.0.1:%d ssl;\n"
	"		ssl_protocols TLSv1.3;\n"
	"		ssl_certificate %s/%s.fullchain.pem;\n"
	"		ssl_certificate_key %s/%s.tss2.pem;\n"
	"		ssl_client_certificate %s;\n"
	"		ssl_verify_client on;\n"
	"		ssl_verify_depth 2;\n"
	"		location / { return 200 \"from $ssl_client_s_dn\\n\"; }\n"
	"	}\n"
	"}\n";

static const char *libfaketime(struct line *line)
{
	glob_t found;
	const char *path;

	must(glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, NULL, &found) == 0,
		"the package libfaketime is not installed");
	path = keep(line, text("LD_PRELOAD=%s", found.gl_pathv[0]));
	globfree(&found);
	return path;
}

static void surround(struct line *line, const struct mtls *mtls, const struct mtls_side *side)
{
	char *path = text("%s/openssl.cnf", mtls->dir);

	write_file(path, 0644, view_str(openssl_conf));
	line->env[line->env_n++] = keep(line, text("OPENSSL_CONF=%s", path));
	line->env[line->env_n++] = keep(line, text("TPM2OPENSSL_TCTI=%s", side->tcti));
	free(path);
	if (side->ahead == NULL)
		return;
	line->env[line->env_n++] = libfaketime(line);
	line->env[line->env_n++] = keep(line, text("FAKETIME=%s", side->ahead));
	line->env[line->env_n++] = "FAKETIME_DONT_FAKE_MONOTONIC=1";
}

static const char *of(struct line *line, const struct mtls_side *side, const char *ending)
{
	return keep(line, text("%s/%s%s", side->state, side->template, ending));
}

/* What s_server and s_client have in common. */
static void openssl_side(struct line *line, const struct mtls_side *side)
{
	say(line, "-verify_return_error", NULL);
	say(line, "-CAfile", side->roots);
	if (side->template != NULL) {
		say(line, "-cert", of(line, side, ".pem"));
		say(line, "-key", of(line, side, ".tss2.pem"));
		say(line, "-cert_chain", keep(line, text("%s/chain.pem", side->state)));
	}
	if (side->peer != NULL)
		say(line, "-verify_hostname", side->peer);
	if (side->any_purpose)
		say(line, "-purpose", "any");
}

static void s_server_line(struct line *line, const struct mtls *mtls, int port)
{
	say(line, "openssl", "s_server");
	say(line, "-accept", keep(line, text("127.0.0.1:%d", port)));
	say(line, "-Verify", "2");
	openssl_side(line, &mtls->server);
	say(line, "-www", NULL);
}

static void nginx_line(struct line *line, const struct mtls *mtls, int port)
{
	const struct mtls_side *side = &mtls->server;
	const char *dir = mtls->dir, *path = keep(line, text("%s/nginx.conf", dir));
	char *conf = text(nginx_conf, dir, dir, dir, dir, dir, dir, port, side->state,
		side->template, side->state, side->template, side->roots);

	must(!side->any_purpose && side->peer == NULL, "nginx cannot do that");
	write_file(path, 0644, view_str(conf));
	free(conf);
	say(line, "nginx", NULL);
	say(line, "-e", "stderr");
	say(line, "-c", path);
}

struct listening {
	const char *log, *sign; /* what it says when the port is its own */
	int port;
	pid_t pid;
};

/* nginx tries a port that is taken again for a while, and meanwhile somebody else answers there. */
static bool is_over(void *arg)
{
	const struct listening *listening = arg;

	return !process_is_alive(listening->pid) ||
	       wait_for_text(listening->log, listening->sign, 1);
}

/* It ends when its port was taken. */
static void serve(const struct mtls *mtls, const char *log, struct listening *listening)
{
	for (int tries = 0; tries < 4; tries++) {
		AUTO(line_free) struct line line = {.argv_n = 0};

		unlink(log);
		listening->log = log;
		listening->sign = mtls->is_nginx ? "start worker process " : "ACCEPT";
		listening->port = free_port();
		(mtls->is_nginx ? nginx_line : s_server_line)(&line, mtls, listening->port);
		surround(&line, mtls, &mtls->server);
		listening->pid = process_start(
			&(struct program){.argv = line.argv, .env = line.env, .log = log});
		must(wait_until(is_over, listening, 20000), "nobody listens: see %s", log);
		if (process_is_alive(listening->pid))
			return;
		process_stop(&listening->pid, SIGKILL);
	}
	must(false, "the server ends: see %s", log);
}

static void s_client_line(struct line *line, const struct mtls *mtls, int port)
{
	say(line, "openssl", "s_client");
	say(line, "-connect", keep(line, text("127.0.0.1:%d", port)));
	say(line, "-servername", mtls->client.peer);
	openssl_side(line, &mtls->client);
	say(line, "-quiet", NULL);
	say(line, "-ign_eof", NULL);
}

static void curl_line(struct line *line, const struct mtls *mtls, int port)
{
	const struct mtls_side *side = &mtls->client;

	must(!side->any_purpose, "curl cannot do that");
	say(line, "curl", "-sSi");
	say(line, "--noproxy", "*");
	say(line, "--cacert", side->roots);
	if (side->template != NULL) {
		say(line, "--cert", of(line, side, ".fullchain.pem"));
		say(line, "--key", of(line, side, ".tss2.pem"));
	}
	say(line, "--resolve", keep(line, text("%s:%d:127.0.0.1", side->peer, port)));
	say(line, keep(line, text("https://%s:%d/", side->peer, port)), NULL);
}

void mtls_meet(const struct mtls *mtls, struct mtls_outcome *outcome)
{
	AUTO(line_free) struct line line = {.argv_n = 0};
	AUTO(mem_free) char *log = text("%s/server.log", mtls->dir);
	AUTO(buf_free) struct buf logged = BUF(1 << 20);
	struct listening server;

	serve(mtls, log, &server);
	(mtls->is_curl ? curl_line : s_client_line)(&line, mtls, server.port);
	surround(&line, mtls, &mtls->client);
	process_run(
		&(struct program){
			.argv = line.argv, .env = line.env, .input = "GET / HTTP/1.0\r\n\r\n"},
		&outcome->client);
	process_stop(&server.pid, SIGTERM);
	must(file_read(log, &logged) == OK, "%s", why()->sentence);
	outcome->server = strdup(buf_text(&logged));
	outcome->is_served = strncmp(buf_text(&outcome->client.out), "HTTP/1.", 7) == 0 &&
			     strncmp(buf_text(&outcome->client.out) + 8, " 200 ", 5) == 0;
}

void mtls_outcome_free(struct mtls_outcome *outcome)
{
	output_free(&outcome->client);
	mem_free(&outcome->server);
}
