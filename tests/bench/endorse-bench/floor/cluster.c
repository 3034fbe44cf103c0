#include "tests/bench/endorse-bench/floor/cluster.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 30000

/*
 * A keeper of its own runs the server: it stops it and removes the directory when the other end of
 * the pipe is closed, which also happens when this process is killed.
 */
struct floor_cluster {
	char dir[64];
	char conninfo[128];
	int pipe; /* -1: none */
	pid_t keeper;
};

enum err floor_cluster_program(const char *name, char **out)
{
	char pattern[64];
	glob_t found = {0};
	int result;

	snprintf(pattern, sizeof(pattern), "/usr/lib/postgresql/*/bin/%s", name);
	result = glob(pattern, 0, NULL, &found);
	*out = result == 0 ? strdup(found.gl_pathv[found.gl_pathc - 1]) : NULL;
	globfree(&found);
	if (*out == NULL)
		return fail(ERR_INTERNAL, "floor-cluster",
			"there is no %s: install postgresql, or leave the database out", pattern);
	return OK;
}

/* In a child: PostgreSQL does not run as root. */
static bool become(const struct passwd *user)
{
	return geteuid() != 0 || (user != NULL && initgroups(user->pw_name, user->pw_gid) == 0 &&
					 setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0);
}

static pid_t start(const char *dir, const struct passwd *user, const char *const *argv)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (!become(user) || chdir(dir) != 0)
		_exit(126);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static bool ran(pid_t pid)
{
	int status = -1;

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void silence(const char *log)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (file >= 0) {
		dup2(file, STDOUT_FILENO);
		dup2(file, STDERR_FILENO);
	}
}

static void keep(const char *dir, const char *initdb, const char *postgres, int pipe)
{
	const struct passwd *user = getpwnam("postgres");
	char data[80], sock[80], log[80];
	char byte;
	pid_t server = -1;

	snprintf(data, sizeof(data), "%s/data", dir);
	snprintf(sock, sizeof(sock), "%s/sock", dir);
	snprintf(log, sizeof(log), "%s/log", dir);
	setsid();
	/* Another cluster's pipe among them, whose keeper would wait for this one. */
	close_range(3, (unsigned)pipe - 1, 0);
	close_range((unsigned)pipe + 1, ~0U, 0);
	silence(log);
	if (ran(start(dir, user,
		    (const char *const[]){initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E",
			    "UTF8", "--locale=C", "-N", NULL})))
		server = start(dir, user,
			(const char *const[]){postgres, "-D", data, "-k", sock, "-c",
				"listen_addresses=", "-c", "dynamic_shared_memory_type=mmap",
				NULL});
	while (server > 0 && read(pipe, &byte, 1) < 0 && errno == EINTR)
		;
	if (server > 0) {
		kill(server, SIGINT);
		ran(server);
	}
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	_exit(server > 0 ? 0 : 1);
}

static enum err make_dir(struct floor_cluster *cluster)
{
	const char *base = getenv("TMPDIR");
	const struct passwd *user = getpwnam("postgres");

	snprintf(cluster->dir, sizeof(cluster->dir), "%.40s/endorse-floor.XXXXXX",
		base == NULL || *base != '/' ? "/tmp" : base);
	if (mkdtemp(cluster->dir) == NULL)
		return fail(ERR_INTERNAL, "floor-cluster", "%s: %s", cluster->dir, strerror(errno));
	if (geteuid() == 0 &&
		(user == NULL || chown(cluster->dir, user->pw_uid, user->pw_gid) != 0))
		return fail(ERR_INTERNAL, "floor-cluster", "there is no user postgres");
	snprintf(cluster->conninfo, sizeof(cluster->conninfo),
		"host=%s/sock user=postgres dbname=postgres", cluster->dir);
	return OK;
}

static enum err start_keeper(struct floor_cluster *cluster)
{
	AUTO(mem_free) char *initdb = NULL, *postgres = NULL;
	char sock[80];
	int ends[2];

	TRY(floor_cluster_program("initdb", &initdb));
	TRY(floor_cluster_program("postgres", &postgres));
	TRY(make_dir(cluster));
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(ERR_INTERNAL, "floor-cluster", "pipe2: %s", strerror(errno));
	cluster->pipe = ends[1];
	cluster->keeper = fork();
	if (cluster->keeper == 0) {
		const struct passwd *user = getpwnam("postgres");

		close(ends[1]);
		snprintf(sock, sizeof(sock), "%s/sock", cluster->dir);
		if (mkdir(sock, 0700) == 0 &&
			(geteuid() != 0 || chown(sock, user->pw_uid, user->pw_gid) == 0))
			keep(cluster->dir, initdb, postgres, ends[0]);
		_exit(1);
	}
	close(ends[0]);
	if (cluster->keeper < 0)
		return fail(ERR_INTERNAL, "floor-cluster", "fork: %s", strerror(errno));
	return OK;
}

static enum err await(struct floor_cluster *cluster)
{
	int64_t end = clock_ms() + START_MS;

	while (PQping(cluster->conninfo) != PQPING_OK) {
		if (waitpid(cluster->keeper, NULL, WNOHANG) == cluster->keeper) {
			cluster->keeper = -1;
			return fail(ERR_INTERNAL, "floor-cluster", "PostgreSQL does not start");
		}
		if (clock_ms() > end)
			return fail(ERR_INTERNAL, "floor-cluster",
				"PostgreSQL does not start in %d s", START_MS / 1000);
		usleep(20000);
	}
	return OK;
}

enum err floor_cluster_make(struct floor_cluster **out)
{
	AUTO(floor_cluster_free) struct floor_cluster *cluster = calloc(1, sizeof(*cluster));

	if (cluster == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "floor_cluster_make");
	cluster->pipe = -1;
	cluster->keeper = -1;
	TRY(start_keeper(cluster));
	TRY(await(cluster));
	*out = MOVE(cluster);
	return OK;
}

void floor_cluster_free(struct floor_cluster **cluster)
{
	if (*cluster != NULL) {
		fd_close(&(*cluster)->pipe);
		ran((*cluster)->keeper);
	}
	free(*cluster);
	*cluster = NULL;
}

const char *floor_cluster_conninfo(const struct floor_cluster *cluster)
{
	return cluster->conninfo;
}
