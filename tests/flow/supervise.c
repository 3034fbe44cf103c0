#include "tests/flow/supervise.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/endorse.XXXXXX";

const char *supervise_dir(void)
{
	return directory;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/*
 * A PostgreSQL that was killed leaves a small segment of System V shared memory, of which the kernel has some thousands
 * for all. Key and number of it are the seventh line of its postmaster.pid.
 */
static int release_memory(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char line[1024] = "", *end = line;
	struct shmid_ds segment;
	FILE *file;
	long key;
	int id;

	(void)st;
	if (type != FTW_F || strcmp(path + ftw->base, "postmaster.pid") != 0 ||
		(file = fopen(path, "re")) == NULL)
		return 0;
	for (int i = 0; i < 7 && fgets(line, sizeof(line), file) != NULL; i++)
		;
	fclose(file);
	key = strtol(line, &end, 10);
	id = (int)strtol(end, NULL, 10);
	if (key != 0 && shmctl(id, IPC_STAT, &segment) == 0 && segment.shm_perm.__key == key &&
		segment.shm_nattch == 0)
		shmctl(id, IPC_RMID, NULL);
	return 0;
}

/* The parent of a process, from /proc/PID/stat: "pid (any name) state parent ..."; 0 when gone. */
static pid_t parent_of(const char *pid)
{
	char path[64], line[512];
	const char *name_end;
	size_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if ((file = fopen(path, "re")) != NULL) {
		n = fread(line, 1, sizeof(line) - 1, file);
		fclose(file);
	}
	line[n] = '\0';
	name_end = strrchr(line, ')');
	return name_end == NULL || strlen(name_end) < 5 ? 0 : (pid_t)strtol(name_end + 4, NULL, 10);
}

static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			parent_of(entry->d_name) == getpid())
			kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
	if (proc != NULL)
		closedir(proc);
}

/* Being their reaper, we inherit whatever our children leave, and so on until nobody is left. */
static void kill_descendants(void)
{
	do {
		kill_children();
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		usleep(2000);
	} while (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD);
}

static int wait_for(pid_t child, const sigset_t *signals)
{
	int status = 0, signal = 0;

	while (waitpid(child, &status, WNOHANG) != child) {
		sigwait(signals, &signal);
		if (signal != SIGCHLD)
			kill(child, SIGKILL);
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "the test program was ended by signal %d\n", WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

int supervise(int (*tests)(void))
{
	pid_t parent = getpid(), child;
	sigset_t signals, before;
	int code;

	if (mkdtemp(directory) == NULL || chmod(directory, 0755) != 0) {
		perror(directory);
		return 1;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &before);
	setenv("TSS2_LOG", "all+NONE", 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if ((child = fork()) == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		exit(getppid() == parent ? tests() : 1);
	}
	code = child < 0 ? 1 : wait_for(child, &signals);
	kill_descendants();
	nftw(directory, release_memory, 16, FTW_PHYS);
	if (getenv("ENDORSE_KEEP") != NULL)
		fprintf(stderr, "kept: %s\n", directory);
	else
		nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return code;
}
