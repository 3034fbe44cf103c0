/* main.c - endorsed: reads its configuration, wires the parts, serves until it is told to stop. */

#include "ca/base/clock.h"
#include "ca/base/encode.h"
#include "ca/base/log.h"
#include "enroll/daemon/publishing.h"
#include "enroll/daemon/reload.h"
#include "enroll/daemon/rounds.h"
#include "enroll/daemon/watch.h"
#include "enroll/flow/doctor.h"
#include "enroll/flow/publication.h"
#include "enroll/http/listener.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define EXIT_CONFIG 78 /* sysexits(3), EX_CONFIG: starting again will not help */

/* How long the service manager waits for our next word while we start: 150 s. */
#define EXTEND "EXTEND_TIMEOUT_USEC=150000000"

static const char usage[] =
	"usage: endorsed [--config FILE] [--check]\n"
	"\n"
	"The Endorse service: attests TPMs and issues certificates for their keys. It answers "
	"plain\n"
	"HTTP on loopback, behind a TLS edge, and logs to standard error. SIGHUP takes the\n"
	"configuration anew, whole or not at all; SIGTERM stops it.\n"
	"\n"
	"  --config FILE  the configuration (default: /etc/endorse/endorsed.yaml)\n"
	"  --check        print everything that is wrong with the configuration and what it "
	"names,\n"
	"                 and what would fail: database, expiries, files (endorsectl doctor)\n"
	"  --version      print the version\n"
	"\n"
	"Exit status: 0 stopped, or nothing wrong with the configuration; 1 a failure while\n"
	"running; 2 wrong usage; 78 something is wrong with the configuration.\n";

#define IMPORTED_EVERY 2000 /* milliseconds between two looks for what operators imported */

/* Workers are many. By itself the library would make eight heaps for each CPU, and each keeps what it once had. */
#define HEAPS 4

/* The process around the parts. */
struct process {
	struct parts parts;
	struct config config;
	struct notify notify;
	struct reload reload;
	sigset_t signals; /* blocked everywhere; only the main thread waits for them */
	int watchdog; /* seconds between two signs of life; 0: nobody waits for one */
};

static void log_start(struct process *process)
{
	struct service *service = current_take(process->reload.current);
	const struct config *config = &process->config;
	char trust[2 * SHA256_SIZE + 1], policy[2 * SHA256_SIZE + 1];

	hex_write((struct view){trust_version(service->trust), SHA256_SIZE}, trust);
	hex_write((struct view){policy_version(service->policy), SHA256_SIZE}, policy);
	LOG(NOTICE, "service.started", "version", ENDORSE_VERSION, "service", config->service,
		"listen", config->listen, "admin", config->admin_listen, "trust", trust, "vendors",
		trust_bundle_words(service->trust), "policy", policy);
	current_release(process->reload.current, &service);
}

static void reload_for_signal(struct process *process)
{
	AUTO(reload_answer_free) struct reload_answer answer;

	reload_answer_init(&answer);
	/* The log says what came of it; there is nobody else to tell. */
	if (reload_now(&process->reload, "SIGHUP", &answer) != OK)
		return;
}

/* Waits so many seconds; a reload is done on the way. True: told to stop. */
static bool wait_for_stop(struct process *process, time_t seconds)
{
	const struct timespec patience = {.tv_sec = seconds};
	int signal = sigtimedwait(&process->signals, NULL, &patience);

	if (signal == SIGHUP)
		reload_for_signal(process);
	return signal > 0 && signal != SIGHUP;
}

/* A key that does not sign any more may come back with a new process; an expired CA does not. */
static bool is_healthy(struct process *process)
{
	struct service *service = current_take(process->reload.current);
	bool is_good = signer_ready(service->signer) == OK || strcmp(why()->code, "ca-key") != 0;

	current_release(process->reload.current, &service);
	return is_good;
}

static void wait_for_end(struct process *process)
{
	while (!wait_for_stop(process, process->watchdog > 0 ? process->watchdog : HOUR))
		if (process->watchdog > 0 && is_healthy(process))
			notify_say(&process->notify, "WATCHDOG=1", NULL);
}

static void drain(struct listener *listener, const char *name, unsigned seconds)
{
	char left[16];

	snprintf(left, sizeof(left), "%u", listener_drain(listener, seconds));
	LOG(NOTICE, "listener.drained", "listener", name, "unanswered", left);
}

static void drain_all(struct process *process, struct listener *devices, struct listener *admins)
{
	struct service *service = current_take(process->reload.current);
	unsigned seconds = service->drain;

	current_release(process->reload.current, &service);
	LOG(NOTICE, "service.stopping", "service", process->config.service);
	notify_say(&process->notify, "STOPPING=1", "answering what is in flight");
	drain(devices, "devices", seconds);
	drain(admins, "admins", seconds);
}

/* What goes wrong is logged there; the next round tries again. */
static void look_for_imported(void *ctx)
{
	struct process *process = ctx;

	if (reload_imported(&process->reload) != OK)
		return;
}

static enum err serve(struct process *process)
{
	AUTO(rounds_stop) struct rounds *imported = NULL;
	AUTO(publishing_stop) struct publishing *publishing = NULL;
	AUTO(watch_stop) struct watch *watch = NULL;
	AUTO(listener_stop) struct listener *devices = NULL, *admins = NULL;
	struct listener_options options = {.address = process->config.listen,
		.threads = (unsigned)process->config.threads,
		.routes = device_routes,
		.current = process->reload.current,
		.tally = process->parts.tally,
		.traffic = process->parts.traffic};

	TRY(listener_start(&options, &devices));
	options.address = process->config.admin_listen;
	options.routes = admin_routes;
	/* More than the edge takes: see "backend admins" of deploy/edge/haproxy.cfg. */
	options.threads = 16;
	options.tally = NULL;
	TRY(listener_start(&options, &admins));
	log_start(process);
	TRY(watch_start(process->reload.current, &watch));
	TRY(publishing_start(process->reload.current, &publishing));
	TRY(rounds_start(IMPORTED_EVERY, look_for_imported, process, &imported));
	reload_serving(&process->reload);
	wait_for_end(process);
	drain_all(process, devices, admins);
	return OK;
}

static enum err migrate(struct process *process)
{
	/* Longer than one round takes at worst, behind another server that migrates. */
	notify_say(&process->notify, EXTEND, "applying the schema");
	return db_migrate(process->parts.db);
}

static enum err read_imported(struct process *process)
{
	return reload_imported(&process->reload);
}

/* Before anything is issued: what is issued belongs to a shard. */
static enum err settle_publication(struct process *process)
{
	struct service *service = current_take(process->reload.current);
	enum err err = publication_settle(service, clock_now());

	current_release(process->reload.current, &service);
	return err;
}

/* The database may come up after us: what else is wrong will not mend itself. */
static enum err with_database(struct process *process, enum err (*step)(struct process *process))
{
	char status[512];
	enum err err;

	while ((err = step(process)) == ERR_BUSY) {
		LOG(WARNING, "database.waiting", "why", why()->sentence);
		snprintf(status, sizeof(status), "waiting for the database: %s", why()->sentence);
		notify_say(&process->notify, EXTEND, status);
		if (wait_for_stop(process, 1))
			return fail(
				ERR_BUSY, "stopped", "told to stop while waiting for the database");
	}
	return err;
}

static enum err run(struct process *process, const char *path)
{
	enum err err = reload_init(
		path, &process->config, &process->parts, &process->notify, &process->reload);

	if (err == OK)
		err = with_database(process, migrate);
	if (err == OK)
		err = with_database(process, read_imported);
	if (err == OK)
		err = with_database(process, settle_publication);
	if (err == OK)
		err = serve(process);
	if (err != OK)
		LOG(CRIT, "service.failed", "code", why()->code, "why", why()->sentence);
	reload_free(&process->reload);
	LOG(NOTICE, "service.stopped", "service", process->config.service);
	return err;
}

static void process_free(struct process *process)
{
	parts_free(&process->parts);
	config_free(&process->config);
	notify_close(&process->notify);
}

/* Before any thread is made, so that all of them inherit it. SIGHUP first of all: it would end us. */
static void block_signals(struct process *process)
{
	sigemptyset(&process->signals);
	sigaddset(&process->signals, SIGHUP);
	sigaddset(&process->signals, SIGTERM);
	sigaddset(&process->signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &process->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* How often a sign of life is due, by sd_watchdog_enabled(3): twice in the time that is allowed. */
static int watchdog_seconds(void)
{
	const char *allowed = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long half;

	if (allowed == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	half = strtoll(allowed, NULL, 10) / 2 / 1000000;
	return half > HOUR ? HOUR : half > 0 ? (int)half : 1;
}

/* What a running service tells endorsectl doctor, but for what it would mend by starting. */
static int check(const char *path, const struct parts *parts)
{
	AUTO(mem_free) struct findings *findings = calloc(1, sizeof(*findings));
	size_t failures;

	if (findings == NULL)
		return EXIT_FAILURE;
	doctor_examine(parts->service, false, clock_now(), findings);
	findings_print(findings);
	failures = findings_count(findings, FINDING_FAIL);
	if (failures == 0)
		printf("%s: nothing wrong\n", path);
	else
		printf("%s: nothing wrong with the configuration; %zu thing(s) fail, see above\n",
			path, failures);
	return EXIT_SUCCESS;
}

static int start(const char *path, bool only_check)
{
	AUTO(problems_free) struct problems problems;
	AUTO(process_free) struct process process = {.watchdog = watchdog_seconds()};
	enum err err;

	notify_open(only_check ? NULL : getenv("NOTIFY_SOCKET"), &process.notify);
	if (!only_check)
		block_signals(&process);
	problems_init(&problems);
	err = config_load(path, &problems, &process.config);
	if (err == OK)
		err = parts_make(path, &process.config, &problems, &process.parts);
	if (err != OK) {
		fputs(buf_text(&problems.text), stderr);
		fprintf(stderr, "endorsed: %zu problem(s) with %s\n", problems.n, path);
		return EXIT_CONFIG;
	}
	if (only_check)
		return check(path, &process.parts);
	return run(&process, path) == OK ? EXIT_SUCCESS : EXIT_FAILURE;
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
	mallopt(M_ARENA_MAX, HEAPS);
	return start(path, only_check);
}
