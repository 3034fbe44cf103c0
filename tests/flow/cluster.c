#include "tests/flow/cluster.h"

#include "tests/flow/process.h"
#include "tests/flow/supervise.h"

#include <errno.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	char *programs; /* the directory of initdb and postgres */
	char *data, *socket, *log;
	char *preload, *variable; /* "LD_PRELOAD=..." and another; NULL */
	bool durable;
	bool is_taken; /* it was there before, and stays */
	pid_t pid;
} cluster;

static char *find_programs(void)
{
	glob_t found;
	char *path;

	must(glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0,
		"PostgreSQL is not installed");
	path = strdup(found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return path;
}

static char *make_dir(const char *name)
{
	struct passwd *user = getpwnam("postgres");
	char *path = text("%s/%s", supervise_dir(), name);

	must(mkdir(path, 0700) == 0, "%s: %s", path, strerror(errno));
	if (geteuid() == 0) {
		must(user != NULL, "there is no user postgres");
		must(chown(path, user->pw_uid, user->pw_gid) == 0, "%s: %s", path, strerror(errno));
	}
	return path;
}

static bool answers(void *arg)
{
	AUTO(mem_free) char *conninfo = cluster_conninfo(cluster.socket, "postgres");

	(void)arg;
	return PQping(conninfo) == PQPING_OK;
}

void cluster_start(void)
{
	AUTO(mem_free) char *program = text("%s/postgres", cluster.programs);
	const char *argv[] = {program, "-D", cluster.data, "-k", cluster.socket, "-c",
		"listen_addresses=", "-c", cluster.durable ? "fsync=on" : "fsync=off", "-c",
		"max_connections=100", "-c",
		/* Below the data, where it goes with it when the server is killed. */
		"dynamic_shared_memory_type=mmap", NULL};
	const char *env[] = {cluster.preload, cluster.variable, NULL};

	cluster.pid = process_start(&(struct program){
		.argv = argv, .env = env, .log = cluster.log, .user = "postgres"});
	must(wait_until(answers, NULL, 20000), "PostgreSQL does not start: see %s", cluster.log);
}

/* A copy, for the server's user need not be able to reach the build. */
void cluster_preload(const char *library, const char *variable)
{
	AUTO(mem_free) char *from = text("%s/%s", ENDORSE_TEST_LIBRARIES, library);
	AUTO(mem_free) char *to = text("%s/%s", supervise_dir(), library);

	MUST_RUN("install", "-m", "755", from, to);
	cluster.preload = text("LD_PRELOAD=%s", to);
	cluster.variable = text("%s", variable);
}

void cluster_durable(void)
{
	cluster.durable = true;
}

void cluster_take(const char *data)
{
	cluster.data = realpath(data, NULL);
	must(cluster.data != NULL, "%s: %s", data, strerror(errno));
	cluster.is_taken = true;
}

pid_t cluster_pid(void)
{
	return cluster.pid;
}

void cluster_revive(void)
{
	int64_t end = now_ms() + 20000;

	while (!answers(NULL) && process_is_alive(cluster.pid) && now_ms() < end)
		usleep(20000);
	if (process_is_alive(cluster.pid))
		return;
	process_stop(&cluster.pid, SIGQUIT);
	cluster_start();
}

void cluster_stop_by(int signal)
{
	process_stop(&cluster.pid, signal);
}

void cluster_stop(void)
{
	cluster_stop_by(SIGQUIT);
}

static void init(void)
{
	AUTO(mem_free) char *initdb = text("%s/initdb", cluster.programs);

	cluster.data = make_dir("data");
	process_must(&(struct program){.user = "postgres",
		.argv = (const char *const[]){initdb, "-D", cluster.data, "-A", "trust", "-U",
			"postgres", "-E", "UTF8", "--locale=C", "-N", NULL}});
}

const char *cluster_socket(void)
{
	if (cluster.socket != NULL)
		return cluster.socket;
	cluster.programs = find_programs();
	cluster.socket = make_dir("sock");
	cluster.log = text("%s/postgres.log", supervise_dir());
	if (!cluster.is_taken)
		init();
	cluster_start();
	return cluster.socket;
}

char *cluster_conninfo(const char *socket_dir, const char *database)
{
	return text("host=%s user=postgres dbname=%s", socket_dir, database);
}

void cluster_create(const char *database)
{
	AUTO(mem_free) char *conninfo = cluster_conninfo(cluster_socket(), "postgres");

	if (cluster.is_taken &&
		sql_number(conninfo, "SELECT count(*) FROM pg_database WHERE datname = '%s'",
			database) > 0)
		return;
	free(sql_text(conninfo, "CREATE DATABASE %s", database));
}

static void connection_close(PGconn **connection)
{
	PQfinish(*connection);
}

static void result_clear(PGresult **result)
{
	PQclear(*result);
}

static char *query(const char *conninfo, const char *sql)
{
	AUTO(connection_close) PGconn *connection = PQconnectdb(conninfo);
	AUTO(result_clear) PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);

	must(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql,
		PQerrorMessage(connection));
	if (status != PGRES_TUPLES_OK || PQntuples(result) == 0)
		return text("%s", "");
	return text("%s", PQgetvalue(result, 0, 0));
}

char *sql_text(const char *conninfo, const char *fmt, ...)
{
	AUTO(mem_free) char *sql = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&sql, fmt, ap) < 0)
		abort();
	va_end(ap);
	return query(conninfo, sql);
}

long sql_number(const char *conninfo, const char *fmt, ...)
{
	AUTO(mem_free) char *sql = NULL, *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&sql, fmt, ap) < 0)
		abort();
	va_end(ap);
	value = query(conninfo, sql);
	return strtol(value, NULL, 10);
}
