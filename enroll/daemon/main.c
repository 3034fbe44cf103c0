/* main.c - endorsed: reads its configuration, wires the parts, serves until it is told to stop. */

#include "ca/base/encode.h"
#include "ca/base/log.h"
#include "enroll/daemon/parts.h"
#include "enroll/daemon/watch.h"
#include "enroll/http/listener.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXIT_USAGE 2
#define EXIT_CONFIG 78 /* sysexits(3), EX_CONFIG: starting again will not help */

static const char usage[] =
	"usage: endorsed [--config FILE] [--check]\n"
	"\n"
	"The Endorse service: attests TPMs and issues certificates for their keys. It answers "
	"plain\n"
	"HTTP on loopback, behind a TLS edge, and logs to standard error.\n"
	"\n"
	"  --config FILE  the configuration (default: /etc/endorse/endorsed.yaml)\n"
	"  --check        print everything that is wrong with the configuration and what it names\n"
	"  --version      print the version\n"
	"\n"
	"Exit status: 0 stopped or nothing wrong; 1 a failure while running; 2 wrong usage;\n"
	"78 something is wrong with the configuration.\n";

static void log_version(const struct parts *parts, const struct config *config)
{
	char trust[2 * SHA256_SIZE + 1], policy[2 * SHA256_SIZE + 1];

	hex_write((struct view){trust_version(parts->trust), SHA256_SIZE}, trust);
	hex_write((struct view){policy_version(parts->policy), SHA256_SIZE}, policy);
	LOG(NOTICE, "service.started", "version", ENDORSE_VERSION, "service", config->service,
		"listen", config->listen, "admin", config->admin_listen, "trust", trust, "policy",
		policy);
}

static void wait_for_end(const sigset_t *signals)
{
	while (sigwaitinfo(signals, NULL) < 0 && errno == EINTR)
		;
}

static void drain(struct listener *listener, const char *name, unsigned seconds)
{
	char left[16];

	snprintf(left, sizeof(left), "%u", listener_drain(listener, seconds));
	LOG(NOTICE, "listener.drained", "listener", name, "unanswered", left);
}

static enum err serve(
	const struct parts *parts, const struct config *config, const sigset_t *signals)
{
	AUTO(watch_stop) struct watch *watch = NULL;
	AUTO(listener_stop) struct listener *devices = NULL, *admins = NULL;
	struct listener_options options = {.address = config->listen,
		.threads = (unsigned)config->threads,
		.routes = device_routes,
		.service = &parts->service};

	memcpy(options.secret, parts->edge_secret, sizeof(options.secret));
	TRY(listener_start(&options, &devices));
	options.address = config->admin_listen;
	options.routes = admin_routes;
	options.threads = 4;
	memcpy(options.secret, parts->admin_token, sizeof(options.secret));
	TRY(listener_start(&options, &admins));
	log_version(parts, config);
	TRY(watch_start(&parts->service, &watch));
	wait_for_end(signals);
	LOG(NOTICE, "service.stopping", "service", config->service);
	drain(devices, "devices", (unsigned)config->drain);
	drain(admins, "admins", (unsigned)config->drain);
	return OK;
}

/* The database may come up after us: what else is wrong will not mend itself. */
static enum err migrate(const struct parts *parts, const sigset_t *signals)
{
	const struct timespec second = {.tv_sec = 1};
	enum err err;

	while ((err = db_migrate(parts->db)) == ERR_BUSY) {
		LOG(WARNING, "database.waiting", "why", why()->sentence);
		if (sigtimedwait(signals, NULL, &second) >= 0)
			return fail(
				ERR_BUSY, "stopped", "told to stop while waiting for the database");
	}
	return err;
}

static enum err run(const struct parts *parts, const struct config *config)
{
	sigset_t signals;
	enum err err;

	/* Before any thread is made, so that all of them inherit it and only the main one is told. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	err = migrate(parts, &signals);
	if (err == OK)
		err = serve(parts, config, &signals);
	if (err != OK)
		LOG(CRIT, "service.failed", "code", why()->code, "why", why()->sentence);
	LOG(NOTICE, "service.stopped", "service", config->service);
	return err;
}

static int start(const char *path, bool only_check)
{
	AUTO(problems_free) struct problems problems;
	AUTO(config_free) struct config config = {0};
	AUTO(parts_free) struct parts parts = {0};
	enum err err;

	problems_init(&problems);
	err = config_load(path, &problems, &config);
	if (err == OK)
		err = parts_make(path, &config, &problems, &parts);
	if (err != OK) {
		fputs(buf_text(&problems.text), stderr);
		fprintf(stderr, "endorsed: %zu problem(s) with %s\n", problems.n, path);
		return EXIT_CONFIG;
	}
	if (only_check) {
		printf("%s: nothing wrong\n", path);
		return EXIT_SUCCESS;
	}
	return run(&parts, &config) == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	const char *path = "/etc/endorse/endorsed.yaml";
	bool only_check = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			only_check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("endorsed " ENDORSE_VERSION);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return start(path, only_check);
}
