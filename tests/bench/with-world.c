/* with-world.c - runs a command beside a world of its own: database, CA, services, edge. For with-world. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const char usage[] =
	"usage: with-world [--services N] [--port N] [--roots DIR] [--domain NAME] [--key-type "
	"TYPE]\n"
	"           [--setting YAML] [--edge-option NAME=VALUE] [--cluster DIR] -- COMMAND "
	"[ARGUMENT...]\n";

static struct {
	size_t services;
	int port;
	const char *roots, *domain, *key_type, *cluster;
	struct buf settings; /* lines of the services' configuration */
	char **command;
} wish = {.services = 1, .domain = "example.test"};

static void wanted_number(const char *option, const char *value, long most, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(value, &end, 10);
	if (errno == 0 && *end == '\0' && *out >= 1 && *out <= most)
		return;
	fprintf(stderr, "with-world: --%s is a number from 1 to %ld\n", option, most);
	exit(2);
}

static void take(const char *option, char *value)
{
	long number;

	if (strcmp(option, "services") == 0) {
		wanted_number(option, value, WORLD_SERVICES, &number);
		wish.services = (size_t)number;
	} else if (strcmp(option, "port") == 0) {
		wanted_number(option, value, 65535, &number);
		wish.port = (int)number;
	} else if (strcmp(option, "roots") == 0) {
		wish.roots = value;
	} else if (strcmp(option, "cluster") == 0) {
		wish.cluster = value;
	} else if (strcmp(option, "domain") == 0) {
		wish.domain = value;
	} else if (strcmp(option, "key-type") == 0) {
		wish.key_type = value;
	} else if (strcmp(option, "setting") == 0) {
		buf_fmt(&wish.settings, "%s\n", value);
	} else if (strchr(value, '=') != NULL) {
		putenv(value); /* which the edge inherits */
	} else {
		fputs(usage, stderr);
		exit(2);
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {{"cluster", required_argument, NULL, 0},
		{"domain", required_argument, NULL, 0}, {"edge-option", required_argument, NULL, 0},
		{"key-type", required_argument, NULL, 0}, {"port", required_argument, NULL, 0},
		{"roots", required_argument, NULL, 0}, {"services", required_argument, NULL, 0},
		{"setting", required_argument, NULL, 0}, {NULL, 0, NULL, 0}};
	int which, c;

	wish.settings = BUF(1 << 14);
	while ((c = getopt_long(argc, argv, "+", options, &which)) == 0)
		take(options[which].name, optarg);
	if (c != -1 || optind == argc) {
		fputs(usage, stderr);
		exit(2);
	}
	wish.command = argv + optind;
}

/* The fleet's manufacturer first, for the configuration that this is added to ends within "trust". */
static void write_more(struct buf *more)
{
	AUTO(mem_free) char *roots = wish.roots != NULL ? realpath(wish.roots, NULL) : NULL;

	must(wish.roots == NULL || roots != NULL, "%s: %s", wish.roots, strerror(errno));
	if (roots != NULL)
		buf_fmt(more,
			"  - name: fleet\n    class: manufacturer\n"
			"    roots: %s/roots\n    intermediates: %s/intermediates\n",
			roots, roots);
	buf_add(more, buf_view(&wish.settings));
}

static void tell(const char *name, char *value)
{
	AUTO(mem_free) char *owned = value;

	must(setenv(name, owned, 1) == 0, "%s", name);
}

static void tell_services(const struct world *world)
{
	AUTO(buf_free) struct buf pids = BUF(256), admins = BUF(512);

	for (size_t i = 0; i < world->services_n; i++) {
		const struct world_service *service = &world->services[i];

		buf_fmt(&pids, "%s%d", i > 0 ? "," : "", service->pid);
		buf_fmt(&admins, "%shttp://127.0.0.1:%d", i > 0 ? " " : "", service->admin_port);
	}
	tell("ENDORSE_BENCH_SERVICE_PIDS", text("%s", buf_text(&pids)));
	tell("ENDORSE_BENCH_ADMIN_URLS", text("%s", buf_text(&admins)));
	tell("ENDORSE_BENCH_ADMIN_URL", text("http://127.0.0.1:%d", world->services[0].admin_port));
	tell("ENDORSE_BENCH_ADMIN_TOKEN", text("%s", world->token));
	tell("ENDORSE_BENCH_ADMIN_TOKEN_FILE", text("%s/admin.token", world->dir));
}

static void tell_all(const struct world *world)
{
	tell_services(world);
	tell("ENDORSE_BENCH_URL", text("%s", world->name));
	tell("ENDORSE_BENCH_PLAIN_URL", text("http://localhost:%d", world->plain.port));
	tell("ENDORSE_BENCH_CA", text("%s", world->roots));
	tell("ENDORSE_BENCH_EDGE_CERT", text("%s/edge.pem", world->dir));
	tell("ENDORSE_BENCH_EDGE_PID", text("%d", world->edge));
	tell("ENDORSE_BENCH_POSTGRES_PID", text("%d", cluster_pid()));
	tell("ENDORSE_BENCH_DATABASE", text("%s", world->conninfo));
	tell("ENDORSE_BENCH_DOMAIN", text("%s", wish.domain));
	tell("ENDORSE_BENCH_DIR", text("%s", world->dir));
}

static int run_command(void)
{
	pid_t pid = process_start(&(struct program){.argv = (const char *const *)wish.command});
	int status;

	while (waitpid(pid, &status, 0) < 0)
		must(errno == EINTR, "waitpid: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int with_world(void)
{
	AUTO(mem_free)
	char *policy =
		text("rules:\n  - name: fleet\n    hosts: [{suffix: %s}]\n"
		     "    templates: [ak, tls-client, tls-server, tls-peer, platform-property]\n",
			wish.domain);
	AUTO(buf_free) struct buf more = BUF(1 << 15);
	struct world world;
	int code;

	write_more(&more);
	if (wish.cluster != NULL)
		cluster_take(wish.cluster);
	cluster_durable();
	world_make(&(struct world_plan){.services = wish.services,
			   .edge = true,
			   .all_fronts = true,
			   .key_type = wish.key_type,
			   .policy = policy,
			   .more = buf_text(&more),
			   .edge_port = wish.port},
		&world);
	tell_all(&world);
	code = run_command();
	world_free(&world);
	if (wish.cluster != NULL)
		cluster_stop_by(SIGINT);
	return code;
}

int main(int argc, char **argv)
{
	struct rlimit files;

	read_options(argc, argv);
	/* Herds have a connection for each device. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return supervise(with_world);
}
