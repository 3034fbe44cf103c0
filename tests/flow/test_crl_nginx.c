/* test_crl_nginx.c - a web server that knows nothing of Endorse but CA and CRLs refuses a revoked client. */
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "tests/flow/cluster.h"
#include "tests/flow/four.h"
#include "tests/flow/published.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char conf[] = "daemon off;\n"
			   "worker_processes 1;\n"
			   "pid %1$s/nginx.pid;\n"
			   "error_log stderr info;\n"
			   "events {}\n"
			   "http {\n"
			   "	access_log off;\n"
			   "	client_body_temp_path %1$s/body;\n"
			   "	proxy_temp_path %1$s/proxy;\n"
			   "	fastcgi_temp_path %1$s/fastcgi;\n"
			   "	uwsgi_temp_path %1$s/uwsgi;\n"
			   "	scgi_temp_path %1$s/scgi;\n"
			   "	server {\n"
			   "		listen 127.0.0.1:%2$d ssl;\n"
			   "		ssl_certificate %1$s/server.pem;\n"
			   "		ssl_certificate_key %1$s/server.pem;\n"
			   "		ssl_client_certificate %3$s/root.pem;\n"
			   "		ssl_crl %1$s/crls.pem;\n"
			   "		ssl_verify_client on;\n"
			   "		ssl_verify_depth 2;\n"
			   "		location / { return 200 \"welcome\\n\"; }\n"
			   "	}\n"
			   "}\n";

static struct world world;
static struct four_device device;
static struct four four;
static pid_t nginx;
static int port;
static char *log_file;

static struct view client(void)
{
	return four.x.answer->certificates[2].der;
}

static char *at(const char *name)
{
	return text("%s/%s", world.dir, name);
}

/* What a browser-like client shows: its certificate, that of its CA, and its key. */
static void write_client(void)
{
	AUTO(mem_free)
	char *leaf = at("leaf.pem"), *both = at("client.pem"), *key = at("client.key"),
	     *issuing = text("%s/issuing.pem", world.ca);
	AUTO(buf_free) struct buf pem = BUF(1 << 16);
	AUTO(bio_free) BIO *bio = BIO_new_file(key, "w");

	certificate_write(client(), leaf);
	must(file_read(leaf, &pem) == OK && file_read(issuing, &pem) == OK, "%s", why()->sentence);
	write_file(both, 0600, buf_view(&pem));
	must(bio != NULL && PEM_write_bio_PrivateKey(
				    bio, device.tls.pkey, NULL, NULL, 0, NULL, NULL) == 1,
		"no key");
}

/* nginx wants one of each CA of the chain. */
static void write_crls(void)
{
	AUTO(mem_free)
	char *shard = at("shard.pem"), *root = at("root-crl.pem"), *all = at("crls.pem"),
	     *path = crl_path_of(client());
	AUTO(buf_free) struct buf pem = BUF(1 << 20);

	crl_write(&world.services[0].peer, path, shard);
	must(file_read(root, &pem) == OK && file_read(shard, &pem) == OK, "%s", why()->sentence);
	write_file(all, 0644, buf_view(&pem));
}

static void start_nginx(void)
{
	AUTO(mem_free) char *path = at("nginx.conf"), *text_of = NULL;

	port = free_port();
	text_of = text(conf, world.dir, port, world.ca);
	write_file(path, 0644, view_str(text_of));
	nginx = process_start(&(struct program){
		.argv = (const char *const[]){"nginx", "-e", "stderr", "-c", path, NULL},
		.log = log_file});
	must(wait_until(httpc_listens, &port, 20000), "nobody listens: see %s", log_file);
}

static int make(void **state)
{
	AUTO(output_free) struct output made;
	AUTO(mem_free) char *server = NULL, *root_crl = NULL;

	(void)state;
	world_make(&(struct world_plan){.services = 1, .policy = four_policy}, &world);
	four_device_make(&world, "web-1.example.test", &device);
	four_init(&four, &world, &device);
	four.wants[2].template = "tls-client";
	four.x.wants_n = 3;
	must(four_run(&four, world.name) == 200, "%s", four.problem.detail);
	log_file = at("nginx.log");
	server = at("server.pem");
	root_crl = at("root-crl.pem");
	world_run(&world, &made, "endorsectl", "ca", "edge", "--dir", world.ca, "--name",
		"localhost", "--out", server, NULL);
	must(made.code == 0, "%s", buf_text(&made.err));
	output_free(&made);
	world_run(&world, &made, "endorsectl", "ca", "crl", "--dir", world.ca, "--out", root_crl,
		NULL);
	must(made.code == 0, "%s", buf_text(&made.err));
	write_client();
	write_crls();
	start_nginx();
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	process_stop(&nginx, SIGTERM);
	four_free(&four);
	four_device_free(&device);
	free(log_file);
	world_free(&world);
	return 0;
}

static bool is_welcome(void *arg)
{
	AUTO(mem_free)
	char *cert = at("client.pem"), *key = at("client.key"),
	     *root = text("%s/root.pem", world.ca), *url = text("https://localhost:%d/", port);
	AUTO(output_free) struct output output;

	(void)arg;
	process_run(&(struct program){.argv = (const char *const[]){"curl", "-sS", "--noproxy", "*",
					      "--cacert", root, "--cert", cert, "--key", key, url,
					      NULL}},
		&output);
	return strcmp(buf_text(&output.out), "welcome\n") == 0;
}

static bool is_refused(void *arg)
{
	return !is_welcome(arg);
}

static void a_client_that_is_not_revoked_is_welcome(void **state)
{
	(void)state;
	if (!is_welcome(NULL))
		fail_msg("see %s", log_file);
}

static void a_revoked_client_is_refused_as_soon_as_nginx_has_the_crl(void **state)
{
	(void)state;
	free(sql_text(world.conninfo,
		"UPDATE certificate SET revoked_at = now(), revocation_reason = 'keyCompromise'"
		" WHERE template = 'tls-client'"));
	crl_wait(&world.services[0].peer, client(), true);
	write_crls();
	kill(nginx, SIGHUP);
	assert_true(wait_until(is_refused, NULL, 10000));
	assert_true(wait_for_text(log_file, "certificate revoked", 5000));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_client_that_is_not_revoked_is_welcome),
		cmocka_unit_test(a_revoked_client_is_refused_as_soon_as_nginx_has_the_crl),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
