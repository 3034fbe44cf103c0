#include "tests/flow/world.h"

#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"

#include <errno.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/encode.h"
#include "ca/base/file.h"

#define ARGUMENTS 40
#define LOG_SHOWN 6000 /* bytes of a log, of a service that ended badly */

char *world_source(const char *path)
{
	return text("%s/%s", ENDORSE_SOURCE_DIR, path);
}

static char *path_in(const struct world *world, const char *name)
{
	return text("%s/%s", world->dir, name);
}

/* 32 random bytes as 64 digits, also in a file that only we can read. */
static char *make_secret(const struct world *world, const char *name)
{
	AUTO(mem_free) char *path = path_in(world, name);
	uint8_t bytes[32];
	char *digits = calloc(1, 65);

	must(digits != NULL && RAND_bytes(bytes, sizeof(bytes)) == 1, "no random bytes");
	hex_write(VIEW(bytes), digits);
	write_file(path, 0600, view_str(digits));
	return digits;
}

static void make_dir(const char *path)
{
	must(mkdir(path, 0755) == 0, "%s: %s", path, strerror(errno));
}

const char world_any_name[] = "rules:\n"
			      "  - name: any\n"
			      "    hosts: [{suffix: example.test}]\n"
			      "    templates: [ak]\n"
			      "    names_per_device: 100\n";

/* As deploy/example/policy.yaml, with every kind of EK. */
static const char any_ek[] =
	"rules:\n"
	"  - name: demo-hosts\n"
	"    hosts: [{glob: \"web-*.example.test\"}, {exact: db-01.example.test}]\n"
	"    templates: [ak]\n";

static void make_policy(struct world *world)
{
	AUTO(mem_free) char *path = path_in(world, "policy.yaml");

	write_file(path, 0644, view_str(world->plan.policy != NULL ? world->plan.policy : any_ek));
}

static void make_ca(struct world *world)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *edge = path_in(world, "edge.pem");
	const char *type = world->plan.key_type != NULL ? world->plan.key_type : "p256";

	MUST_RUN(endorsectl, "ca", "init", "--dir", world->ca, "--organization", "Example",
		"--key-type", type);
	MUST_RUN(endorsectl, "ca", "edge", "--dir", world->ca, "--name", "localhost", "--name",
		"127.0.0.1", "--out", edge);
	world->roots = text("%s/root.pem", world->ca);
}

static void make_database(struct world *world, unsigned number)
{
	AUTO(mem_free) char *database = text("world_%u", number);
	AUTO(mem_free) char *proxy = path_in(world, "pg");

	cluster_create(database);
	world->conninfo = cluster_conninfo(cluster_socket(), database);
	if (world->plan.pgproxy) {
		make_dir(proxy);
		world->pgproxy = pgproxy_start(proxy, cluster_socket());
	}
}

/* The services' configuration: all the same but for the ports. */
static void write_config(struct world *world, const struct world_service *service)
{
	AUTO(buf_free) struct buf yaml = BUF(1 << 16);
	AUTO(mem_free) char *templates = world_source("templates");
	const char *database = strstr(world->conninfo, "dbname=");
	const char *dir = world->dir;

	buf_fmt(&yaml, "service: %s\n", world->name);
	if (world->plan.all_fronts)
		buf_fmt(&yaml, "public_url: http://localhost:%d\n", world->plain.port);
	buf_fmt(&yaml, "listen: 127.0.0.1:%d\n", service->port);
	buf_fmt(&yaml, "admin_listen: 127.0.0.1:%d\n", service->admin_port);
	buf_fmt(&yaml, "edge_secret_file: %s/edge.secret\n", dir);
	buf_fmt(&yaml, "admin_token_file: %s/admin.token\n", dir);
	buf_fmt(&yaml, "admin_ca: %s/admin-ca.pem\n", world->ca);
	buf_fmt(&yaml, "admin_edge_secret_file: %s/admin-edge.secret\n", dir);
	buf_fmt(&yaml, "ticket_key_file: %s/ticket.key\n", dir);
	if (world->pgproxy != NULL)
		buf_fmt(&yaml, "database: host=%s/pg user=postgres %s\n", dir, database);
	else
		buf_fmt(&yaml, "database: %s\n", world->conninfo);
	buf_fmt(&yaml, "ca:\n  certificate: %s/issuing.pem\n  key: %s/issuing.key\n", world->ca,
		world->ca);
	buf_fmt(&yaml, "  passphrase_file: %s/issuing.passphrase\n", world->ca);
	for (int i = 0; i < 2; i++) {
		const char *whose = i == 0 ? "host" : "user";

		buf_fmt(&yaml, "ssh_%s_ca:\n  key: %s/ssh-%s-ca.key\n", whose, world->ca, whose);
		buf_fmt(&yaml, "  passphrase_file: %s/ssh-%s-ca.passphrase\n", world->ca, whose);
	}
	buf_fmt(&yaml, "templates: %s\n",
		world->plan.templates != NULL ? world->plan.templates : templates);
	buf_fmt(&yaml, "policy: %s/policy.yaml\n", dir);
	buf_fmt(&yaml, "trust:\n  - name: demo\n    class: operator-import\n");
	buf_fmt(&yaml, "    roots: %s/roots\n    intermediates: %s/intermediates\n",
		world->maker.dir, world->maker.dir);
	if (world->plan.more != NULL)
		buf_str(&yaml, world->plan.more);
	write_file(service->config, 0644, buf_view(&yaml));
}

struct readiness {
	const struct httpc_peer *peer;
	const char *path;
	const pid_t *pid;
	bool died;
};

static bool is_ready(void *arg)
{
	struct readiness *ready = arg;
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};

	if (!process_is_alive(*ready->pid)) {
		ready->died = true;
		return true;
	}
	httpc_get(ready->peer, ready->path, &answer);
	return answer.status == 200;
}

/* False when it ended, which is what happens when its port was taken. */
static bool try_start(const struct world *world, struct world_service *service)
{
	AUTO(mem_free) char *endorsed = text("%s/endorsed", ENDORSE_BIN_DIR);
	struct readiness ready = {.peer = &service->peer, .path = "/readyz", .pid = &service->pid};

	service->pid = process_start(&(struct program){.log = service->log,
		.env = world->plan.env,
		.argv = (const char *const[]){endorsed, "--config", service->config, NULL}});
	must(wait_until(is_ready, &ready, 20000), "endorsed does not get ready: see %s",
		service->log);
	if (ready.died)
		process_stop(&service->pid, SIGKILL);
	return !ready.died;
}

void world_service_start(struct world *world, size_t i)
{
	AUTO(mem_free) char *log = NULL;

	if (try_start(world, &world->services[i]))
		return;
	log = world_log(world, i);
	must(false, "endorsed ends:\n%s", log);
}

static void make_service(struct world *world, size_t i)
{
	struct world_service *service = &world->services[i];
	AUTO(mem_free) char *log = NULL;

	service->config = text("%s/endorsed-%zu.yaml", world->dir, i);
	service->log = text("%s/endorsed-%zu.log", world->dir, i);
	service->headers = text(
		"X-Endorse-Edge: %s\r\nX-Endorse-Client-Address: 127.0.0.1\r\n", world->secret);
	service->admin_headers = text("Authorization: Bearer %s\r\n", world->token);
	for (int tries = 0; tries < 4; tries++) {
		service->port = free_port();
		service->admin_port = free_port();
		service->peer =
			(struct httpc_peer){.port = service->port, .headers = service->headers};
		service->admin = (struct httpc_peer){
			.port = service->admin_port, .headers = service->admin_headers};
		write_config(world, service);
		if (try_start(world, service))
			return;
	}
	log = world_log(world, i);
	must(false, "endorsed ends:\n%s", log);
}

int world_service_stop(struct world *world, size_t i, int signal)
{
	return process_stop(&world->services[i].pid, signal);
}

#define SETTINGS 40

/* Additions to an environment: the list, which ends with NULL. */
struct settings {
	char *list[SETTINGS + 1];
	size_t n;
};

static void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < settings->n; i++)
		free(settings->list[i]);
}

static void set(struct settings *settings, char *text)
{
	must(settings->n < SETTINGS, "more than %d settings of the edge", SETTINGS);
	settings->list[settings->n++] = text;
}

static void set_backends(const struct world *world, struct settings *env)
{
	for (size_t i = 0; i < world->services_n; i++) {
		const struct world_service *service = &world->services[i];

		set(env, text("ENDORSE_BACKEND_%zu=127.0.0.1:%d", i + 1, service->port));
		if (world->plan.all_fronts)
			set(env, text("ENDORSE_BACKEND_ADMIN_%zu=127.0.0.1:%d", i + 1,
					 service->admin_port));
	}
}

static void set_all_fronts(const struct world *world, struct settings *env)
{
	set(env, text("ENDORSE_EDGE_PLAIN_BIND=127.0.0.1:%d", world->plain.port));
	set(env, text("ENDORSE_EDGE_ADMIN_BIND=127.0.0.1:%d", world->operators.port));
	set(env, text("ENDORSE_EDGE_TOKEN_BIND=127.0.0.1:%d", world->programs.port));
	set(env, text("ENDORSE_EDGE_ADMIN_CA=%s/admin-ca.pem", world->ca));
	set(env, text("ENDORSE_EDGE_ADMIN_SECRET=%s", world->admin_secret));
}

/* As deploy/edge/start.in has it. */
static void set_edge(const struct world *world, struct settings *env)
{
	set(env, text("OPENSSL_CONF=%s/deploy/edge/openssl.cnf", ENDORSE_SOURCE_DIR));
	set(env, text("MALLOC_MMAP_THRESHOLD_=4194304"));
	set(env, text("MALLOC_TRIM_THRESHOLD_=67108864"));
	set(env, text("ENDORSE_EDGE_BIND=127.0.0.1:%d", world->edge_port));
	set(env, text("ENDORSE_EDGE_CERT=%s/edge.pem", world->dir));
	set(env, text("ENDORSE_EDGE_SECRET=%s", world->secret));
	set(env, text("ENDORSE_EDGE_RUN=%s", world->dir));
	set(env, text("ENDORSE_EDGE_ERRORS=%s/deploy/edge/errors", ENDORSE_SOURCE_DIR));
	set_backends(world, env);
	if (world->plan.all_fronts)
		set_all_fronts(world, env);
	for (const char *const *more = world->plan.edge_env; more != NULL && *more != NULL; more++)
		set(env, text("%s", *more));
}

static bool try_edge(struct world *world)
{
	AUTO(mem_free) char *config = world_source("deploy/edge/haproxy.cfg");
	AUTO(mem_free) char *log = path_in(world, "edge.log");
	AUTO(settings_free) struct settings env = {0};
	struct readiness ready = {.peer = &world->front, .path = "/healthz", .pid = &world->edge};

	set_edge(world, &env);
	world->edge = process_start(&(struct program){.env = (const char *const *)env.list,
		.log = log,
		.argv = (const char *const[]){"haproxy", "-db", "-f", config, NULL}});
	must(wait_until(is_ready, &ready, 10000), "the edge does not get ready: see %s", log);
	if (ready.died)
		process_stop(&world->edge, SIGKILL);
	return !ready.died;
}

void world_edge_start(struct world *world)
{
	for (int tries = 0; tries < 4; tries++) {
		world->front = (struct httpc_peer){.port = world->edge_port, .roots = world->roots};
		world->operators = (struct httpc_peer){.port = free_port(), .roots = world->roots};
		world->programs = (struct httpc_peer){.port = free_port(), .roots = world->roots};
		if (try_edge(world))
			return;
	}
	must(false, "haproxy ends: see %s/edge.log", world->dir);
}

void world_edge_stop(struct world *world)
{
	process_stop(&world->edge, SIGTERM);
}

char *world_edge_says(struct world *world, const char *line)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	AUTO(buf_free) struct buf answer = BUF(1 << 16);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t block[4096];
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/edge.ctl", world->dir);
	must(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0, "%s",
		address.sun_path);
	must(dprintf(fd, "%s\n", line) > 0, "the edge takes no command");
	while ((n = read(fd, block, sizeof(block))) > 0)
		buf_add(&answer, (struct view){block, (size_t)n});
	close(fd);
	return strdup(buf_text(&answer));
}

static void make_chips(struct world *world)
{
	AUTO(mem_free) char *maker = path_in(world, "maker");
	AUTO(mem_free) char *dir = path_in(world, "chips");

	maker_init(&world->maker, maker, "Demo");
	make_dir(dir);
	world->chips_n = world->plan.chips;
	world->chips = calloc(world->chips_n + 1, sizeof(*world->chips));
	must(world->chips != NULL, "out of memory");
	chips_make(&world->maker, dir, world->chips, world->chips_n);
}

void world_make(const struct world_plan *plan, struct world *world)
{
	static unsigned worlds;
	unsigned number = worlds++;

	*world = (struct world){.plan = *plan};
	world->dir = text("%s/w%u", supervise_dir(), number);
	make_dir(world->dir);
	world->edge_port = plan->edge_port != 0 ? plan->edge_port : free_port();
	world->plain.port = free_port();
	world->name = text("https://localhost:%d", world->edge_port);
	world->ca = path_in(world, "ca");
	world->secret = make_secret(world, "edge.secret");
	world->token = make_secret(world, "admin.token");
	world->admin_secret = make_secret(world, "admin-edge.secret");
	free(make_secret(world, "ticket.key"));
	make_chips(world);
	make_ca(world);
	make_policy(world);
	make_database(world, number);
	world->services_n = plan->services > 0 ? plan->services : 1;
	must(world->services_n <= WORLD_SERVICES, "at most %d services", WORLD_SERVICES);
	for (size_t i = 0; i < world->services_n; i++)
		make_service(world, i);
	if (plan->edge)
		world_edge_start(world);
}

/* The last of it: what a sanitizer said, or what was waited for, is there. */
static void tell_bad_end(struct world *world, size_t i, int status)
{
	AUTO(mem_free) char *log = world_log(world, i);
	size_t n = strlen(log), shown = n < LOG_SHOWN ? n : LOG_SHOWN;

	must(false, "endorsed does not end well (%s %d); its last words:\n%s",
		WIFSIGNALED(status) ? "signal" : "exit code",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), log + n - shown);
}

/* All at once. One that does not end well (a sanitizer has found something) fails the test. */
static void stop_services(struct world *world)
{
	int status;

	for (size_t i = 0; i < world->services_n; i++)
		if (world->services[i].pid > 0)
			kill(world->services[i].pid, SIGTERM);
	for (size_t i = 0; i < world->services_n; i++)
		if ((status = world_service_stop(world, i, SIGTERM)) != 0)
			tell_bad_end(world, i, status);
}

void world_free(struct world *world)
{
	world_edge_stop(world);
	stop_services(world);
	for (size_t i = 0; i < world->services_n; i++) {
		free(world->services[i].config);
		free(world->services[i].log);
		free(world->services[i].headers);
		free(world->services[i].admin_headers);
	}
	pgproxy_stop(&world->pgproxy);
	for (size_t i = 0; i < world->chips_n; i++)
		chip_free(&world->chips[i]);
	free(world->chips);
	maker_free(&world->maker);
	free(world->dir);
	free(world->name);
	free(world->conninfo);
	free(world->ca);
	free(world->secret);
	free(world->token);
	free(world->admin_secret);
	free(world->roots);
	*world = (struct world){0};
}

void world_run(struct world *world, struct output *output, const char *program, ...)
{
	AUTO(mem_free) char *path = text("%s/%s", ENDORSE_BIN_DIR, program);
	const char *argv[ARGUMENTS] = {path};
	size_t n = 1;
	va_list ap;

	(void)world;
	va_start(ap, program);
	while (n < ARGUMENTS - 1 && (argv[n] = va_arg(ap, const char *)) != NULL)
		n++;
	va_end(ap);
	argv[n] = NULL;
	process_run(&(struct program){.argv = argv}, output);
}

long world_rows(struct world *world, const char *table)
{
	return sql_number(world->conninfo, "SELECT count(*) FROM %s", table);
}

struct rows {
	struct world *world;
	const char *table;
	long wanted;
};

static bool has_rows(void *arg)
{
	struct rows *rows = arg;

	return world_rows(rows->world, rows->table) == rows->wanted;
}

bool world_rows_become(struct world *world, const char *table, long wanted)
{
	return wait_until(has_rows, &(struct rows){world, table, wanted}, 10000);
}

char *world_log(struct world *world, size_t service)
{
	AUTO(buf_free) struct buf content = BUF(1 << 26);

	if (file_read(world->services[service].log, &content) != OK || content.n == 0)
		return text("%s", "");
	return buf_take(&content);
}
